// Whether what the disk says is still to be believed (invariant 5). A sync that fails is told of once: the system then takes
// what it could not write for written, and answers every later sync well, whoever asks for it. So one failure, wherever it
// was met, ends all that rests on the disk's word: no batch is answered, no checkpoint is made and nothing is removed after
// it, also when that was under way already and its own writes and syncs went well.

import { isDiskFull, lacksDescriptors } from './disk/disk.ts';

export class DiskTrust {
  readonly #onLost: (cause: unknown) => void;
  #loss: { readonly cause: unknown } | undefined;

  /** @param onLost told once, of the first failure. */
  constructor(onLost: (cause: unknown) => void) {
    this.#onLost = onLost;
  }

  /** Ends it, for as long as the store is open. */
  lose(cause: unknown): void {
    if (this.#loss !== undefined) return;
    this.#loss = { cause };
    this.#onLost(cause);
  }

  /** @throws Error when the disk has failed before. */
  require(): void {
    if (this.#loss === undefined) return;
    throw new Error('The disk has failed before: what went well since is not to be believed.', {
      cause: this.#loss.cause,
    });
  }

  /**
   * Makes something durable that others may rest on. Lack of room is no excuse here: what the system could not write down
   * may be lost, and it says so only once.
   * @throws Error when that fails, or when the disk has failed meanwhile; never one that says that there is no room. One that
   * says that too many files are open (`lacksDescriptors`) is no failure: it may be tried again.
   */
  async sync(work: () => Promise<void>): Promise<void> {
    this.require();
    try {
      await work();
    } catch (cause) {
      if (lacksDescriptors(cause)) throw cause; // nothing was asked of the disk yet
      this.lose(cause);
      throw isDiskFull(cause) ? new Error('What was written could not be made durable.', { cause }) : cause;
    }
    this.require();
  }
}

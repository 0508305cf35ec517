// The committer's side of one worker: takes its calls, commits them among all others, and answers those that were settled
// together in one message. Asks the worker when its readers of a moment have gone.

import type { MessagePort } from 'node:worker_threads';
import type { Committer, OperationCall } from '../catalog/operations.ts';
import type { StoreDamage } from '../object-store.ts';
import {
  type CommitterMessage,
  packError,
  type SentAnswer,
  type SentCall,
  unpackContent,
  type WorkerMessage,
} from './wire.ts';

/** Files that are about to be removed. */
export interface ForgottenFiles {
  readonly blobIds?: readonly Buffer[];
  readonly segments?: readonly number[];
}

interface WorkerDeskOptions {
  readonly port: MessagePort;
  readonly committer: Committer;
  /** The disk has failed under the worker (invariant 5). */
  readonly onFailure: (cause: Error) => void;
  readonly onDamage: (damage: StoreDamage) => void;
  readonly onRoomWanted: () => void;
}

export class WorkerDesk {
  readonly #options: WorkerDeskOptions;
  readonly #drains = new Map<number, () => void>();
  #lastTicket = 0;
  #pending = 0;
  #answers: SentAnswer[] = [];
  #gone = false;
  #settled: (() => void) | undefined;

  constructor(options: WorkerDeskOptions) {
    this.#options = options;
    // The port is all that connects the two: what comes through it was sent by the worker's half of this folder.
    options.port.on('message', (message: WorkerMessage) => this.#take(message));
  }

  /** Resolves when every reader in the worker that had entered before this call has left, or the worker is gone. */
  drain(): Promise<void> {
    if (this.#gone) return Promise.resolve();
    this.#lastTicket += 1;
    const ticket = this.#lastTicket;
    this.#post({ kind: 'drain', ticket });
    return new Promise((resolve) => this.#drains.set(ticket, resolve));
  }

  forget(files: ForgottenFiles): void {
    const { blobIds = [], segments = [] } = files;
    this.#post({ kind: 'forget', blobIds: blobIds.map((blobId) => new Uint8Array(blobId)), segments });
  }

  /** The worker is gone. Resolves when everything it had asked for is settled, though nobody hears of it any more. */
  async leave(): Promise<void> {
    this.#gone = true;
    this.#options.port.close();
    for (const resolve of this.#drains.values()) resolve();
    this.#drains.clear();
    if (this.#pending === 0) return;
    await new Promise<void>((resolve) => {
      this.#settled = resolve;
    });
  }

  #take(message: WorkerMessage): void {
    switch (message.kind) {
      case 'calls':
        for (const call of message.calls) this.#commit(call);
        break;
      case 'drained':
        this.#drains.get(message.ticket)?.();
        this.#drains.delete(message.ticket);
        break;
      case 'failed':
        this.#options.onFailure(new Error(message.reason));
        break;
      case 'damaged':
        this.#options.onDamage(message.damage);
        break;
      case 'roomWanted':
        this.#options.onRoomWanted();
        break;
    }
  }

  #commit({ id, name, argument, content }: SentCall): void {
    this.#pending += 1;
    // Proof of the cast: the call was made by a RemoteCommitter from a call of this type, and its parts belong together.
    const call = { name, argument, content: unpackContent(content) } as OperationCall;
    const refuse = (cause: unknown): void => this.#answer({ id, refusal: packError(cause) });
    try {
      this.#options.committer.commit(call).then((result) => this.#answer({ id, result }), refuse);
    } catch (cause) {
      refuse(cause);
    }
  }

  /** A batch settles its operations in one go: all of them are answered before the microtask that sends them. */
  #answer(answer: SentAnswer): void {
    this.#pending -= 1;
    if (this.#pending === 0) this.#settled?.();
    this.#answers.push(answer);
    if (this.#answers.length === 1) queueMicrotask(() => this.#sendAnswers());
  }

  #sendAnswers(): void {
    const answers = this.#answers;
    this.#answers = [];
    this.#post({ kind: 'answers', answers });
  }

  #post(message: CommitterMessage): void {
    if (!this.#gone) this.#options.port.postMessage(message);
  }
}

// Hashing beside the main thread: MD5 alone takes more of a processor than everything else that is done with a large body.
// Threads are started when the first large body comes, up to a fixed number; a body stays with one thread, because MD5 is
// one chain from the first byte to the last. While no thread is ready, or none is wanted, a body is hashed where it is.

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { DigestAlgorithm } from '@stowage/s3';
import type { Piece } from '../blobs/piece-pool.ts';
import { BodyHashes, type BodySums } from './body-hashes.ts';
import type { HashAnswer, HashCommand } from './thread-messages.ts';

/** Hashes one body. Exactly one of `finish` and `discard` ends it. */
export interface BodyHasher {
  /** Takes the next bytes: the first of the piece. Calls back once it needs them no more, perhaps before it returns. */
  update(piece: Piece, sizeBytes: number, used: () => void): void;
  /** Rejects when the thread has died. */
  finish(): Promise<BodySums>;
  /** Bytes that were given are called back for all the same. */
  discard(): void;
}

/** One for each processor but that of the main thread; more than a few would outrun any disk. */
export function usualHashThreads(): number {
  return Math.min(4, availableParallelism() - 1);
}

interface HashThreadsOptions {
  /** None: everything is hashed on the main thread. */
  readonly maxThreads: number;
  /** Where all pieces lie; asked for when the first thread is started. */
  readonly memory: () => SharedArrayBuffer;
  /** Told when a thread died, though it should not. */
  readonly onError: (cause: unknown) => void;
}

export class HashThreads {
  readonly #options: HashThreadsOptions;
  readonly #threads = new Set<HashThread>();
  #closed = false;

  constructor(options: HashThreadsOptions) {
    this.#options = options;
  }

  begin(algorithms: readonly DigestAlgorithm[]): BodyHasher {
    // Without a digest only the blocks' checksums are left, which cost less than to tell a thread of them.
    const thread = algorithms.length === 0 ? undefined : this.#leastBusy();
    return thread === undefined ? new LocalHasher(algorithms) : thread.begin(algorithms);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#threads].map((thread) => thread.close()));
  }

  /** The ready thread with the fewest bodies. Starts another one when all have some, for the next body. */
  #leastBusy(): HashThread | undefined {
    let found: HashThread | undefined;
    let starting = false;
    for (const thread of this.#threads) {
      if (!thread.ready) starting = true;
      else if (found === undefined || thread.bodies < found.bodies) found = thread;
    }
    const wanted = (found === undefined || found.bodies > 0) && !starting && !this.#closed;
    if (wanted && this.#threads.size < this.#options.maxThreads) this.#start();
    return found;
  }

  #start(): void {
    const thread = new HashThread(this.#options.memory(), (cause) => {
      this.#threads.delete(thread);
      if (cause !== undefined) this.#options.onError(cause);
    });
    this.#threads.add(thread);
  }
}

class HashThread {
  ready = false;
  readonly #worker: Worker;
  readonly #bodies = new Map<number, ThreadHasher>();
  readonly #exited: Promise<void>;
  #lastBody = 0;
  #closing = false;

  constructor(memory: SharedArrayBuffer, onEnd: (cause: unknown) => void) {
    this.#worker = new Worker(new URL('./hash-thread.ts', import.meta.url), {
      workerData: { memory },
      execArgv: [],
      // It makes next to no garbage: room for more would only be used because it is there.
      resourceLimits: { maxYoungGenerationSizeMb: 4 },
    });
    this.#worker.unref();
    this.#worker.on('message', (message: HashAnswer) => this.#take(message));
    let cause: unknown;
    this.#worker.on('error', (error) => {
      cause = error;
    });
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        this.ready = false;
        const reason = cause ?? new Error(`The hashing thread ended with ${code}.`);
        onEnd(this.#closing ? undefined : reason);
        for (const body of [...this.#bodies.values()]) body.fail(reason);
        resolve();
      });
    });
  }

  get bodies(): number {
    return this.#bodies.size;
  }

  begin(algorithms: readonly DigestAlgorithm[]): BodyHasher {
    this.#lastBody += 1;
    const number = this.#lastBody;
    const hasher = new ThreadHasher({
      number,
      tell: (command) => this.#worker.postMessage(command),
      forget: () => this.#bodies.delete(number),
    });
    this.#bodies.set(number, hasher);
    this.#worker.postMessage({ kind: 'begin', body: number, algorithms } satisfies HashCommand);
    return hasher;
  }

  /**
   * The thread ends by itself, one that is still starting once it has started. Never by `terminate()`: that stops a thread in
   * the middle of loading modules that wait for others, and V8 ends the whole process then ("Check failed: (location_) !=
   * nullptr" in AsyncModuleExecutionFulfilled, Node 24).
   */
  async close(): Promise<void> {
    if (!this.#closing) this.#worker.postMessage({ kind: 'close' } satisfies HashCommand);
    this.#closing = true;
    this.#worker.ref(); // whoever closes waits for it, and nothing else may keep the process alive until then
    await this.#exited;
  }

  #take(answer: HashAnswer): void {
    if (answer.kind === 'ready') this.ready = true;
    else this.#bodies.get(answer.body)?.take(answer);
  }
}

class ThreadHasher implements BodyHasher {
  readonly #body: number;
  readonly #tell: (command: HashCommand) => void;
  readonly #forget: () => void;
  /** One for each piece that the thread still needs, in order. */
  readonly #inUse: (() => void)[] = [];
  readonly #sums = Promise.withResolvers<BodySums>();
  #ending = false;
  #discarded = false;
  #failure: { readonly cause: unknown } | undefined;

  constructor(options: {
    readonly number: number;
    readonly tell: (command: HashCommand) => void;
    readonly forget: () => void;
  }) {
    this.#body = options.number;
    this.#tell = options.tell;
    this.#forget = options.forget;
    this.#sums.promise.catch(() => undefined); // whoever finishes is told; nobody may
  }

  update(piece: Piece, sizeBytes: number, used: () => void): void {
    if (this.#failure !== undefined) {
      used();
      return;
    }
    this.#inUse.push(used);
    this.#tell({ kind: 'update', body: this.#body, start: piece.start, sizeBytes });
  }

  finish(): Promise<BodySums> {
    this.#ending = true;
    if (this.#failure === undefined) this.#tell({ kind: 'finish', body: this.#body });
    return this.#sums.promise;
  }

  discard(): void {
    if (this.#ending || this.#failure !== undefined) return;
    this.#ending = true;
    this.#discarded = true;
    this.#tell({ kind: 'discard', body: this.#body });
    if (this.#inUse.length === 0) this.#forget();
  }

  take(answer: Exclude<HashAnswer, { readonly kind: 'ready' }>): void {
    if (answer.kind === 'used') {
      this.#inUse.shift()?.();
      if (this.#discarded && this.#inUse.length === 0) this.#forget();
      return;
    }
    this.#forget();
    this.#sums.resolve({ digests: new Map(answer.digests), checksums: answer.checksums });
  }

  fail(cause: unknown): void {
    this.#failure = { cause };
    this.#forget();
    for (const used of this.#inUse.splice(0)) used();
    this.#sums.reject(cause);
  }
}

class LocalHasher implements BodyHasher {
  readonly #hashes: BodyHashes;

  constructor(algorithms: readonly DigestAlgorithm[]) {
    this.#hashes = new BodyHashes(algorithms);
  }

  update(piece: Piece, sizeBytes: number, used: () => void): void {
    this.#hashes.update(piece.bytes.subarray(0, sizeBytes));
    used();
  }

  async finish(): Promise<BodySums> {
    return this.#hashes.finish();
  }

  discard(): void {
    // What was given was used at once.
  }
}

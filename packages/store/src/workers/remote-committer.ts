// The committer as a worker sees it: calls go out through a port, all of one turn of the event loop in one message, and are
// answered when they are durable and visible. What waits is bounded; beyond that, calls are refused as overloaded.

import type { MessagePort } from 'node:worker_threads';
import type { Abandon, StagedContent } from '../blobs/staged-content.ts';
import type { Committer, OperationCall, OperationName, OperationResult } from '../catalog/operations.ts';
import { StoreError } from '../store-error.ts';
import { packContent, type SentAnswer, type SentCall, unpackError, type WorkerMessage } from './wire.ts';

/** Calls of one worker that are not answered yet. */
const maxWaitingCalls = 10_000;
/** Bytes of bodies in them. */
const maxWaitingBytes = 128 * 1024 * 1024;

interface RemoteCommitterOptions {
  readonly port: MessagePort;
  /** Gives up bytes that a call was refused for before it went out; afterwards the committer does. */
  readonly abandon: Abandon;
}

interface Waiting {
  readonly sizeBytes: number;
  readonly resolve: (result: unknown) => void;
  readonly reject: (cause: unknown) => void;
}

export class RemoteCommitter implements Committer {
  readonly #options: RemoteCommitterOptions;
  readonly #waiting = new Map<number, Waiting>();
  #waitingBytes = 0;
  #outgoing: SentCall[] = [];
  #transfer: ArrayBuffer[] = [];
  #lastId = 0;
  #closed = false;
  #failure: StoreError | undefined;
  #idle: (() => void) | undefined;

  constructor(options: RemoteCommitterOptions) {
    this.#options = options;
  }

  /** Why nothing may be written any more, as far as this worker has been told. */
  get failure(): StoreError | undefined {
    return this.#failure;
  }

  async commit<Name extends OperationName>(call: OperationCall<Name>): Promise<OperationResult<Name>> {
    const { name, argument, content } = call;
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      if (content !== undefined) await this.#options.abandon(content);
      throw refusal;
    }
    this.#lastId += 1;
    const id = this.#lastId;
    const sizeBytes = sizeOf(content);
    this.#waitingBytes += sizeBytes;
    this.#outgoing.push({ id, name, argument, content: packContent(content, this.#transfer) });
    if (this.#outgoing.length === 1) setImmediate(() => this.#send());
    return new Promise<OperationResult<Name>>((resolve, reject) => {
      // `resolve` gets what the operation of this name answered, which is an OperationResult.
      this.#waiting.set(id, { sizeBytes, resolve: resolve as (result: unknown) => void, reject });
    });
  }

  take(answers: readonly SentAnswer[]): void {
    for (const answer of answers) {
      const waiting = this.#waiting.get(answer.id);
      if (waiting === undefined) continue;
      this.#forget(answer.id, waiting);
      if ('refusal' in answer) waiting.reject(this.#noteRefusal(unpackError(answer.refusal)));
      else waiting.resolve(answer.result);
    }
    if (this.#waiting.size === 0) this.#idle?.();
  }

  /** Stops writing in this worker at once; the committer is told by the caller. */
  fail(failure: StoreError): void {
    this.#failure ??= failure;
  }

  /** Takes nothing more; resolves when all that was taken is answered. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#waiting.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  /** The committer is gone: whether what waits was committed, nobody here can say. */
  disconnect(): void {
    this.#closed = true;
    for (const [id, waiting] of this.#waiting) {
      this.#forget(id, waiting);
      waiting.reject(new StoreError('Closed'));
    }
    this.#idle?.();
  }

  #forget(id: number, { sizeBytes }: Waiting): void {
    this.#waiting.delete(id);
    this.#waitingBytes -= sizeBytes;
  }

  #noteRefusal(refusal: Error): Error {
    if (refusal instanceof StoreError && refusal.code === 'ReadOnly') this.#failure ??= refusal;
    return refusal;
  }

  #refusal(): StoreError | undefined {
    if (this.#closed) return new StoreError('Closed');
    if (this.#failure !== undefined) return this.#failure;
    const overloaded = this.#waiting.size >= maxWaitingCalls || this.#waitingBytes >= maxWaitingBytes;
    return overloaded ? new StoreError('Overloaded') : undefined;
  }

  #send(): void {
    const message: WorkerMessage = { kind: 'calls', calls: this.#outgoing };
    const transfer = this.#transfer;
    this.#outgoing = [];
    this.#transfer = [];
    this.#options.port.postMessage(message, transfer);
  }
}

function sizeOf(content: StagedContent | undefined): number {
  return content?.kind === 'inline' ? content.bytes.length : 0;
}

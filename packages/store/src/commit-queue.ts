// Operations that wait for a batch, in order, as many as there may be.

import type { Operation } from './catalog/operation.ts';

/** Beyond it new ones are refused. */
const maxOperations = 100_000;
/** Of bodies; beyond it new ones are refused. */
const maxBodyBytes = 512 * 1024 * 1024;

/** An operation that waits, with the promise of whoever asked for it. */
export interface Waiting {
  readonly operation: Operation<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (cause: unknown) => void;
}

interface BatchLimits {
  readonly operations: number;
  /** Of bodies; one body more may come on top. */
  readonly bodyBytes: number;
}

export class CommitQueue {
  #waiting: Waiting[] = [];
  #bodyBytes = 0;

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  get isFull(): boolean {
    return this.#waiting.length >= maxOperations || this.#bodyBytes >= maxBodyBytes;
  }

  add(waiting: Waiting): void {
    this.#waiting.push(waiting);
    this.#bodyBytes += bodyBytesOf(waiting);
  }

  /** The first that wait, as many as make a batch. */
  take(limits: BatchLimits): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const waiting of this.#waiting) {
      if (count === limits.operations || bytes >= limits.bodyBytes) break;
      bytes += bodyBytesOf(waiting);
      count += 1;
    }
    this.#bodyBytes -= bytes;
    if (count < this.#waiting.length) return this.#waiting.splice(0, count);
    const all = this.#waiting;
    this.#waiting = [];
    return all;
  }

  /** To the head: what a batch did not come to. */
  putBack(rest: readonly Waiting[]): void {
    if (rest.length === 0) return;
    for (const waiting of rest) this.#bodyBytes += bodyBytesOf(waiting);
    this.#waiting = [...rest, ...this.#waiting];
  }
}

function bodyBytesOf({ operation: { content } }: Waiting): number {
  return content?.kind === 'inline' ? content.bytes.length : 0;
}

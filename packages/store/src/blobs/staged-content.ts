// A staged body: bytes that are written and hashed, waiting for a commit to take them over.

import type { DigestAlgorithm } from '@stowage/s3';
import type { StagedBody } from '../object-store.ts';
import type { MemoryBudget } from './memory-budget.ts';

/** Where staged bytes lie. */
export type StagedContent =
  /** In memory: the commit puts them into its journal record. */
  | { readonly kind: 'inline'; readonly bytes: Buffer; readonly checksums: Buffer }
  /** In a durable blob that nothing references yet. */
  | { readonly kind: 'blob'; readonly blobId: Buffer };

/** What a staged body goes back to when it is given up. */
export type Abandon = (content: StagedContent) => Promise<void>;

interface StagedParts extends Pick<StagedBody, 'sizeBytes' | 'digests'> {
  readonly content: StagedContent;
  readonly abandon: Abandon;
  /** What `memoryBytes` were taken from. */
  readonly memory: MemoryBudget;
  readonly memoryBytes: number;
}

export class StagedBytes implements StagedBody {
  readonly sizeBytes: number;
  readonly digests: ReadonlyMap<DigestAlgorithm, Uint8Array>;
  readonly #abandon: Abandon;
  readonly #memory: MemoryBudget;
  #memoryBytes: number;
  #content: StagedContent | undefined;

  constructor(body: StagedParts) {
    this.sizeBytes = body.sizeBytes;
    this.digests = body.digests;
    this.#content = body.content;
    this.#abandon = body.abandon;
    this.#memory = body.memory;
    this.#memoryBytes = body.memoryBytes;
  }

  /**
   * Takes the bytes out: from here on they are the taker's to commit or to give up. Their memory is counted until the taker
   * calls `release`.
   */
  static take(body: StagedBody): StagedContent {
    if (!(body instanceof StagedBytes)) throw new TypeError('The body was not staged by this store.');
    const content = body.#content;
    if (content === undefined) throw new TypeError('The staged body was committed or discarded before.');
    body.#content = undefined;
    return content;
  }

  /** Nobody needs the bytes in memory any more: they are committed, or given up. May be called twice. */
  static release(body: StagedBody): void {
    if (body instanceof StagedBytes) body.#giveMemoryBack();
  }

  #giveMemoryBack(): void {
    this.#memory.giveBack(this.#memoryBytes);
    this.#memoryBytes = 0;
  }

  async discard(): Promise<void> {
    const content = this.#content;
    if (content === undefined) return; // committed, or on its way there
    this.#content = undefined;
    this.#giveMemoryBack();
    await this.#abandon(content);
  }
}

// A staged body: bytes that are written and hashed, waiting for a commit to take them over.

import type { DigestAlgorithm } from '@stowage/s3';
import type { StagedBody } from '../object-store.ts';

/** Where staged bytes lie. */
export type StagedContent =
  /** In memory: the commit puts them into its journal record. */
  | { readonly kind: 'inline'; readonly bytes: Buffer; readonly checksums: Buffer }
  /** In a durable blob that nothing references yet. */
  | { readonly kind: 'blob'; readonly blobId: Buffer };

/** What a staged body goes back to when it is given up. */
export type Abandon = (content: StagedContent) => Promise<void>;

export class StagedBytes implements StagedBody {
  readonly sizeBytes: number;
  readonly digests: ReadonlyMap<DigestAlgorithm, Uint8Array>;
  readonly #abandon: Abandon;
  #content: StagedContent | undefined;

  constructor(
    body: Pick<StagedBody, 'sizeBytes' | 'digests'> & { readonly content: StagedContent; readonly abandon: Abandon },
  ) {
    this.sizeBytes = body.sizeBytes;
    this.digests = body.digests;
    this.#content = body.content;
    this.#abandon = body.abandon;
  }

  /** Takes the bytes out: from here on they are the taker's to commit or to give up. */
  static take(body: StagedBody): StagedContent {
    if (!(body instanceof StagedBytes)) throw new TypeError('The body was not staged by this store.');
    const content = body.#content;
    if (content === undefined) throw new TypeError('The staged body was committed or discarded before.');
    body.#content = undefined;
    return content;
  }

  async discard(): Promise<void> {
    const content = this.#content;
    this.#content = undefined;
    if (content !== undefined) await this.#abandon(content);
  }
}

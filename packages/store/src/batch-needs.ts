// What a batch must come to before it may be acknowledged: the strongest durability of its operations, and blobs that were
// written for a bucket of durability `memory` and are now named where more is promised (by a copy, or because the bucket was
// changed meanwhile): those are made durable first (invariant 1).

import { isDurableBlob } from './blobs/blob-file.ts';
import type { BucketDurabilities } from './bucket-durabilities.ts';
import type { Fact } from './catalog/facts.ts';
import { manifestKey } from './catalog/index-keys.ts';
import { manifestPart, manifestPartCount } from './catalog/manifest.ts';
import type { Operation } from './catalog/operation.ts';
import { decodePartRow } from './catalog/upload-rows.ts';
import { isInJournal, locationOf } from './catalog/version-row.ts';
import { stronger } from './durability.ts';
import type { Durability } from './object-store.ts';
import type { IndexReader } from './ordered-index/ordered-index.ts';

const strict: Durability = { level: 'strict' };

export class BatchNeeds {
  readonly #durabilities: BucketDurabilities;
  #durability: Durability = { level: 'memory' };
  readonly #looseBlobs: Buffer[] = [];

  constructor(durabilities: BucketDurabilities) {
    this.#durabilities = durabilities;
  }

  /** What the batch must be written with. */
  get durability(): Durability {
    return this.#durability;
  }

  /** Blobs to make durable before the batch is written. */
  get looseBlobs(): readonly Buffer[] {
    return this.#looseBlobs;
  }

  /** Adds an operation and the fact that came of it; `view` is what the fact was judged against. */
  add(operation: Operation<unknown>, fact: Fact, view: IndexReader): void {
    const needed = this.#durabilityOf(operation, fact);
    this.#durability = stronger(this.#durability, needed);
    if (needed.level === 'memory') return;
    for (const blobId of blobsOf(fact, view)) if (!isDurableBlob(blobId)) this.#looseBlobs.push(blobId);
  }

  #durabilityOf({ bucket, strict: always }: Operation<unknown>, fact: Fact): Durability {
    if (always === true) return strict;
    const durabilities = this.#durabilities;
    if (bucket === undefined) return durabilities.usual;
    const before = durabilities.of(bucket);
    if (fact.type !== 'bucketPut' && fact.type !== 'bucketDeleted') return before;
    // A change of the bucket itself is kept as well as either level asks for.
    durabilities.note(fact);
    return stronger(before, durabilities.of(bucket));
  }
}

/** The blobs that a fact adds a reference to. */
function blobsOf(fact: Fact, view: IndexReader): readonly Buffer[] {
  switch (fact.type) {
    case 'objectPut':
    case 'objectCopied':
    case 'uploadCompleted':
      return isInJournal(fact.row) ? none : blobsOfVersion(fact, view);
    case 'partPut':
      return [decodePartRow(fact.row).blobId];
    default:
      return none;
  }
}

const none: readonly Buffer[] = [];

function blobsOfVersion({ row, manifest }: Fact, view: IndexReader): readonly Buffer[] {
  const location = locationOf(row);
  if (location.kind === 'blob') return [location.blobId];
  if (location.kind !== 'manifest') return none;
  const parts = manifest ?? view.get(manifestKey(location.manifestId));
  if (parts === undefined) return none;
  return Array.from({ length: manifestPartCount(parts) }, (_, index) => manifestPart(parts, index).blobId);
}

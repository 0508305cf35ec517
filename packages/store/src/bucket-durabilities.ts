// Which buckets have a durability of their own: kept beside the index, so that a commit looks it up in a map. Buckets that
// are changed within a batch count at once for the batch's later operations, and for good when the batch is applied.

import { decodeBucketRow } from './catalog/bucket-row.ts';
import type { Fact } from './catalog/facts.ts';
import { keyspace, nameOf, wholeKeyspace } from './catalog/index-keys.ts';
import { durabilityKind, ownDurability } from './durability.ts';
import type { BucketDurability, Durability } from './object-store.ts';
import type { IndexReader } from './ordered-index/ordered-index.ts';

/** What health lists at most. */
const maxListed = 1000;

/** Only rows that hold it are decoded: most buckets have no durability of their own. */
const documentName = Buffer.from(JSON.stringify(durabilityKind));

export class BucketDurabilities {
  /** Of buckets that have none of their own. */
  readonly usual: Durability;
  readonly #own = new Map<string, Durability>();
  readonly #pending = new Map<string, Durability | undefined>();

  constructor(usual: Durability, index: IndexReader) {
    this.usual = usual;
    index.scan(wholeKeyspace(keyspace.bucket), (key, row) => {
      const own = ownOfRow(nameOf(key), row);
      if (own !== undefined) this.#own.set(nameOf(key), own);
      return true;
    });
  }

  of(bucket: string): Durability {
    if (this.#pending.size > 0 && this.#pending.has(bucket)) return this.#pending.get(bucket) ?? this.usual;
    return this.#own.get(bucket) ?? this.usual;
  }

  /** Takes note of a fact of the batch that is being formed. */
  note({ type, key, row }: Fact): void {
    if (type === 'bucketPut') this.#pending.set(nameOf(key), ownOfRow(nameOf(key), row));
    else if (type === 'bucketDeleted') this.#pending.set(nameOf(key), undefined);
  }

  /** The batch is applied. */
  settle(): void {
    if (this.#pending.size === 0) return;
    for (const [bucket, own] of this.#pending) {
      if (own === undefined) this.#own.delete(bucket);
      else this.#own.set(bucket, own);
    }
    this.#pending.clear();
  }

  /** The batch is given up. */
  drop(): void {
    this.#pending.clear();
  }

  /** Buckets with a durability of their own, the first thousand by name. */
  list(): readonly BucketDurability[] {
    return [...this.#own]
      .map(([bucket, durability]) => ({ bucket, durability }))
      .sort((a, b) => (a.bucket < b.bucket ? -1 : 1))
      .slice(0, maxListed);
  }
}

function ownOfRow(name: string, row: Buffer): Durability | undefined {
  return row.includes(documentName) ? ownDurability(decodeBucketRow(name, row).bucket) : undefined;
}

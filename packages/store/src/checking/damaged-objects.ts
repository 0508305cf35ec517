// Which objects a damaged stretch of a file concerns. The index knows where the bytes of each object lie, not what lies at a
// place, so this reads all of it once: damage is rare, and a report without names helps nobody.

import { blobIdOfName } from '../blobs/blob-file.ts';
import { bucketRowId } from '../catalog/bucket-row.ts';
import {
  bucketIdOf,
  keyBytesOf,
  keyspace,
  nameOf,
  parseUploadKey,
  uploadSequenceOf,
  wholeKeyspace,
} from '../catalog/index-keys.ts';
import { manifestPart, manifestPartCount } from '../catalog/manifest.ts';
import { decodePartRow } from '../catalog/upload-rows.ts';
import { locationOf, sequenceOf } from '../catalog/version-row.ts';
import { segmentNumber } from '../journal/segment.ts';
import type { ObjectAddress, StoreDamage } from '../object-store.ts';
import type { IndexReader } from '../ordered-index/ordered-index.ts';
import { rowPages } from '../ordered-index/row-pages.ts';

/** Objects named for one damage. */
const maxNamedObjects = 1000;

/** The same damages, each with the objects and unfinished uploads that an index says it concerns. */
export async function nameObjects(index: IndexReader, damages: readonly StoreDamage[]): Promise<StoreDamage[]> {
  if (damages.length === 0) return [];
  const search = new DamageSearch(index, damages);
  await search.run();
  return damages.map((damage, at) => withObjects(damage, search.found(at)));
}

/** Damage with more objects named. */
export function withObjects(damage: StoreDamage, objects: readonly ObjectAddress[]): StoreDamage {
  const named = [...(damage.objects ?? [])];
  const seen = new Set(named.map(addressName));
  for (const object of objects) {
    if (named.length >= maxNamedObjects) break;
    if (seen.has(addressName(object))) continue;
    seen.add(addressName(object));
    named.push({ bucket: object.bucket, key: object.key });
  }
  return named.length === 0 ? damage : { ...damage, objects: named };
}

/** Names of buckets by their ids, as one or several indexes know them. A bucket that is not there any more has none. */
export function bucketNames(...indexes: readonly IndexReader[]): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const index of indexes) {
    index.scan(wholeKeyspace(keyspace.bucket), (key, value) => {
      names.set(bucketRowId(value), nameOf(key));
      return true;
    });
  }
  return names;
}

export function addressName({ bucket, key }: ObjectAddress): string {
  return `${bucket}/${key}`;
}

interface Stretch {
  readonly at: number;
  readonly start: number;
  readonly end: number;
}

class DamageSearch {
  readonly #index: IndexReader;
  readonly #buckets: ReadonlyMap<number, string>;
  readonly #found = new Map<number, ObjectAddress[]>();
  /** Numbers of damages, by blob id in hex. */
  readonly #byBlob = new Map<string, number[]>();
  /** Damaged stretches of segments, by number of the segment. */
  readonly #bySegment = new Map<number, Stretch[]>();
  /** Ranges of records that cannot be read, the last one included. */
  readonly #byRecord: Stretch[] = [];
  readonly #byManifest = new Map<number, readonly number[]>();
  readonly #byUpload = new Map<number, readonly number[]>();

  constructor(index: IndexReader, damages: readonly StoreDamage[]) {
    this.#index = index;
    this.#buckets = bucketNames(index);
    for (const [at, damage] of damages.entries()) this.#note(at, damage);
  }

  found(at: number): readonly ObjectAddress[] {
    return this.#found.get(at) ?? [];
  }

  async run(): Promise<void> {
    await this.#each(keyspace.manifest, (key, value) => {
      const damages = new Set<number>();
      for (let part = 0; part < manifestPartCount(value); part += 1) {
        for (const at of this.#ofBlob(manifestPart(value, part).blobId)) damages.add(at);
      }
      if (damages.size > 0) this.#byManifest.set(key.readUIntBE(1, 6), [...damages]);
    });
    await this.#each(keyspace.part, (key, value) => {
      const damages = this.#ofBlob(decodePartRow(value).blobId);
      const upload = uploadSequenceOf(key);
      if (damages.length > 0) this.#byUpload.set(upload, [...(this.#byUpload.get(upload) ?? []), ...damages]);
    });
    await this.#each(keyspace.object, (key, value) => {
      const damages = this.#ofVersion(value);
      if (damages.length > 0) this.#name(bucketIdOf(key), keyBytesOf(key), damages);
    });
    await this.#each(keyspace.upload, (key) => {
      const { keyBytes, uploadSequence } = parseUploadKey(key);
      const damages = [...(this.#byUpload.get(uploadSequence) ?? []), ...this.#ofRecord(uploadSequence)];
      if (damages.length > 0) this.#name(bucketIdOf(key), keyBytes, damages);
    });
  }

  #note(at: number, { file, offset, sizeBytes, records }: StoreDamage): void {
    const name = file.slice(file.lastIndexOf('/') + 1);
    const blob = blobIdOfName(name)?.toString('hex');
    if (blob !== undefined) this.#byBlob.set(blob, [...(this.#byBlob.get(blob) ?? []), at]);
    const segment = segmentNumber(name);
    if (segment !== undefined) {
      const stretch = { at, start: offset, end: offset + sizeBytes };
      this.#bySegment.set(segment, [...(this.#bySegment.get(segment) ?? []), stretch]);
    }
    if (records !== undefined) this.#byRecord.push({ at, start: records.first, end: records.last + 1 });
  }

  async #each(
    space: (typeof keyspace)[keyof typeof keyspace],
    visit: (key: Buffer, value: Buffer) => void,
  ): Promise<void> {
    for (const page of rowPages(this.#index, wholeKeyspace(space))) {
      for (const { key, value } of page) visit(key, value);
      await new Promise(setImmediate); // requests are answered meanwhile
    }
  }

  #ofVersion(row: Buffer): readonly number[] {
    const location = locationOf(row);
    const damages = this.#ofRecord(sequenceOf(row));
    if (location.kind === 'blob') damages.push(...this.#ofBlob(location.blobId));
    if (location.kind === 'manifest') damages.push(...(this.#byManifest.get(location.manifestId) ?? []));
    if (location.kind === 'journal') {
      for (const { at, start, end } of this.#bySegment.get(location.segment) ?? []) {
        if (location.offset >= start && location.offset < end) damages.push(at);
      }
    }
    return damages;
  }

  #ofBlob(blobId: Buffer): readonly number[] {
    return this.#byBlob.size === 0 ? [] : (this.#byBlob.get(blobId.toString('hex')) ?? []);
  }

  #ofRecord(lsn: number): number[] {
    return this.#byRecord.filter(({ start, end }) => lsn >= start && lsn < end).map(({ at }) => at);
  }

  #name(bucketId: number, keyBytes: Buffer, damages: readonly number[]): void {
    const bucket = this.#buckets.get(bucketId) ?? `(bucket ${bucketId})`;
    for (const at of new Set(damages)) {
      const objects = this.#found.get(at) ?? [];
      if (objects.length < maxNamedObjects) objects.push({ bucket, key: keyBytes.toString() });
      this.#found.set(at, objects);
    }
  }
}

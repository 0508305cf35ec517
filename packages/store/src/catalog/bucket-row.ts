// The row of a bucket. Configuration documents are JSON within it: they are small, and read far more often than written.

import type { Bucket, JsonValue } from '../object-store.ts';
import { ByteReader, ByteWriter } from './byte-codec.ts';

export interface BucketRow {
  /** Names the bucket in the keys of its objects; the sequence of its creation, so never used twice. */
  readonly id: number;
  readonly bucket: Bucket;
}

const writer = new ByteWriter();

export function encodeBucketRow({ id, bucket }: BucketRow): Buffer {
  writer.start();
  writer.u48(id);
  writer.u48(bucket.createdAtMs);
  writer.text(bucket.owner);
  writer.text(bucket.region);
  writer.longText(JSON.stringify(bucket.configuration));
  return writer.take();
}

/** The id alone. */
export function bucketRowId(row: Buffer): number {
  return row.readUIntBE(0, 6);
}

export function decodeBucketRow(name: string, row: Buffer): BucketRow {
  const reader = new ByteReader(row);
  const id = reader.u48();
  const createdAtMs = reader.u48();
  const owner = reader.text();
  const region = reader.text();
  // encodeBucketRow wrote a record of JSON values.
  const configuration = JSON.parse(reader.longText()) as Record<string, JsonValue>;
  return { id, bucket: { name, owner, region, createdAtMs, configuration } };
}

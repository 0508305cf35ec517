// Reads what can be guessed of damaged records: a record whose checksum fails has mostly lost a few bytes, and its key may
// still be there. What comes of it is a hint for people and is used for nothing else.

import { bucketIdOf, keyBytesOf, keyspace } from '../catalog/index-keys.ts';
import { recordMagic } from '../journal/record.ts';
import { recordAlignment, recordHeadSizeBytes } from '../journal/record-layout.ts';
import type { ObjectAddress } from '../object-store.ts';

/** Longer keys do not exist. */
const maxIndexKeySizeBytes = 7 + 1024;
const maxNames = 100;

/** Objects whose keys seem to stand in some damaged bytes of the journal. */
export function salvageNames(bytes: Buffer, buckets: ReadonlyMap<number, string>): ObjectAddress[] {
  const names: ObjectAddress[] = [];
  for (let at = 0; at + recordHeadSizeBytes + 2 < bytes.length && names.length < maxNames; at += recordAlignment) {
    if (bytes.readUInt32BE(at) !== recordMagic) continue;
    const keyStart = at + recordHeadSizeBytes + 2;
    const key = bytes.subarray(keyStart, keyStart + bytes.readUInt16BE(keyStart - 2));
    if (key.length < 8 || key.length > maxIndexKeySizeBytes || key[0] !== keyspace.object) continue;
    const bucket = buckets.get(bucketIdOf(key));
    if (bucket !== undefined) names.push({ bucket, key: keyBytesOf(key).toString() });
  }
  return names;
}

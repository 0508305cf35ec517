// Keys of the index: which row stands where. All are byte strings, compared byte by byte, so that object keys sort in
// UTF-8 order, as S3 lists them. docs/format.md, "Index".
//
//   01 name                              state of the index itself
//   02 bucket name                       bucket
//   03 bucket(6) key                     current version of an object
//   05 bucket(6) key+1 00 upload(6)      unfinished upload
//   06 upload(6) part number(2)          part of an unfinished upload
//   07 manifest(6)                       which blobs make up an object that was uploaded in parts
//   08 blob(10)                          how often a blob is referenced
//   09 blob(10)                          a blob that nothing references any more: to be removed
//   0A segment(4)                        how much of a segment of the journal is live (references.ts)
//   0B cursor name                       how far a reader of changes has come (cursor-row.ts)
//   0C bucket(6)                         the name of a bucket, also when it is gone (bucket-names.ts)
//
// An object key needs no terminator because nothing follows it. Where something does, each byte of the key is raised by
// one (UTF-8 never reaches FF) so that 00 can end it: order stays, no two keys collide, and the length does not grow, which
// escaping would risk: LMDB takes 1978 bytes (ordered-index/key-bounds.ts). 04 is kept for versions that are no longer current.

/** S3's own limit. */
const maxKeySizeBytes = 1024;
/** The longest that S3 ever gave; a row of the index must find room for it, and a record of the journal. */
const maxBucketNameSizeBytes = 255;

export const keyspace = {
  state: 0x01,
  bucket: 0x02,
  object: 0x03,
  upload: 0x05,
  part: 0x06,
  manifest: 0x07,
  blob: 0x08,
  garbage: 0x09,
  segment: 0x0a,
  cursor: 0x0b,
  bucketName: 0x0c,
} as const;

type Keyspace = (typeof keyspace)[keyof typeof keyspace];

/** Length of the part of an object's index key that comes before its own key. */
const objectKeyStart = 7;

export function stateKey(name: string): Buffer {
  return Buffer.concat([Buffer.of(keyspace.state), Buffer.from(name)]);
}

/** The index key of a bucket; also for a name that no bucket can have, a prefix or a marker, of any length. */
export function bucketKey(name: string): Buffer {
  const bytes = Buffer.allocUnsafe(1 + Buffer.byteLength(name));
  bytes[0] = keyspace.bucket;
  bytes.write(name, 1, 'utf8');
  return bytes;
}

/** The index key of an object's current version. @throws RangeError when the key is not 1 to 1024 bytes of well-formed text. */
export function objectKey(bucketId: number, key: string): Buffer {
  requireKey(key);
  return prefixedKey(bucketId, key);
}

/** As `objectKey`, for a prefix or a marker, which may be empty or of any length. */
export function prefixedKey(bucketId: number, prefix: string): Buffer {
  const sizeBytes = Buffer.byteLength(prefix);
  const bytes = Buffer.allocUnsafe(objectKeyStart + sizeBytes);
  bytes[0] = keyspace.object;
  bytes.writeUIntBE(bucketId, 1, 6);
  bytes.write(prefix, objectKeyStart, 'utf8');
  return bytes;
}

/** The object key's own bytes within its index key. */
export function keyBytesOf(indexKey: Buffer): Buffer {
  return indexKey.subarray(objectKeyStart);
}

/** The same as text. */
export function keyTextOf(indexKey: Buffer): string {
  return indexKey.toString('utf8', objectKeyStart);
}

export function bucketIdOf(indexKey: Buffer): number {
  return indexKey.readUIntBE(1, 6);
}

export function uploadKey(bucketId: number, key: string, uploadSequence: number): Buffer {
  requireKey(key);
  const head = uploadPrefix(bucketId, key);
  const bytes = Buffer.allocUnsafe(head.length + 7);
  head.copy(bytes);
  bytes[head.length] = 0;
  bytes.writeUIntBE(uploadSequence, head.length + 1, 6);
  return bytes;
}

/** Where the uploads of a bucket stand whose key begins with `prefix`. */
export function uploadPrefix(bucketId: number, prefix: string): Buffer {
  const bytes = prefixedKey(bucketId, prefix);
  bytes[0] = keyspace.upload;
  for (let at = objectKeyStart; at < bytes.length; at += 1) bytes[at] = (bytes[at] ?? 0) + 1;
  return bytes;
}

/** The object key's bytes and the upload's sequence within an upload's index key. */
export function parseUploadKey(indexKey: Buffer): { readonly keyBytes: Buffer; readonly uploadSequence: number } {
  const end = indexKey.length - 7;
  const keyBytes = Buffer.allocUnsafe(end - objectKeyStart);
  for (let at = 0; at < keyBytes.length; at += 1) keyBytes[at] = (indexKey[objectKeyStart + at] ?? 0) - 1;
  return { keyBytes, uploadSequence: indexKey.readUIntBE(end + 1, 6) };
}

export function partKey(uploadSequence: number, partNumber: number): Buffer {
  const bytes = Buffer.allocUnsafe(9);
  bytes[0] = keyspace.part;
  bytes.writeUIntBE(uploadSequence, 1, 6);
  bytes.writeUInt16BE(partNumber, 7);
  return bytes;
}

/** The sequence of the upload that a part belongs to. */
export function uploadSequenceOf(partIndexKey: Buffer): number {
  return partIndexKey.readUIntBE(1, 6);
}

export function partNumberOf(indexKey: Buffer): number {
  return indexKey.readUInt16BE(7);
}

export function manifestKey(manifestId: number): Buffer {
  const bytes = Buffer.allocUnsafe(7);
  bytes[0] = keyspace.manifest;
  bytes.writeUIntBE(manifestId, 1, 6);
  return bytes;
}

export function blobKey(space: typeof keyspace.blob | typeof keyspace.garbage, blobId: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(1 + blobId.length);
  bytes[0] = space;
  blobId.copy(bytes, 1);
  return bytes;
}

export function segmentKey(segment: number): Buffer {
  const bytes = Buffer.allocUnsafe(5);
  bytes[0] = keyspace.segment;
  bytes.writeUInt32BE(segment, 1);
  return bytes;
}

export function cursorKey(name: string): Buffer {
  return Buffer.concat([Buffer.of(keyspace.cursor), Buffer.from(name)]);
}

export function bucketNameKey(bucketId: number): Buffer {
  const bytes = Buffer.allocUnsafe(7);
  bytes[0] = keyspace.bucketName;
  bytes.writeUIntBE(bucketId, 1, 6);
  return bytes;
}

/** The name in the index key of a bucket or a cursor. */
export function nameOf(indexKey: Buffer): string {
  return indexKey.toString('utf8', 1);
}

/** The first and the last-but-excluded key of a whole keyspace. */
export function wholeKeyspace(space: Keyspace): { readonly from: Buffer; readonly to: Buffer } {
  return { from: Buffer.of(space), to: Buffer.of(space + 1) };
}

/** The first key after all that begin with `prefix`. */
export function afterPrefix(prefix: Buffer): Buffer {
  let end = prefix.length;
  while (end > 0 && prefix[end - 1] === 0xff) end -= 1;
  const bytes = Buffer.from(prefix.subarray(0, end));
  bytes[end - 1] = (bytes[end - 1] ?? 0) + 1;
  return bytes;
}

/** The first key after `key`. */
export function afterKey(key: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(key.length + 1);
  key.copy(bytes);
  bytes[key.length] = 0;
  return bytes;
}

/** @throws RangeError when a bucket cannot have this name. What S3 allows beyond that is for whoever speaks S3 to say. */
export function requireBucketName(name: string): void {
  const sizeBytes = Buffer.byteLength(name);
  if (sizeBytes < 1 || sizeBytes > maxBucketNameSizeBytes) {
    throw new RangeError(
      `A bucket's name has 1 to ${maxBucketNameSizeBytes} bytes of UTF-8; this one has ${sizeBytes}.`,
    );
  }
  if (!name.isWellFormed()) {
    throw new RangeError("A bucket's name must be well-formed text: a lone surrogate has no UTF-8 form.");
  }
}

/** Whether an object can have this key: 1 to 1024 bytes of well-formed text. */
export function isObjectKey(key: string): boolean {
  const sizeBytes = Buffer.byteLength(key);
  return sizeBytes >= 1 && sizeBytes <= maxKeySizeBytes && key.isWellFormed();
}

function requireKey(key: string): void {
  if (isObjectKey(key)) return;
  const sizeBytes = Buffer.byteLength(key);
  if (sizeBytes < 1 || sizeBytes > maxKeySizeBytes) {
    throw new RangeError(`An object key has 1 to ${maxKeySizeBytes} bytes of UTF-8; this one has ${sizeBytes}.`);
  }
  throw new RangeError('An object key must be well-formed text: a lone surrogate has no UTF-8 form.');
}

// The checksum that a client announced of its bytes: signed into its requests where the endpoint was proven to compare, and
// compared here with what the bucket holds in any case. Of a file in parts whose checksums were announced part by part nothing is
// left to compare afterwards: there the endpoint alone judges.

import { createDigest } from '@stowage/s3';
import type { Bucket, MultipartChecksum, ObjectFacts } from '../bucket/bucket.ts';
import type { Capability, FoundCapabilities } from '../bucket/capabilities.ts';
import { type FileRecord, objectOf } from '../file-record.ts';

/** What an endpoint must have been proven to do, and its own name, for each algorithm. */
const algorithms = {
  crc32: { capability: 'checksumCrc32', name: 'CRC32' },
  crc64nvme: { capability: 'checksumCrc64nvme', name: 'CRC64NVME' },
  sha256: { capability: 'checksumSha256', name: 'SHA256' },
} as const satisfies Record<string, { readonly capability: Capability; readonly name: string }>;

type Announced = Pick<FileRecord, 'announcedAlgorithm' | 'announcedValue'>;

/** How the endpoint is to keep checksums of an upload in parts; `undefined`: not at all. */
export function announcedOf(file: Announced, found: FoundCapabilities): MultipartChecksum | undefined {
  const { announcedAlgorithm: algorithm, announcedValue: value } = file;
  if (algorithm === null || !found[algorithms[algorithm].capability]) return undefined;
  // Of a whole that was sent in parts only a CRC can be made out of theirs, and not every endpoint does it for CRC32.
  return value !== null && algorithm !== 'crc64nvme' ? undefined : { algorithm, value };
}

/** The header that binds a PUT to the announced bytes; `undefined` where the endpoint would not look at it. */
export function checksumHeader(
  { announcedAlgorithm: algorithm }: Announced,
  value: string | null,
  found: FoundCapabilities,
): Readonly<Record<string, string>> | undefined {
  if (algorithm === null || value === null || !found.signedChecksum) return undefined;
  return found[algorithms[algorithm].capability] ? { [`x-amz-checksum-${algorithm}`]: value } : undefined;
}

/** Why the bytes are not the announced ones; `undefined` when they are, or nothing was announced. Reads them all where the bucket does not tell. */
export async function compareAnnounced(
  file: FileRecord,
  { checksum, etag }: ObjectFacts,
  bucket: Pick<Bucket, 'read'>,
): Promise<string | undefined> {
  const { announcedAlgorithm: algorithm, announcedValue: expected } = file;
  if (algorithm === null || expected === null) return undefined;
  const { name } = algorithms[algorithm];
  const told = checksum?.algorithm === name && !checksum.composite ? checksum.value : undefined;
  const value = told ?? (await digestOf(file, name, etag, bucket));
  if (value === undefined) return 'The bytes in the bucket changed while they were being checked.';
  return value === expected ? undefined : `The ${algorithm} of the bytes is ${value}, but ${expected} was announced.`;
}

async function digestOf(
  file: FileRecord,
  name: (typeof algorithms)[keyof typeof algorithms]['name'],
  etag: string,
  bucket: Pick<Bucket, 'read'>,
): Promise<string | undefined> {
  const digest = createDigest(name);
  if (file.sizeBytes > 0) {
    const bytes = await bucket.read(objectOf(file), { etag });
    if (bytes === undefined) return undefined;
    for await (const chunk of bytes) digest.update(chunk);
  }
  return Buffer.from(digest.digest()).toString('base64');
}

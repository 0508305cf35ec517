// What the SDK's answers say of an object or a part, as facts of ours.
// Spec: HeadObject, ListParts; the checksum elements of both.

import type { AnnouncedAlgorithm } from '@stowage/contract';
import type { ObjectFacts } from './bucket.ts';
import { unavailable } from './bucket-requests.ts';

export const checksumNames = { crc32: 'CRC32', crc64nvme: 'CRC64NVME', sha256: 'SHA256' } as const satisfies Record<
  AnnouncedAlgorithm,
  string
>;

const checksumFields = [
  'ChecksumCRC64NVME',
  'ChecksumCRC32C',
  'ChecksumCRC32',
  'ChecksumSHA256',
  'ChecksumSHA1',
] as const;

type Checksums = { readonly [Field in (typeof checksumFields)[number]]?: string | undefined };
type Head = Checksums & {
  readonly [Field in 'ETag' | 'VersionId' | 'ChecksumType']?: string | undefined;
} & { readonly ContentLength?: number | undefined };

export function factsOf(answer: Head): ObjectFacts {
  if (answer.ContentLength === undefined || answer.ETag === undefined) {
    throw unavailable('head', new Error('The answer lacks Content-Length or ETag.'));
  }
  const checksum = checksumOf(answer);
  return {
    sizeBytes: answer.ContentLength,
    etag: answer.ETag,
    // Buckets without versioning say `null` or nothing.
    versionId: answer.VersionId === 'null' ? undefined : answer.VersionId,
    checksum:
      checksum === undefined
        ? undefined
        : { ...checksum, composite: answer.ChecksumType === 'COMPOSITE' || /-\d+$/.test(checksum.value) },
  };
}

export function checksumOf(answer: Checksums): { readonly algorithm: string; readonly value: string } | undefined {
  const field = checksumFields.find((candidate) => answer[candidate] !== undefined);
  const value = field === undefined ? undefined : answer[field];
  return field === undefined || value === undefined ? undefined : { algorithm: field.slice('Checksum'.length), value };
}

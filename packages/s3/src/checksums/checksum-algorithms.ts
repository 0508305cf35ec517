// The checksum algorithms of S3, as one table: header, element, length, and how a multipart object may carry them.
// Source: the ChecksumAlgorithm enumeration of AWS's service model and "Checking object integrity" of the user guide.
// Computing them is digest.ts; reading them from a request is checksum-request.ts.

/** How a multipart object's checksum is formed: hash of the part hashes, or the hash of all its bytes. */
export type ChecksumType = 'COMPOSITE' | 'FULL_OBJECT';

/** What a row of the algorithm table holds. */
interface ChecksumDescription {
  /** Header and trailer that carry the value, in lower case. */
  readonly header: `x-amz-checksum-${string}`;
  /** Element that carries the value in a document. */
  readonly element: `Checksum${string}`;
  /** Length of the raw value. */
  readonly lengthBytes: number;
  /** What a multipart upload may ask for; the first is what it gets when it does not ask. */
  readonly multipartTypes: readonly ChecksumType[];
}

export const checksumAlgorithms = {
  CRC32: {
    header: 'x-amz-checksum-crc32',
    element: 'ChecksumCRC32',
    lengthBytes: 4,
    multipartTypes: ['COMPOSITE', 'FULL_OBJECT'],
  },
  CRC32C: {
    header: 'x-amz-checksum-crc32c',
    element: 'ChecksumCRC32C',
    lengthBytes: 4,
    multipartTypes: ['COMPOSITE', 'FULL_OBJECT'],
  },
  CRC64NVME: {
    header: 'x-amz-checksum-crc64nvme',
    element: 'ChecksumCRC64NVME',
    lengthBytes: 8,
    multipartTypes: ['FULL_OBJECT'],
  },
  SHA1: {
    header: 'x-amz-checksum-sha1',
    element: 'ChecksumSHA1',
    lengthBytes: 20,
    multipartTypes: ['COMPOSITE'],
  },
  SHA256: {
    header: 'x-amz-checksum-sha256',
    element: 'ChecksumSHA256',
    lengthBytes: 32,
    multipartTypes: ['COMPOSITE'],
  },
  SHA512: {
    header: 'x-amz-checksum-sha512',
    element: 'ChecksumSHA512',
    lengthBytes: 64,
    multipartTypes: ['COMPOSITE'],
  },
  MD5: {
    header: 'x-amz-checksum-md5',
    element: 'ChecksumMD5',
    lengthBytes: 16,
    multipartTypes: ['COMPOSITE'],
  },
  XXHASH64: {
    header: 'x-amz-checksum-xxhash64',
    element: 'ChecksumXXHASH64',
    lengthBytes: 8,
    multipartTypes: ['COMPOSITE'],
  },
  XXHASH3: {
    header: 'x-amz-checksum-xxhash3',
    element: 'ChecksumXXHASH3',
    lengthBytes: 8,
    multipartTypes: ['COMPOSITE'],
  },
  XXHASH128: {
    header: 'x-amz-checksum-xxhash128',
    element: 'ChecksumXXHASH128',
    lengthBytes: 16,
    multipartTypes: ['COMPOSITE'],
  },
} as const satisfies Readonly<Record<string, ChecksumDescription>>;

/** The name of a checksum algorithm of S3. */
export type ChecksumAlgorithm = keyof typeof checksumAlgorithms;

/** What `createDigest` computes: every checksum algorithm; `MD5` and `SHA256` also serve ETag and signature. */
export type DigestAlgorithm = ChecksumAlgorithm;

/** All names, in the order of the service model. */
export const checksumAlgorithmNames: readonly ChecksumAlgorithm[] = Object.keys(
  checksumAlgorithms,
) as ChecksumAlgorithm[]; // Object.keys of a literal gives its own keys.

/** Whether `name` is an algorithm of the table. Upper case only, as S3 writes them. */
export function isChecksumAlgorithm(name: string): name is ChecksumAlgorithm {
  return Object.hasOwn(checksumAlgorithms, name);
}

/** Whether a multipart upload may form its checksum with this algorithm in this way. */
export function allowsChecksumType(algorithm: ChecksumAlgorithm, type: ChecksumType): boolean {
  const types: readonly ChecksumType[] = checksumAlgorithms[algorithm].multipartTypes;
  return types.includes(type);
}

/** What a multipart upload gets when it names an algorithm but no type. */
export function defaultChecksumType(algorithm: ChecksumAlgorithm): ChecksumType {
  return checksumAlgorithms[algorithm].multipartTypes[0];
}

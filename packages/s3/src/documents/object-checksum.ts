// The checksum of an object in a document: `<ChecksumCRC32>…</ChecksumCRC32><ChecksumType>…</ChecksumType>`.

import { type ChecksumAlgorithm, type ChecksumType, checksumAlgorithms } from '../checksums/checksum-algorithms.ts';
import { writeElement } from '../xml-writer.ts';

/** A stored checksum. `value` is base64, with `-<parts>` when it is composite. */
export interface DocumentChecksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly type: ChecksumType;
  readonly value: string;
}

/** The value and the type; nothing when there is no checksum. */
export function writeChecksum(checksum: DocumentChecksum | undefined): string {
  if (checksum === undefined) return '';
  return writeChecksumValue(checksum.algorithm, checksum.value) + writeElement('ChecksumType', checksum.type);
}

/** The value alone, as parts have it. */
export function writeChecksumValue(algorithm: ChecksumAlgorithm, value: string | undefined): string {
  return writeElement(checksumAlgorithms[algorithm].element, value);
}

// UploadPartCopy answers with `<CopyPartResult>`.

import type { ChecksumAlgorithm } from '../checksums/checksum-algorithms.ts';
import { writeDocument, writeEtag, writeTime } from '../xml-writer.ts';
import { writeChecksumValue } from './object-checksum.ts';

/** The part that a copy made. */
export interface CopyPartDocument {
  readonly etag: string;
  readonly lastModifiedMs: number;
  /** `value` is base64. */
  readonly checksum?: { readonly algorithm: ChecksumAlgorithm; readonly value: string } | undefined;
}

export function writeCopyPartDocument(part: CopyPartDocument): string {
  const { checksum } = part;
  return writeDocument(
    'CopyPartResult',
    writeTime('LastModified', part.lastModifiedMs) +
      writeEtag(part.etag) +
      (checksum === undefined ? '' : writeChecksumValue(checksum.algorithm, checksum.value)),
  );
}

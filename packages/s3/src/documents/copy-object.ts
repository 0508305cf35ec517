// CopyObject answers with `<CopyObjectResult>`.

import { writeDocument, writeEtag, writeTime } from '../xml-writer.ts';
import { type DocumentChecksum, writeChecksum } from './object-checksum.ts';

/** The object that a copy made. */
export interface CopyObjectDocument {
  readonly etag: string;
  readonly lastModifiedMs: number;
  readonly checksum?: DocumentChecksum | undefined;
}

export function writeCopyObjectDocument(copy: CopyObjectDocument): string {
  return writeDocument(
    'CopyObjectResult',
    writeTime('LastModified', copy.lastModifiedMs) + writeEtag(copy.etag) + writeChecksum(copy.checksum),
  );
}

// CreateMultipartUpload answers with `<InitiateMultipartUploadResult>`.

import { writeDocument, writeElement } from '../xml-writer.ts';

/** The upload that was begun. */
export interface CreateMultipartUploadDocument {
  readonly bucket: string;
  readonly key: string;
  readonly uploadId: string;
}

export function writeCreateMultipartUploadDocument(upload: CreateMultipartUploadDocument): string {
  return writeDocument(
    'InitiateMultipartUploadResult',
    writeElement('Bucket', upload.bucket) + writeElement('Key', upload.key) + writeElement('UploadId', upload.uploadId),
  );
}

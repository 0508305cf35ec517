// CreateMultipartUpload: fixes what the object will be, before any of its bytes are there.

import { parseChecksumChoice, writeCreateMultipartUploadDocument } from '@stowage/s3';
import type { Handler } from '../handler.ts';
import { documentResult } from '../result.ts';
import { uploadAttributes } from '../upload-attributes.ts';
import { ownerOf } from './put-object.ts';

export const createMultipartUpload: Handler = async (request, engine) => {
  const owner = ownerOf(request);
  const checksum = parseChecksumChoice(request.headers);
  const upload = await engine.store.createUpload({
    bucket: request.bucket,
    key: request.key,
    attributes: uploadAttributes(request, owner),
    initiator: owner,
    ...(checksum === undefined ? {} : { checksum }),
  });
  const headers =
    checksum === undefined
      ? []
      : ['x-amz-checksum-algorithm', checksum.algorithm, 'x-amz-checksum-type', checksum.type];
  return documentResult(writeCreateMultipartUploadDocument(upload), headers);
};

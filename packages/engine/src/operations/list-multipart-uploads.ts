// ListMultipartUploads: the unfinished uploads of a bucket, by key and then by when they began.

import { parseEncodingType, writeListMultipartUploadsDocument } from '@stowage/s3';
import type { Handler } from '../handler.ts';
import { queryPageSize, queryValue } from '../query.ts';
import { documentResult } from '../result.ts';
import { ownersOf } from './list-objects.ts';

export const listMultipartUploads: Handler = (request, engine) => {
  const { bucket, query } = request;
  const encodingType = parseEncodingType(queryValue(query, 'encoding-type'));
  const prefix = queryValue(query, 'prefix') ?? '';
  const delimiter = queryValue(query, 'delimiter') ?? '';
  const keyMarker = queryValue(query, 'key-marker') ?? '';
  // "If key-marker is not specified, the upload-id-marker parameter is ignored."
  const uploadIdMarker = keyMarker === '' ? '' : (queryValue(query, 'upload-id-marker') ?? '');
  const maxUploads = queryPageSize(query, 'max-uploads', engine.limits.pageKeys);
  const page = engine.store.listUploads({
    bucket,
    prefix,
    delimiter,
    afterKey: keyMarker,
    afterUploadId: uploadIdMarker,
    limit: maxUploads,
  });
  return documentResult(
    writeListMultipartUploadsDocument({
      bucket,
      prefix,
      delimiter,
      keyMarker,
      uploadIdMarker,
      maxUploads,
      encodingType,
      next: page.next === undefined ? undefined : { keyMarker: page.next.key, uploadIdMarker: page.next.uploadId },
      uploads: page.uploads.map((upload) => ({
        ...upload,
        owner: upload.attributes.owner,
        storageClass: upload.attributes.storageClass,
      })),
      commonPrefixes: page.commonPrefixes,
      ownerOf: ownersOf(engine),
    }),
  );
};

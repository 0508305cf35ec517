// ListParts: what has arrived of an unfinished upload; what a client that resumes asks first.

import { writeListPartsDocument } from '@stowage/s3';
import { findUpload } from '../found-upload.ts';
import type { Handler } from '../handler.ts';
import { queryPageSize } from '../query.ts';
import { documentResult } from '../result.ts';
import { ownersOf } from './list-objects.ts';

export const listParts: Handler = (request, engine) => {
  const { query } = request;
  const maxParts = queryPageSize(query, 'max-parts', engine.limits.pageKeys);
  const marker = queryPageSize(query, 'part-number-marker', Number.MAX_SAFE_INTEGER);
  const partNumberMarker = marker === Number.MAX_SAFE_INTEGER ? 0 : marker;
  const upload = findUpload(request, engine);
  const page = engine.store.listParts({ ...upload, after: partNumberMarker, limit: maxParts });
  const ownerOf = ownersOf(engine);
  return documentResult(
    writeListPartsDocument({
      ...upload,
      initiator: ownerOf(upload.initiator),
      owner: ownerOf(upload.attributes.owner),
      storageClass: upload.attributes.storageClass,
      partNumberMarker,
      nextPartNumberMarker: page.next,
      maxParts,
      parts: page.parts,
    }),
  );
};

// GetObjectTagging of objects that cannot have tags yet: an existing object has none, which is the truth. It is here
// before the operations that set tags because the AWS CLI asks for the tags of every large object that it copies.

import { writeTaggingDocument } from '@stowage/s3';
import type { Handler } from '../handler.ts';
import { documentResult } from '../result.ts';
import { noSuchKey } from './get-object.ts';

export const getObjectTagging: Handler = (request, engine) => {
  if (engine.store.headObject(request) === undefined) throw noSuchKey(request.key);
  return documentResult(writeTaggingDocument([]));
};

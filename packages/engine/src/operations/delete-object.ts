// DeleteObject: a key that is not there is deleted already. Conditions (If-Match and those on time and size) are judged by
// the store at the commit.

import { parseWriteConditions } from '@stowage/s3';
import type { Handler } from '../handler.ts';
import { emptyResult } from '../result.ts';

export const deleteObject: Handler = async (request, engine) => {
  const precondition = parseWriteConditions(request.headers);
  await engine.store.deleteObject({
    bucket: request.bucket,
    key: request.key,
    ...(precondition === undefined ? {} : { precondition }),
  });
  return emptyResult(204);
};

// AbortMultipartUpload: the upload and its parts are given up.

import { uploadAddress } from '../found-upload.ts';
import type { Handler } from '../handler.ts';
import { emptyResult } from '../result.ts';

export const abortMultipartUpload: Handler = async (request, engine) => {
  await engine.store.abortUpload(uploadAddress(request));
  return emptyResult(204);
};

// PutBucketCors, GetBucketCors and DeleteBucketCors. The rules take effect in cross-origin.ts.

import { readCorsConfigurationDocument, S3Error, writeCorsConfigurationDocument } from '@stowage/s3';
import { corsConfigurationKind, corsRules } from '../cross-origin.ts';
import { readDocument } from '../document-body.ts';
import type { Handler } from '../handler.ts';
import { documentResult, emptyResult } from '../result.ts';

export const putBucketCors: Handler = async (request, engine) => {
  const document = await readDocument(request, { maxBytes: engine.limits.documentBytes });
  const rules = readCorsConfigurationDocument(document);
  await engine.store.putBucketConfiguration(request.bucket, corsConfigurationKind, rules);
  return emptyResult(200);
};

export const getBucketCors: Handler = (request, engine) => {
  const rules = corsRules(engine.store.getBucket(request.bucket));
  if (rules === undefined) {
    throw new S3Error('NoSuchCORSConfiguration', undefined, { details: { BucketName: request.bucket } });
  }
  return documentResult(writeCorsConfigurationDocument(rules));
};

export const deleteBucketCors: Handler = async (request, engine) => {
  await engine.store.putBucketConfiguration(request.bucket, corsConfigurationKind, undefined);
  return emptyResult(204);
};

// CORS: what a browser's script of another origin may do with a bucket. A preflight is answered from the bucket's rules
// without a signature, as browsers send none; every other answer, an error too, carries the headers of the rule it meets.
// Spec: "Using cross-origin resource sharing" of the S3 user guide; the Fetch standard, section 3.2.

import { type CorsRule, corsHeaders, matchCors, parseRequestHeaderNames, S3Error } from '@stowage/s3';
import type { Bucket, JsonValue } from '@stowage/store';
import type { EngineContext } from './engine-context.ts';
import type { Address } from './locate.ts';
import type { Result } from './result.ts';
import type { ReceivedHead } from './s3-request.ts';
import { noSuchBucket } from './screen.ts';

/** The kind of configuration document that holds a bucket's rules. */
export const corsConfigurationKind = 'cors';

/** The rules of a bucket; `undefined` when it has none. */
export function corsRules(bucket: Bucket | undefined): readonly CorsRule[] | undefined {
  const document: JsonValue | undefined = bucket?.configuration[corsConfigurationKind];
  // Only PutBucketCors writes documents of this kind, and it writes rules.
  return document === undefined ? undefined : (document as unknown as readonly CorsRule[]);
}

/** The CORS headers that an answer to this request carries; none without an Origin, or when no rule is met. */
export function crossOriginHeaders(engine: EngineContext, address: Address, head: ReceivedHead): readonly string[] {
  const origin = head.headers.origin;
  if (origin === undefined || address.bucket === '' || head.method === 'OPTIONS') return none;
  const rules = corsRules(engine.store.getBucket(address.bucket));
  if (rules === undefined) return none;
  const request = { origin, method: head.method, requestHeaders: [] };
  const rule = matchCors(rules, request);
  return rule === undefined ? none : corsHeaders(rule, request);
}

const none: readonly string[] = [];

/** @throws S3Error `NoSuchBucket`, `BadRequest` for what is no preflight, `AccessForbidden` when no rule allows it. */
export function preflight(engine: EngineContext, address: Address, head: ReceivedHead): Result {
  const origin = head.headers.origin;
  const method = head.headers['access-control-request-method'];
  if (origin === undefined) {
    throw new S3Error('BadRequest', 'Insufficient information. Origin request header needed.');
  }
  if (method === undefined) {
    throw new S3Error('BadRequest', 'Invalid Access-Control-Request-Method: null');
  }
  const bucket = address.bucket === '' ? undefined : engine.store.getBucket(address.bucket);
  if (address.bucket !== '' && bucket === undefined) throw noSuchBucket(address.bucket);
  const rules = corsRules(bucket);
  if (rules === undefined) throw forbidden('CORSResponse: CORS is not enabled for this bucket.', method);
  const request = {
    origin,
    method,
    requestHeaders: parseRequestHeaderNames(head.headers['access-control-request-headers']),
  };
  const rule = matchCors(rules, request);
  if (rule === undefined) {
    throw forbidden(
      'CORSResponse: This CORS request is not allowed: no rule of the bucket allows this origin, method and headers together.',
      method,
    );
  }
  return { status: 200, headers: corsHeaders(rule, request) };
}

function forbidden(message: string, method: string): S3Error {
  return new S3Error('AccessForbidden', message, { details: { Method: method, ResourceType: 'BUCKET' } });
}

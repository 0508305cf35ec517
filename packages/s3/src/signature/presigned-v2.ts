// Presigned URLs of Signature Version 2: `?AWSAccessKeyId=…&Expires=…&Signature=…`. boto3 and the AWS CLI still make these
// by default for `presign`, so refusing them would break both. Version 2 in the Authorization header stays refused.
// Spec: "Signing and authenticating REST requests" of the S3 user guide, section on query string authentication.

import { createHmac } from 'node:crypto';
import { S3Error } from '../errors.ts';
import { sameText } from './compare-signatures.ts';
import type { SignedRequest } from './signed-request.ts';
import { formatIsoSeconds } from './timestamp.ts';

/** What a URL of version 2 presents; nothing of it is verified yet. */
export interface PresignedV2 {
  readonly accessKeyId: string;
  /** Seconds since 1970, as signed. */
  readonly expires: string;
  /** base64. */
  readonly signature: string;
  readonly sessionToken: string | undefined;
}

/**
 * Reads it from the query; `undefined` when the request is not presigned by version 2, or is signed otherwise as well.
 * @throws S3Error `AccessDenied` when a parameter is missing, given twice or is no number.
 */
export function parsePresignedV2(request: SignedRequest): PresignedV2 | undefined {
  if (request.query.length === 0 || (request.headers.authorization ?? '') !== '') return undefined;
  const found = new Map<string, string>();
  let sessionToken = request.headers['x-amz-security-token'];
  for (const [name, value] of request.query) {
    if (name === 'X-Amz-Signature' || name === 'X-Amz-Algorithm' || name === 'X-Amz-Credential') return undefined;
    if (name === 'x-amz-security-token') sessionToken ??= value;
    if (name !== 'AWSAccessKeyId' && name !== 'Signature' && name !== 'Expires') continue;
    if (found.has(name)) throw malformed(`${name} is given twice.`);
    found.set(name, value);
  }
  const accessKeyId = found.get('AWSAccessKeyId');
  const signature = found.get('Signature');
  const expires = found.get('Expires');
  if (accessKeyId === undefined && signature === undefined) return undefined;
  if (accessKeyId === undefined || signature === undefined || expires === undefined) {
    throw malformed('Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters');
  }
  if (!/^\d{1,12}$/.test(expires)) throw malformed(`Invalid date (should be seconds since epoch): ${expires}`);
  return { accessKeyId, expires, signature, sessionToken };
}

export interface VerifyPresignedV2Options {
  readonly secretAccessKey: string;
  readonly nowMs: number;
  /** The bucket, when the host names it: it is signed as the beginning of the path. */
  readonly hostBucket: string | undefined;
}

/** @throws S3Error `AccessDenied` (expired), `SignatureDoesNotMatch`. */
export function verifyPresignedV2(
  request: SignedRequest,
  presigned: PresignedV2,
  options: VerifyPresignedV2Options,
): void {
  const expiresAtMs = Number(presigned.expires) * 1000;
  if (options.nowMs > expiresAtMs) {
    throw new S3Error('AccessDenied', 'Request has expired', {
      details: { Expires: formatIsoSeconds(expiresAtMs), ServerTime: formatIsoSeconds(options.nowMs) },
    });
  }
  const toSign = presignedStringToSignV2(request, presigned.expires, options.hostBucket);
  const expected = createHmac('sha1', options.secretAccessKey).update(toSign, 'utf8').digest('base64');
  if (sameText(expected, presigned.signature)) return;
  throw new S3Error('SignatureDoesNotMatch', undefined, {
    details: { AWSAccessKeyId: presigned.accessKeyId, StringToSign: toSign, SignatureProvided: presigned.signature },
  });
}

function presignedStringToSignV2(request: SignedRequest, expires: string, hostBucket: string | undefined): string {
  const { method, headers } = request;
  const contentMd5 = headers['content-md5'] ?? '';
  const contentType = headers['content-type'] ?? '';
  const resource = `${hostBucket === undefined ? '' : `/${hostBucket}`}${request.rawPath}${subResources(request)}`;
  return `${method}\n${contentMd5}\n${contentType}\n${expires}\n${amzHeaders(request)}${resource}`;
}

/** "CanonicalizedAmzHeaders": those in the query stand for headers, unless the header is there too. */
function amzHeaders(request: SignedRequest): string {
  const values = new Map<string, string>();
  for (const [name, value] of request.query) if (name.startsWith('x-amz-')) values.set(name, value);
  for (const name in request.headers) {
    const value = request.headers[name];
    if (name.startsWith('x-amz-') && value !== undefined) values.set(name, value);
  }
  const names = [...values.keys()].sort();
  return names.map((name) => `${name}:${(values.get(name) ?? '').trim().replace(/\s+/g, ' ')}\n`).join('');
}

/** "CanonicalizedResource", point 4: what of the query is signed. Values are signed decoded. */
function subResources(request: SignedRequest): string {
  const signed = request.query.filter(([name]) => signedParameters.has(name));
  if (signed.length === 0) return '';
  const sorted = [...signed].sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
  return `?${sorted.map(([name, value]) => (value === '' ? name : `${name}=${value}`)).join('&')}`;
}

const signedParameters: ReadonlySet<string> = new Set([
  'accelerate',
  'acl',
  'analytics',
  'cors',
  'defaultObjectAcl',
  'delete',
  'inventory',
  'lifecycle',
  'location',
  'logging',
  'metrics',
  'notification',
  'object-lock',
  'partNumber',
  'policy',
  'replication',
  'requestPayment',
  'response-cache-control',
  'response-content-disposition',
  'response-content-encoding',
  'response-content-language',
  'response-content-type',
  'response-expires',
  'restore',
  'select',
  'select-type',
  'storageClass',
  'tagging',
  'torrent',
  'uploadId',
  'uploads',
  'versionId',
  'versioning',
  'versions',
  'website',
]);

function malformed(message: string): S3Error {
  return new S3Error('AccessDenied', message);
}

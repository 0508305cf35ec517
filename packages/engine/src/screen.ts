// What is checked alike for every operation, after it is allowed and before it runs: that the bucket is there and is the
// one the client means, and that nothing is asked for that is not built. A header that would be dropped silently (an
// encryption, a lock, an ACL) is refused by name: to ignore it would be to lie.

import { type OperationName, operations, parseStorageClass, S3Error } from '@stowage/s3';
import type { Bucket } from '@stowage/store';
import type { Address } from './locate.ts';
import { queryValue } from './query.ts';
import type { ReceivedHead } from './s3-request.ts';

/** @throws S3Error `NoSuchBucket`, `AccessDenied` (another owner than expected), `InvalidArgument`, `NotImplemented`. */
export function screen(
  operation: OperationName,
  address: Address,
  head: ReceivedHead,
  bucket: Bucket | undefined,
): void {
  if (operations[operation].level !== 'service' && operation !== 'CreateBucket') {
    if (bucket === undefined) throw noSuchBucket(address.bucket);
    checkExpectedOwner(bucket, expectedOwner(head));
  }
  if (head.query.length > 0) screenQuery(head);
  for (const name in head.headers) {
    if (name.startsWith('x-amz-')) refuseUnbuilt(name, head.headers[name] ?? '');
  }
}

/** @throws S3Error `AccessDenied` when the owner is not the one that the client expects. */
export function checkExpectedOwner(bucket: Bucket, expected: string | undefined): void {
  if (expected !== undefined && expected !== bucket.owner) throw new S3Error('AccessDenied');
}

export function noSuchBucket(name: string): S3Error {
  return new S3Error('NoSuchBucket', undefined, { details: { BucketName: name } });
}

/** A presigned URL may carry it in the query; dropped there, it would protect nobody. */
function expectedOwner(head: ReceivedHead): string | undefined {
  const name = 'x-amz-expected-bucket-owner';
  return head.headers[name] ?? (head.query.length === 0 ? undefined : queryValue(head.query, name));
}

function screenQuery(head: ReceivedHead): void {
  const versionId = queryValue(head.query, 'versionId');
  if (versionId !== undefined) checkVersionId(versionId);
  for (const [name, value] of head.query) {
    if (signatureParameters.has(name)) continue;
    const lower = name.toLowerCase();
    if (!lower.startsWith('x-amz-')) continue;
    refuseUnbuilt(lower, value);
    if (isUnderstoodInQuery(lower) || head.headers[lower] !== undefined) continue;
    // SDKs put every header of a presigned request there. One that is not read there would be lost without a word.
    throw notImplemented(`${name} in the query; send it as a header`, name);
  }
}

/** Signatures, what is read from the query, and what may be left unread: the checksum of a body that is not there yet. */
function isUnderstoodInQuery(name: string): boolean {
  return queryHeaders.has(name) || name.startsWith('x-amz-meta-') || name.startsWith('x-amz-checksum-');
}

/** What every presigned URL has, as SDKs write it: spares looking at each more closely. */
const signatureParameters: ReadonlySet<string> = new Set([
  'X-Amz-Algorithm',
  'X-Amz-Content-Sha256',
  'X-Amz-Credential',
  'X-Amz-Date',
  'X-Amz-Expires',
  'X-Amz-Security-Token',
  'X-Amz-Signature',
  'X-Amz-SignedHeaders',
]);

const queryHeaders: ReadonlySet<string> = new Set([
  'x-amz-acl',
  'x-amz-algorithm',
  'x-amz-bucket-object-lock-enabled',
  'x-amz-content-sha256',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-expected-bucket-owner',
  'x-amz-expires',
  'x-amz-object-ownership',
  'x-amz-request-payer',
  'x-amz-sdk-checksum-algorithm',
  'x-amz-security-token',
  'x-amz-signature',
  'x-amz-signedheaders',
  'x-amz-storage-class',
  'x-amz-tagging',
  'x-amz-user-agent',
  'x-amz-website-redirect-location',
]);

/** Buckets without versioning hold one version of each key, whose id is `null`. @throws S3Error `InvalidArgument`. */
export function checkVersionId(versionId: string): void {
  if (versionId === 'null') return;
  throw new S3Error('InvalidArgument', 'Invalid version id specified: without versioning the only version is null.', {
    details: { ArgumentName: 'versionId', ArgumentValue: versionId },
  });
}

/** Values that mean no more than what happens anyway; every other value of these headers is refused. */
const harmlessValues: ReadonlyMap<string, readonly string[]> = new Map([
  ['x-amz-acl', ['', 'private', 'bucket-owner-full-control']],
  ['x-amz-tagging', ['']],
  ['x-amz-bucket-object-lock-enabled', ['false', 'False']],
  ['x-amz-object-ownership', ['BucketOwnerEnforced']],
  ['x-amz-object-annotation-directive', []],
  ['x-amz-write-offset-bytes', []],
  ['x-amz-bucket-namespace', ['global']],
  ['x-amz-server-side-encryption', []],
]);

const unbuiltPrefixes = [
  'x-amz-server-side-encryption-',
  'x-amz-copy-source-server-side-encryption-',
  'x-amz-object-lock-',
  'x-amz-grant-',
] as const;

/** Classes whose objects can be read at once, so that keeping the name is all there is to them. */
const immediateClasses: readonly string[] = [
  'STANDARD',
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER_IR',
];

/** @throws S3Error `NotImplemented` for a header that asks for what is not built, `InvalidStorageClass`. */
export function refuseUnbuilt(name: string, value: string): void {
  if (name === 'x-amz-storage-class') {
    const storageClass = parseStorageClass({ 'x-amz-storage-class': value });
    if (!immediateClasses.includes(storageClass)) throw notImplemented(`storage class ${storageClass}`, name);
    return;
  }
  const harmless = harmlessValues.get(name);
  if (harmless !== undefined) {
    if (!harmless.includes(value)) throw notImplemented(`${name}: ${value}`, name);
    return;
  }
  for (const prefix of unbuiltPrefixes) if (name.startsWith(prefix)) throw notImplemented(name, name);
}

function notImplemented(what: string, header: string): S3Error {
  return new S3Error('NotImplemented', `A header you provided implies functionality that is not implemented: ${what}`, {
    details: { Header: header },
  });
}

// Whether the requester may do this. So far an account may do everything with its own buckets and nothing with another's,
// and who did not sign may do nothing. Policies, ACLs and users come with IAM and decide here.

import { type OperationName, operations, S3Error } from '@stowage/s3';
import type { Bucket } from '@stowage/store';
import type { Account } from './accounts.ts';

interface AuthorizeOptions {
  readonly operation: OperationName;
  readonly requester: Account | undefined;
  /** The bucket that the request names, if there is such a bucket. */
  readonly bucket: Bucket | undefined;
}

/** @throws S3Error `AccessDenied`. */
export function authorize({ operation, requester, bucket }: AuthorizeOptions): void {
  // A form is signed in its body: its handler asks again, when it knows who posted it.
  if (operation === 'PostObject') return;
  const needsBucket = operations[operation].level !== 'service' && operation !== 'CreateBucket';
  // That a bucket does not exist is told to anyone, as S3 does: see screen.ts.
  if (needsBucket && bucket === undefined) return;
  if (requester === undefined) throw new S3Error('AccessDenied');
  if (needsBucket) authorizeOwner(requester, bucket);
}

/** @throws S3Error `AccessDenied` unless the bucket belongs to the requester. */
export function authorizeOwner(requester: Account | undefined, bucket: Bucket | undefined): void {
  if (requester === undefined || bucket?.owner !== requester.id) throw new S3Error('AccessDenied');
}

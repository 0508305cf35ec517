// Verifies a signed form upload: first that the policy was signed, then that the form keeps to it.
// Spec: "Authenticating Requests in Browser-Based Uploads Using POST" of the S3 API reference; the older signature is
// that of "Signing and Authenticating REST Requests" (HMAC-SHA1 over the base64 policy).

import { createHmac } from 'node:crypto';
import { S3Error } from '../errors.ts';
import { sameHexSignature, sameText } from './compare-signatures.ts';
import type { PostAuthentication, PostFields } from './post-form.ts';
import { type ContentLengthRange, judgePostPolicy, parsePostPolicy } from './post-policy.ts';
import type { SigningKeys } from './signing-keys.ts';

export interface VerifyPostPolicyOptions {
  /** The secret of the access key that the form names. */
  readonly secretAccessKey: string;
  readonly nowMs: number;
  readonly signingKeys: SigningKeys;
  /** The region that the credential must name; by default any. */
  readonly region?: string | undefined;
  /** The bucket that the URL names. It stands for the form's own `bucket` field, and the policy must allow it. */
  readonly bucket: string;
  /** The key that will be written, as `postObjectKey` gives it. */
  readonly key: string;
}

/**
 * Returns when the form is signed by the secret and keeps to its policy; what it returns must be enforced while the file
 * streams. Throws `SignatureDoesNotMatch`, `AuthorizationQueryParametersError` (wrong region or service),
 * `InvalidPolicyDocument` and `AccessDenied` (expired, a condition failed, a field not covered).
 */
export function verifyPostPolicy(
  fields: PostFields,
  authentication: Exclude<PostAuthentication, { mechanism: 'anonymous' }>,
  options: VerifyPostPolicyOptions,
): { readonly contentLengthRange: ContentLengthRange | undefined } {
  if (!hasSignature(authentication, options)) {
    throw new S3Error('SignatureDoesNotMatch', undefined, {
      details: {
        AWSAccessKeyId: authentication.accessKeyId,
        StringToSign: authentication.policy,
        SignatureProvided: authentication.signature,
      },
    });
  }
  const policy = parsePostPolicy(authentication.policy);
  const judged = new Map(fields).set('bucket', options.bucket).set('key', options.key);
  return judgePostPolicy(policy, judged, options.nowMs);
}

function hasSignature(
  authentication: Exclude<PostAuthentication, { mechanism: 'anonymous' }>,
  options: VerifyPostPolicyOptions,
): boolean {
  const { secretAccessKey, signingKeys, region } = options;
  if (authentication.mechanism === 'post-v2') {
    const expected = createHmac('sha1', secretAccessKey).update(authentication.policy, 'utf8').digest('base64');
    return sameText(expected, authentication.signature);
  }
  const { scope, accessKeyId } = authentication;
  if (scope.service !== 's3') throw wrongScope(`incorrect service "${scope.service}". This endpoint belongs to "s3".`);
  if (region !== undefined && scope.region !== region) {
    throw wrongScope(`the region '${scope.region}' is wrong; expecting '${region}'`, region);
  }
  const key = signingKeys.get(accessKeyId, secretAccessKey, scope);
  return sameHexSignature(key.sign(authentication.policy), authentication.signature);
}

function wrongScope(problem: string, expectedRegion?: string): S3Error {
  return new S3Error(
    'AuthorizationQueryParametersError',
    `Error parsing the X-Amz-Credential parameter; ${problem}`,
    expectedRegion === undefined ? {} : { details: { Region: expectedRegion } },
  );
}

// Signs the policy of a browser's form upload and gives the fields of the form.
// Spec: "Authenticating Requests in Browser-Based Uploads Using POST" of the S3 API reference (Signature Version 4).

import { signatureAlgorithm } from './authentication.ts';
import { fileNamePlaceholder } from './post-form.ts';
import { scopeOf } from './sign-request.ts';
import type { SigningCredentials } from './signed-request.ts';
import type { SigningKeys } from './signing-keys.ts';
import { formatTimestamp } from './timestamp.ts';

/** A condition as it stands in the policy document; a field's name begins with `$` in the lists. */
export type PostPolicyCondition =
  | readonly ['eq' | 'starts-with', `$${string}`, string]
  | readonly ['content-length-range', minBytes: number, maxBytes: number]
  | Readonly<Record<string, string>>;

export interface SignPostPolicyOptions {
  readonly bucket: string;
  /** The form's `key`. With `${filename}` at its end the user's file name is put there; a condition is made to match. */
  readonly key: string;
  /** More fields of the form, such as `Content-Type` or `x-amz-meta-…`; each is fixed to its value by a condition. */
  readonly fields?: Readonly<Record<string, string>>;
  /** More conditions, such as `['content-length-range', 1, 1_048_576]`. */
  readonly conditions?: readonly PostPolicyCondition[];
  /** Until when the form may be posted. */
  readonly expiresAtMs: number;
  readonly credentials: SigningCredentials;
  readonly region: string;
  readonly nowMs: number;
  readonly signingKeys: SigningKeys;
}

/** The form's fields, to be sent in this order and before `file`. */
export function signPostPolicy(options: SignPostPolicyOptions): Readonly<Record<string, string>> {
  const { credentials } = options;
  const timestamp = formatTimestamp(options.nowMs);
  const scope = scopeOf({ region: options.region }, timestamp);
  const fixed: Record<string, string> = {
    ...options.fields,
    bucket: options.bucket,
    'x-amz-algorithm': signatureAlgorithm,
    'x-amz-credential': `${credentials.accessKeyId}/${scope.text}`,
    'x-amz-date': timestamp,
  };
  if (credentials.sessionToken !== undefined) fixed['x-amz-security-token'] = credentials.sessionToken;
  const conditions: PostPolicyCondition[] = [
    ...Object.entries(fixed).map(([name, value]) => ({ [name]: value })),
    keyCondition(options.key),
    ...(options.conditions ?? []),
  ];
  const document = { expiration: new Date(options.expiresAtMs).toISOString(), conditions };
  const policy = Buffer.from(JSON.stringify(document), 'utf8').toString('base64');
  const key = options.signingKeys.get(credentials.accessKeyId, credentials.secretAccessKey, scope);
  return { key: options.key, ...fixed, policy, 'x-amz-signature': key.sign(policy) };
}

function keyCondition(key: string): PostPolicyCondition {
  const at = key.indexOf(fileNamePlaceholder);
  return at === -1 ? { key } : ['starts-with', '$key', key.slice(0, at)];
}

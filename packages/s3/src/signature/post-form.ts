// The fields of a browser's form upload: read once, judged and used from the same map.
// Spec: "Browser-Based Uploads Using POST" and "POST Object" of the S3 API reference. Reading multipart/form-data is the
// engine's affair; the policy is judged by post-policy.ts, its signature by verify-post-policy.ts.

import { S3Error } from '../errors.ts';
import { type CredentialScope, parseCredential, signatureAlgorithm } from './authentication.ts';
import { parseTimestamp } from './timestamp.ts';

/** The form's fields before the file, by lower-case name. */
export type PostFields = ReadonlyMap<string, string>;

/** What stands in a form's key for the name of the user's file. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: S3's own placeholder, not a template.
export const fileNamePlaceholder = '${filename}';

/** How a form is signed, told apart by `mechanism`. */
export type PostAuthentication =
  /** No policy: allowed only where anyone may write. */
  | { readonly mechanism: 'anonymous' }
  | {
      readonly mechanism: 'post-v4';
      readonly accessKeyId: string;
      readonly scope: CredentialScope;
      /** The policy as it is in the form, base64: this text is what is signed. */
      readonly policy: string;
      readonly signature: string;
      readonly sessionToken: string | undefined;
    }
  // Signature Version 2 is refused everywhere else. Form policies signed so are still about: pages that were generated
  // once and kept, and the public S3 test suite, whose forms are all signed this way.
  | {
      readonly mechanism: 'post-v2';
      readonly accessKeyId: string;
      readonly policy: string;
      readonly signature: string;
      readonly sessionToken: string | undefined;
    };

/** Makes the fields' map. Names are the same in any case; one given twice is refused (`InvalidArgument`). */
export function readPostFields(fields: Iterable<readonly [name: string, value: string]>): PostFields {
  const map = new Map<string, string>();
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    // Two values would leave it open which one the policy allowed.
    if (map.has(lower)) throw invalidField(name, `The form field '${name}' is given more than once.`);
    map.set(lower, value);
  }
  return map;
}

/**
 * The key that a form names, with `${filename}` replaced by the last segment of the file's name. Throws
 * `InvalidArgument` when the form has no `key`, or one that is empty then.
 */
export function postObjectKey(fields: PostFields, fileName: string): string {
  const key = fields.get('key');
  if (key === undefined || key === '') throw missingField('key');
  // Old browsers send the whole path of the file, of either kind.
  const name = fileName.slice(Math.max(fileName.lastIndexOf('/'), fileName.lastIndexOf('\\')) + 1);
  const named = key.replaceAll(fileNamePlaceholder, () => name);
  if (named === '') throw missingField('key');
  return named;
}

/** Reads how a form is signed. Throws `InvalidArgument` for a missing or malformed field. */
export function parsePostAuthentication(fields: PostFields): PostAuthentication {
  const policy = fields.get('policy');
  const version4 = fields.has('x-amz-signature') || fields.has('x-amz-credential') || fields.has('x-amz-algorithm');
  const version2 = fields.has('signature') || fields.has('awsaccesskeyid');
  if (policy === undefined && !version4 && !version2) return { mechanism: 'anonymous' };
  if (version4 && version2) {
    throw new S3Error('InvalidArgument', 'Only one auth mechanism allowed: the form is signed in two ways.');
  }
  if (policy === undefined) throw missingField('policy');
  const sessionToken = fields.get('x-amz-security-token');
  if (!version4) {
    const accessKeyId = requiredField(fields, 'AWSAccessKeyId');
    return { mechanism: 'post-v2', accessKeyId, policy, signature: requiredField(fields, 'signature'), sessionToken };
  }
  const algorithm = requiredField(fields, 'x-amz-algorithm');
  if (algorithm !== signatureAlgorithm) {
    throw invalidField('x-amz-algorithm', `X-Amz-Algorithm only supports "${signatureAlgorithm}"`);
  }
  const { accessKeyId, scope } = parseCredential(
    requiredField(fields, 'x-amz-credential'),
    (problem) => invalidField('x-amz-credential', problem),
    'Error parsing the X-Amz-Credential parameter; the Credential is mal-formed',
  );
  const date = requiredField(fields, 'x-amz-date');
  if (parseTimestamp(date) === undefined || !date.startsWith(scope.date)) {
    throw invalidField(
      'x-amz-date',
      "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\" and of the day in the credential",
    );
  }
  const signature = requiredField(fields, 'x-amz-signature');
  return { mechanism: 'post-v4', accessKeyId, scope, policy, signature, sessionToken };
}

function requiredField(fields: PostFields, name: string): string {
  const value = fields.get(name.toLowerCase());
  if (value === undefined || value === '') throw missingField(name);
  return value;
}

function missingField(name: string): S3Error {
  return invalidField(
    name,
    `Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`,
  );
}

function invalidField(name: string, message: string): S3Error {
  return new S3Error('InvalidArgument', message, { details: { ArgumentName: name } });
}

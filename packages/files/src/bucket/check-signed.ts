// What is not signed is not enforced: a URL or a form is read again as the bucket will read it, and compared with what the policy
// wants, before it leaves the house. A difference is a fault of ours, never of the caller.

import assert from 'node:assert/strict';

interface ExpectedUrl {
  readonly endpoint: string;
  readonly key: string;
  readonly expiresSeconds: number;
  /** Headers that must be in the signature. */
  readonly headers: Readonly<Record<string, string>>;
  readonly query: readonly (readonly [string, string])[];
}

/** Throws when the URL allows anything else than was asked for. */
export function checkSignedUrl(text: string, expected: ExpectedUrl): void {
  const url = new URL(text);
  const { searchParams: query } = url;
  assert.equal(`${url.origin}${url.pathname}`, `${expected.endpoint}/${expected.key}`, 'The URL names another object.');
  const signed = query.get('X-Amz-SignedHeaders')?.split(';') ?? [];
  const missing = ['host', ...Object.keys(expected.headers)].filter((name) => !signed.includes(name));
  assert.deepEqual(missing, [], 'The URL leaves headers out of its signature.');
  assert.equal(query.get('X-Amz-Expires'), String(expected.expiresSeconds), 'The URL lives for another time.');
  const parameters = [...query].filter(([name]) => !name.startsWith('X-Amz-'));
  assert.deepEqual(sorted(parameters), sorted(expected.query), 'The URL carries other parameters.');
}

interface ExpectedForm {
  readonly bucket: string;
  readonly key: string;
  readonly contentType: string;
  readonly sizeBytes: number;
  readonly endsAtMs: number;
}

/** Throws when the form's policy allows anything else than was asked for. */
export function checkSignedForm(fields: Readonly<Record<string, string>>, expected: ExpectedForm): void {
  const { bucket, key, contentType, sizeBytes, endsAtMs } = expected;
  const policy: unknown = JSON.parse(Buffer.from(fields.policy ?? '', 'base64').toString('utf8'));
  assert.ok(typeof policy === 'object' && policy !== null && 'expiration' in policy && 'conditions' in policy);
  assert.equal(policy.expiration, new Date(endsAtMs).toISOString(), 'The form lives for another time.');
  assert.ok(Array.isArray(policy.conditions));
  const conditions = new Set(policy.conditions.map((condition) => JSON.stringify(condition)));
  for (const wanted of [
    { bucket },
    { key },
    { 'Content-Type': contentType },
    ['content-length-range', sizeBytes, sizeBytes],
  ]) {
    assert.ok(conditions.has(JSON.stringify(wanted)), `The form’s policy lacks ${JSON.stringify(wanted)}.`);
  }
  const loose = [...conditions].filter((condition) => condition.includes('starts-with'));
  assert.deepEqual(loose, [], 'The form’s policy leaves a field open.');
}

function sorted(pairs: readonly (readonly [string, string])[]): readonly string[] {
  return pairs.map(([name, value]) => `${name}=${value}`).sort();
}

// The policy document of a browser's form upload: until when, and under which conditions, the form may be posted.
// Spec: "POST Policy" of the S3 API reference. Whether the policy was signed is verify-post-policy.ts.

import { S3Error } from '../errors.ts';
import type { PostFields } from './post-form.ts';

/** One condition of a policy. Field names are lower-case and without the `$`. */
type PostCondition =
  | { readonly kind: 'eq' | 'starts-with'; readonly field: string; readonly value: string; readonly source: string }
  | { readonly kind: 'content-length-range'; readonly range: ContentLengthRange };

/** How large the file may be, both ends included. */
export interface ContentLengthRange {
  readonly minBytes: number;
  readonly maxBytes: number;
}

interface PostPolicy {
  readonly expiresAtMs: number;
  readonly conditions: readonly PostCondition[];
}

/** How long a policy may be, in base64. AWS takes 20 KB for the whole form before the file. */
export const maxPolicyCharacters = 65_536;
/** How many conditions a policy may have. */
export const maxPolicyConditions = 1_000;

/** Reads a policy from the form's base64. Throws `InvalidPolicyDocument`. */
export function parsePostPolicy(base64: string): PostPolicy {
  const document = parseDocument(base64);
  if (!isObject(document)) throw invalidPolicy('the policy is no JSON object');
  const { expiration, conditions } = document;
  if (expiration === undefined) throw invalidPolicy('Policy missing expiration.');
  const expiresAtMs = typeof expiration === 'string' ? parseExpiration(expiration) : undefined;
  if (expiresAtMs === undefined) {
    throw invalidPolicy(`Invalid 'expiration' value: '${String(expiration)}'. Expected 2030-01-31T12:00:00Z.`);
  }
  if (conditions === undefined) throw invalidPolicy('Policy missing conditions.');
  if (!Array.isArray(conditions)) throw invalidPolicy("Invalid 'conditions' value: must be a List.");
  if (conditions.length > maxPolicyConditions) {
    throw invalidPolicy(`there are ${conditions.length} conditions; ${maxPolicyConditions} are allowed.`);
  }
  return { expiresAtMs, conditions: conditions.map(parseCondition) };
}

/**
 * Judges a form by its policy. `fields` must hold the values that will be used: the key with `${filename}` replaced, and
 * the bucket that the URL names. Returns what is left to watch while the file streams. Throws `AccessDenied`.
 */
export function judgePostPolicy(
  policy: PostPolicy,
  fields: PostFields,
  nowMs: number,
): { readonly contentLengthRange: ContentLengthRange | undefined } {
  if (nowMs > policy.expiresAtMs) throw denied('Policy expired.');
  let contentLengthRange: ContentLengthRange | undefined;
  const covered = new Set<string>();
  for (const condition of policy.conditions) {
    if (condition.kind === 'content-length-range') {
      contentLengthRange = narrow(contentLengthRange, condition.range);
      continue;
    }
    const value = fields.get(condition.field) ?? '';
    const holds = condition.kind === 'eq' ? value === condition.value : value.startsWith(condition.value);
    if (!holds) throw denied(`Policy Condition failed: ${condition.source}`);
    covered.add(condition.field);
  }
  const extra = [...fields.keys()].filter((name) => !covered.has(name) && !isExcused(name));
  if (extra.length > 0) throw denied(`Extra input fields: ${extra.join(', ')}`);
  return { contentLengthRange };
}

/** Throws `EntityTooSmall` or `EntityTooLarge` when a file's size is outside what its policy allows. */
export function checkContentLength(range: ContentLengthRange | undefined, sizeBytes: number): void {
  if (range === undefined) return;
  if (sizeBytes < range.minBytes) {
    throw new S3Error('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', {
      details: { ProposedSize: String(sizeBytes), MinSizeAllowed: String(range.minBytes) },
    });
  }
  if (sizeBytes > range.maxBytes) {
    throw new S3Error('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', {
      details: { ProposedSize: String(sizeBytes), MaxSizeAllowed: String(range.maxBytes) },
    });
  }
}

const excusedFields: ReadonlySet<string> = new Set([
  'awsaccesskeyid',
  'file',
  'policy',
  'signature',
  'x-amz-signature',
]);

/**
 * "Each form field that you specify in a form (except x-amz-signature, file, policy, and field names that have an
 * x-ignore- prefix) must appear in the list of conditions." The fields of Signature Version 2 are excused likewise. A
 * checksum is excused because it can only make an upload fail, never do more than the policy allows.
 */
function isExcused(name: string): boolean {
  return excusedFields.has(name) || name.startsWith('x-ignore-') || name.startsWith('x-amz-checksum-');
}

function parseDocument(base64: string): unknown {
  if (base64.length > maxPolicyCharacters) {
    throw invalidPolicy(`the policy has ${base64.length} characters; ${maxPolicyCharacters} are allowed.`);
  }
  const compact = base64.replace(/\s+/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(compact)) throw invalidPolicy('the policy is not base64.');
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(compact, 'base64')));
  } catch (cause) {
    throw new S3Error('InvalidPolicyDocument', 'Invalid Policy: Invalid JSON.', { cause });
  }
}

const isoInstant = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.\d{1,9})?Z$/;

/** ISO 8601 in UTC, with or without a fraction of a second. */
function parseExpiration(text: string): number | undefined {
  if (!isoInstant.test(text)) return undefined;
  const timeMs = Date.parse(text);
  return Number.isNaN(timeMs) ? undefined : timeMs;
}

function parseCondition(condition: unknown): PostCondition {
  if (Array.isArray(condition)) return parseListCondition(condition);
  if (!isObject(condition)) throw invalidPolicy('Invalid Condition: a condition must be a List or an object.');
  const properties = Object.entries(condition);
  const [property] = properties;
  if (property === undefined || properties.length !== 1) {
    throw invalidPolicy('Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.');
  }
  const [name, value] = property;
  if (typeof value !== 'string') throw invalidPolicy('Invalid Simple-Condition: value must be a string.');
  return { kind: 'eq', field: name.toLowerCase(), value, source: JSON.stringify(['eq', `$${name}`, value]) };
}

function parseListCondition(condition: readonly unknown[]): PostCondition {
  const [operator, first, second] = condition;
  const kind = typeof operator === 'string' ? operator.toLowerCase() : '';
  if (kind === 'content-length-range') {
    const minBytes = parseLength(first);
    const maxBytes = parseLength(second);
    if (condition.length !== 3 || minBytes === undefined || maxBytes === undefined) {
      throw invalidPolicy('Invalid content-length-range: expected ["content-length-range", minimum, maximum].');
    }
    return { kind, range: { minBytes, maxBytes } };
  }
  if (kind !== 'eq' && kind !== 'starts-with') {
    throw invalidPolicy(`Invalid Condition: unknown operation '${String(operator)}'.`);
  }
  if (condition.length !== 3 || typeof first !== 'string' || typeof second !== 'string' || !/^\$./s.test(first)) {
    throw invalidPolicy(`Invalid Condition: expected ["${kind}", "$field", "value"].`);
  }
  return { kind, field: first.slice(1).toLowerCase(), value: second, source: JSON.stringify([kind, first, second]) };
}

function parseLength(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

function narrow(a: ContentLengthRange | undefined, b: ContentLengthRange): ContentLengthRange {
  if (a === undefined) return b;
  return { minBytes: Math.max(a.minBytes, b.minBytes), maxBytes: Math.min(a.maxBytes, b.maxBytes) };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalidPolicy(problem: string): S3Error {
  return new S3Error('InvalidPolicyDocument', `Invalid Policy: ${problem}`);
}

function denied(problem: string): S3Error {
  return new S3Error('AccessDenied', `Invalid according to Policy: ${problem}`);
}

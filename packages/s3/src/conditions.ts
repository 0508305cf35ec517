// Conditional requests: RFC 9110 section 13 for reads, the copy-source variants of S3, and S3's conditional writes.
// Read conditions are judged here, against what is read. Write conditions are only parsed here: whoever commits judges
// them, at the commit. ETags are without quotes.

import { S3Error } from './errors.ts';
import { unquoteEtag } from './etag.ts';
import { parseHttpDate } from './http-date.ts';
import type { RequestHeaders } from './request-parts.ts';

/** What a read asks of the object it finds. */
export interface ReadConditions {
  /** `*`: any object. A list: the object's ETag must be in it. */
  readonly ifMatch?: '*' | readonly string[];
  /** `*`: never met. A list: the object's ETag must not be in it. */
  readonly ifNoneMatch?: '*' | readonly string[];
  readonly ifModifiedSinceMs?: number;
  readonly ifUnmodifiedSinceMs?: number;
}

/** What a write asks of the current object; judged at the commit. */
export interface WriteConditions {
  /** The current object must have this ETag; `*`: it must exist. */
  readonly ifMatch?: string;
  /** `*`: there must be no current object. An ETag: it must have another. */
  readonly ifNoneMatch?: string;
  /** Delete only: the current object must have been modified at this second. */
  readonly ifMatchLastModifiedMs?: number;
  /** Delete only: the current object must be of this size. */
  readonly ifMatchSizeBytes?: number;
}

/** What conditions are judged on. */
export interface Validators {
  readonly etag: string;
  readonly lastModifiedMs: number;
}

/** The conditions of a GET or HEAD; `undefined` when it has none. A date that is no HTTP date is ignored, as the RFC says. */
export function parseReadConditions(headers: RequestHeaders): ReadConditions | undefined {
  return readConditions(headers, '');
}

/** The conditions that a copy puts on its source: `x-amz-copy-source-if-…`. */
export function parseCopySourceConditions(headers: RequestHeaders): ReadConditions | undefined {
  return readConditions(headers, 'x-amz-copy-source-');
}

/**
 * Judges a read in the order of RFC 9110 section 13.2.2: If-Match, or else If-Unmodified-Since; then If-None-Match, or
 * else If-Modified-Since. `not-modified` is answered with 304 and the validators.
 * @throws S3Error `PreconditionFailed`.
 */
export function judgeRead(conditions: ReadConditions, object: Validators): 'send' | 'not-modified' {
  const unmet = firstUnmet(conditions, object);
  if (unmet === undefined) return 'send';
  if (unmet === 'If-None-Match' || unmet === 'If-Modified-Since') return 'not-modified';
  throw preconditionFailed(unmet);
}

/** Judges the source of a copy: the same order, but there is no 304. @throws S3Error `PreconditionFailed`. */
export function judgeCopySource(conditions: ReadConditions, source: Validators): void {
  const unmet = firstUnmet(conditions, source);
  if (unmet !== undefined) throw preconditionFailed(`x-amz-copy-source-${unmet}`);
}

/**
 * Whether an If-Range header lets the range be served (RFC 9110 section 13.1.5); otherwise the whole object is.
 * A date must be exactly the object's; a weak ETag never matches.
 */
export function ifRangeHolds(header: string | undefined, object: Validators): boolean {
  if (header === undefined) return true;
  const dateMs = parseHttpDate(header);
  if (dateMs !== undefined) return dateMs === wholeSeconds(object.lastModifiedMs);
  return unquoteEtag(header) === object.etag;
}

/**
 * The conditions of a PUT, a completion or a delete; `undefined` when it has none.
 * @throws S3Error `InvalidArgument` when a condition of a delete cannot be read: ignoring it would delete too much.
 */
export function parseWriteConditions(headers: RequestHeaders): WriteConditions | undefined {
  const ifMatch = headers['if-match'];
  const ifNoneMatch = headers['if-none-match'];
  const lastModified = headers['x-amz-if-match-last-modified-time'];
  const size = headers['x-amz-if-match-size'];
  if (ifMatch === undefined && ifNoneMatch === undefined && lastModified === undefined && size === undefined) return;
  return {
    ...(ifMatch === undefined ? {} : { ifMatch: unquoteEtag(ifMatch) }),
    ...(ifNoneMatch === undefined ? {} : { ifNoneMatch: unquoteEtag(ifNoneMatch) }),
    ...(lastModified === undefined
      ? {}
      : { ifMatchLastModifiedMs: parseConditionTime('x-amz-if-match-last-modified-time', lastModified) }),
    ...(size === undefined ? {} : { ifMatchSizeBytes: parseConditionSize('x-amz-if-match-size', size) }),
  };
}

/** A time that a delete is conditional on: an HTTP date or ISO 8601. @throws S3Error `InvalidArgument`. */
export function parseConditionTime(name: string, text: string): number {
  const isIso = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/.test(text);
  const timeMs = isIso ? Date.parse(text) : parseHttpDate(text);
  if (timeMs === undefined || Number.isNaN(timeMs))
    throw invalidArgument(name, text, 'an HTTP date or an ISO 8601 time');
  return timeMs;
}

/** A size that a delete is conditional on. @throws S3Error `InvalidArgument`. */
export function parseConditionSize(name: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw invalidArgument(name, text, 'a number of bytes');
  return Number(text);
}

function readConditions(headers: RequestHeaders, prefix: '' | 'x-amz-copy-source-'): ReadConditions | undefined {
  const ifMatch = headers[`${prefix}if-match`];
  const ifNoneMatch = headers[`${prefix}if-none-match`];
  const modified = headers[`${prefix}if-modified-since`];
  const unmodified = headers[`${prefix}if-unmodified-since`];
  if (ifMatch === undefined && ifNoneMatch === undefined && modified === undefined && unmodified === undefined) return;
  const ifModifiedSinceMs = modified === undefined ? undefined : parseHttpDate(modified);
  const ifUnmodifiedSinceMs = unmodified === undefined ? undefined : parseHttpDate(unmodified);
  return {
    // If-Match compares strongly: a weak tag equals none, so it is left out. If-None-Match compares weakly.
    ...(ifMatch === undefined ? {} : { ifMatch: parseEtagList(ifMatch, 'strong') }),
    ...(ifNoneMatch === undefined ? {} : { ifNoneMatch: parseEtagList(ifNoneMatch, 'weak') }),
    ...(ifModifiedSinceMs === undefined ? {} : { ifModifiedSinceMs }),
    ...(ifUnmodifiedSinceMs === undefined ? {} : { ifUnmodifiedSinceMs }),
  };
}

/** Tags of a list, quoted or bare. A comma inside quotes belongs to the tag. */
function parseEtagList(header: string, comparison: 'strong' | 'weak'): '*' | readonly string[] {
  if (header.trim() === '*') return '*';
  const tags: string[] = [];
  for (const [, weak, quoted, bare] of header.matchAll(/(W\/)?(?:"([^"]*)"|([^\s,"]+))/g)) {
    if (weak === undefined || comparison === 'weak') tags.push(quoted ?? bare ?? '');
  }
  return tags;
}

type ConditionName = 'If-Match' | 'If-Unmodified-Since' | 'If-None-Match' | 'If-Modified-Since';

function firstUnmet(conditions: ReadConditions, object: Validators): ConditionName | undefined {
  const { ifMatch, ifNoneMatch, ifModifiedSinceMs, ifUnmodifiedSinceMs } = conditions;
  const modifiedMs = wholeSeconds(object.lastModifiedMs);
  if (ifMatch !== undefined) {
    if (ifMatch !== '*' && !ifMatch.includes(object.etag)) return 'If-Match';
  } else if (ifUnmodifiedSinceMs !== undefined && modifiedMs > ifUnmodifiedSinceMs) return 'If-Unmodified-Since';
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch === '*' || ifNoneMatch.includes(object.etag)) return 'If-None-Match';
  } else if (ifModifiedSinceMs !== undefined && modifiedMs <= ifModifiedSinceMs) return 'If-Modified-Since';
  return undefined;
}

/** Last-Modified is told in whole seconds: comparing finer would make a client's own copy look old. */
function wholeSeconds(timeMs: number): number {
  return Math.floor(timeMs / 1000) * 1000;
}

function preconditionFailed(condition: string): S3Error {
  return new S3Error('PreconditionFailed', undefined, { details: { Condition: condition } });
}

function invalidArgument(name: string, value: string, expected: string): S3Error {
  return new S3Error('InvalidArgument', `${name} must be ${expected}.`, {
    details: { ArgumentName: name, ArgumentValue: value },
  });
}

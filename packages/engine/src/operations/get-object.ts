// GetObject and HeadObject: conditions, then the range or part, then the bytes or only their length.
// Spec: GetObject and HeadObject of the S3 API reference; RFC 9110 sections 13 and 14.

import {
  formatContentRange,
  ifRangeHolds,
  judgeRead,
  parsePartNumber,
  parseRange,
  parseReadConditions,
  parseResponseOverrides,
  type ResponseOverrides,
  S3Error,
} from '@stowage/s3';
import type { BodyRange, ObjectChecksum, ObjectVersion, OpenObject } from '@stowage/store';
import type { Handler } from '../handler.ts';
import { checksumHeaders, objectHeaders } from '../object-headers.ts';
import { queryValue } from '../query.ts';
import type { Result } from '../result.ts';
import type { S3Request } from '../s3-request.ts';

/** What is longer goes out in pieces: a slow client would otherwise hold all of it in memory. */
const maxWholeBytes = 32 * 1024;

export const getObject: Handler = (request, engine) => {
  const overrides = responseOverrides(request);
  const object = engine.store.openObject(request);
  if (object === undefined) throw noSuchKey(request.key);
  let handedOver = false;
  try {
    const { status, headers, range } = planRead(request, object.version, overrides);
    if (range === undefined) return { status, headers };
    const bytes = readAtOnce(object, range);
    if (bytes instanceof Uint8Array) return { status, headers, body: bytes };
    handedOver = true;
    if (bytes === undefined) return { status, headers, body: { object, range } };
    return bytes.then((body) => ({ status, headers, body })).finally(() => object.close());
  } finally {
    if (!handedOver) object.close();
  }
};

export const headObject: Handler = (request, engine): Result => {
  const overrides = responseOverrides(request);
  const version = engine.store.headObject(request);
  if (version === undefined) throw noSuchKey(request.key);
  const plan = planRead(request, version, overrides);
  const headLengthBytes = plan.range === undefined ? 0 : plan.range.end - plan.range.start + 1;
  return { status: plan.status, headers: plan.headers, headLengthBytes };
};

export function noSuchKey(key: string): S3Error {
  return new S3Error('NoSuchKey', undefined, { details: { Key: key } });
}

/** The bytes of what is small enough to be sent in one piece; `undefined` for what is not. */
function readAtOnce(object: OpenObject, range: BodyRange): Uint8Array | Promise<Uint8Array> | undefined {
  return range.end - range.start < maxWholeBytes ? object.bytes(range) : undefined;
}

interface ReadPlan {
  readonly status: number;
  readonly headers: readonly string[];
  /** Absent: there are no bytes to send. */
  readonly range: BodyRange | undefined;
}

function planRead(request: S3Request, version: ObjectVersion, overrides: ResponseOverrides): ReadPlan {
  const { headers: received } = request;
  const conditions = parseReadConditions(received);
  if (conditions !== undefined && judgeRead(conditions, version) === 'not-modified') {
    return { status: 304, headers: objectHeaders(version, overrides), range: undefined };
  }
  const headers = objectHeaders(version, overrides);
  const part = requestedPart(request, version);
  const wantsChecksum = received['x-amz-checksum-mode']?.toUpperCase() === 'ENABLED';
  if (part !== undefined) {
    if (version.parts !== undefined) headers.push('x-amz-mp-parts-count', String(version.parts.length));
    if (wantsChecksum) headers.push(...checksumHeaders(part.checksum));
    if (part.range !== undefined) headers.push('content-range', formatContentRange(part.range, version.sizeBytes));
    return { status: 206, headers, range: part.range };
  }
  const range = ifRangeHolds(received['if-range'], version) ? parseRange(received.range, version.sizeBytes) : undefined;
  if (range !== undefined) {
    // A checksum of the whole object would only mislead a client that checks what it got.
    const isWhole = range.start === 0 && range.end === version.sizeBytes - 1;
    if (wantsChecksum && isWhole) headers.push(...checksumHeaders(version.checksum));
    headers.push('content-range', formatContentRange(range, version.sizeBytes));
    return { status: 206, headers, range };
  }
  if (wantsChecksum) headers.push(...checksumHeaders(version.checksum));
  return { status: 200, headers, range: wholeRange(version) };
}

function wholeRange(version: ObjectVersion): BodyRange | undefined {
  return version.sizeBytes === 0 ? undefined : { start: 0, end: version.sizeBytes - 1 };
}

interface RequestedPart {
  readonly range: BodyRange | undefined;
  readonly checksum: ObjectChecksum | undefined;
}

/** What `partNumber` names: a part of a multipart object; of any other object, number 1 is all of it. */
function requestedPart(request: S3Request, version: ObjectVersion): RequestedPart | undefined {
  const text = queryValue(request.query, 'partNumber');
  if (text === undefined) return undefined;
  if (request.headers.range !== undefined) {
    throw new S3Error('InvalidRequest', 'Cannot specify both Range header and partNumber query parameter');
  }
  const partNumber = parsePartNumber(text);
  const parts = version.parts;
  if (parts === undefined) {
    if (partNumber === 1) return { range: wholeRange(version), checksum: version.checksum };
    throw invalidPartNumber(partNumber, 1);
  }
  // GET counts the parts of the object, which are numbered as they were uploaded.
  let start = 0;
  for (const part of parts) {
    const end = start + part.sizeBytes - 1;
    if (part.partNumber === partNumber) {
      const { checksum } = version;
      return {
        range: end < start ? undefined : { start, end },
        checksum:
          checksum === undefined || part.checksum === undefined ? undefined : { ...checksum, value: part.checksum },
      };
    }
    start = end + 1;
  }
  throw invalidPartNumber(partNumber, parts.length);
}

function invalidPartNumber(requested: number, count: number): S3Error {
  return new S3Error('InvalidPartNumber', undefined, {
    details: { PartNumberRequested: String(requested), ActualPartCount: String(count) },
  });
}

/** @throws S3Error `InvalidRequest`: "You must sign the request … when using these parameters." */
function responseOverrides(request: S3Request): ResponseOverrides {
  if (request.query.length === 0) return noOverrides;
  const overrides = parseResponseOverrides(request.query);
  if (request.requester === undefined && Object.keys(overrides).length > 0) {
    throw new S3Error('InvalidRequest', 'Request specific response headers cannot be used for anonymous GET requests.');
  }
  return overrides;
}

const noOverrides: ResponseOverrides = {};

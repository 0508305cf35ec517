// Who a request says it is from, and by which mechanism: nothing here is verified (that is verify-signature.ts).
// Spec: "Authenticating Requests (AWS Signature Version 4)" of the S3 API reference, header and query mechanisms.
// Signature Version 2 is recognised and refused, except in POST forms (post-form.ts).

import { S3Error } from '../errors.ts';
import { parseHttpDate } from '../http-date.ts';
import { type PayloadHash, parsePayloadHash } from './payload-hash.ts';
import type { SignedRequest } from './signed-request.ts';
import { formatTimestamp, parseTimestamp } from './timestamp.ts';

/** What a request presents, told apart by `mechanism`. */
export type Authentication = AnonymousAuthentication | HeaderAuthentication | QueryAuthentication;

/** The request carries no credentials. */
export interface AnonymousAuthentication {
  readonly mechanism: 'anonymous';
  /** An anonymous body may be aws-chunked too, with an unsigned trailer. */
  readonly payload: PayloadHash;
}

/** Signed by the Authorization header. */
export interface HeaderAuthentication extends PresentedSignature {
  readonly mechanism: 'header';
}

/** Signed in the query: a presigned URL. */
export interface QueryAuthentication extends PresentedSignature {
  readonly mechanism: 'query';
  /** How long after `timestampMs` the URL is good: 1 to 604,800. */
  readonly expiresSeconds: number;
}

/** Either mechanism's claim. */
interface PresentedSignature {
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
  /** Lower-case names, in the order given, joined by `;`: as it is signed. */
  readonly signedHeaders: string;
  /** As presented; anything but 64 lower-case hex digits will not match. */
  readonly signature: string;
  /** `20130524T000000Z`, as it is signed. */
  readonly timestamp: string;
  readonly timestampMs: number;
  readonly payload: PayloadHash;
  /** The token of temporary credentials; whether it belongs to the access key is the engine's affair. */
  readonly sessionToken: string | undefined;
}

/** The credential scope: which day, region and service a signature is good for. */
export interface CredentialScope {
  /** `20130524`. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
  /** `20130524/us-east-1/s3/aws4_request`. */
  readonly text: string;
}

/** The longest life of a presigned URL: a week. */
export const maxExpiresSeconds = 604_800;

/** The one algorithm there is. */
export const signatureAlgorithm = 'AWS4-HMAC-SHA256';

/**
 * Reads what a request presents. Throws S3's errors for what is malformed: `AuthorizationHeaderMalformed`,
 * `AuthorizationQueryParametersError`, `InvalidRequest` (Signature Version 2 and unknown algorithms), `InvalidArgument`
 * (two mechanisms at once, an unknown type), `AccessDenied` (no valid date).
 */
export function parseAuthentication(request: SignedRequest): Authentication {
  const header = request.headers.authorization;
  const query = readQueryAuthentication(request);
  // An empty Authorization header is nobody's: S3 answers it as it answers an anonymous request.
  if (header !== undefined && header !== '') {
    if (query !== undefined) throw twoMechanisms(header);
    return parseHeader(request, header);
  }
  if (query === undefined) {
    return { mechanism: 'anonymous', payload: parsePayloadHash(request.headers['x-amz-content-sha256']) };
  }
  if (query.version === 2) throw unsupportedMechanism();
  return parseQuery(request, query.parameters);
}

function parseHeader(request: SignedRequest, header: string): HeaderAuthentication {
  const space = header.indexOf(' ');
  const type = space === -1 ? header : header.slice(0, space);
  if (type !== signatureAlgorithm) throw unknownType(type, header);
  const fields = readHeaderFields(header, space);
  const scope = parseCredential(fields.credential, headerMalformed, 'the Credential is mal-formed');
  const date = readDate(request);
  checkScopeDate(scope.scope, date.timestamp, headerMalformed);
  const payload = parsePayloadHash(request.headers['x-amz-content-sha256']);
  // STS does not send the header; S3 insists on it.
  if (payload.kind === 'absent' && scope.scope.service === 's3') {
    throw new S3Error('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
  }
  return {
    mechanism: 'header',
    accessKeyId: scope.accessKeyId,
    scope: scope.scope,
    signedHeaders: fields.signedHeaders,
    signature: fields.signature,
    timestamp: date.timestamp,
    timestampMs: date.timestampMs,
    payload,
    sessionToken: request.headers['x-amz-security-token'],
  };
}

/** `Credential=…, SignedHeaders=…, Signature=…`, in any order, with or without blanks. */
function readHeaderFields(
  header: string,
  start: number,
): { credential: string; signedHeaders: string; signature: string } {
  let credential: string | undefined;
  let signedHeaders: string | undefined;
  let signature: string | undefined;
  let from = start;
  while (from !== -1 && from < header.length) {
    const comma = header.indexOf(',', from);
    const component = header.slice(from, comma === -1 ? header.length : comma).trim();
    from = comma === -1 ? -1 : comma + 1;
    const equals = component.indexOf('=');
    if (equals === -1) throw headerMalformed(`the authorization component "${component}" is malformed.`);
    const name = component.slice(0, equals);
    const value = component.slice(equals + 1);
    if (name === 'Credential' && credential === undefined) credential = value;
    else if (name === 'SignedHeaders' && signedHeaders === undefined) signedHeaders = value;
    else if (name === 'Signature' && signature === undefined) signature = value;
    else throw headerMalformed(`the authorization component "${component}" is unknown or given twice.`);
  }
  if (credential === undefined) throw headerMalformed('the authorization header requires Credential.');
  if (signedHeaders === undefined || !headerList.test(signedHeaders)) {
    throw headerMalformed('the authorization header requires SignedHeaders: lower-case names joined by semicolons.');
  }
  if (signature === undefined || signature === '')
    throw headerMalformed('the authorization header requires Signature.');
  return { credential, signedHeaders, signature };
}

const queryParameterNames = [
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Signature',
  'X-Amz-Date',
  'X-Amz-SignedHeaders',
  'X-Amz-Expires',
  'X-Amz-Security-Token',
  'X-Amz-Content-Sha256',
] as const;

type QueryParameterName = (typeof queryParameterNames)[number];

const knownQueryParameters: ReadonlySet<string> = new Set(queryParameterNames);

function isQueryParameter(name: string): name is QueryParameterName {
  return knownQueryParameters.has(name);
}

/** The query's authentication parameters, or `undefined` when there are none that make it a signed request. */
type QueryParameters =
  | { readonly version: 4; readonly parameters: ReadonlyMap<QueryParameterName, string> }
  | { readonly version: 2 };

function readQueryAuthentication(request: SignedRequest): QueryParameters | undefined {
  let parameters: Map<QueryParameterName, string> | undefined;
  let version2 = false;
  for (const [name, value] of request.query) {
    if (name === 'Signature' || name === 'AWSAccessKeyId') version2 = true;
    if (!name.startsWith('X-Amz-') || !isQueryParameter(name)) continue;
    parameters ??= new Map();
    if (parameters.has(name)) throw queryMalformed(`${name} is given twice.`);
    parameters.set(name, value);
  }
  // Any of the three makes it a signed request: one with a parameter torn off must not pass as an anonymous one.
  const version4 =
    parameters !== undefined &&
    (parameters.has('X-Amz-Algorithm') || parameters.has('X-Amz-Credential') || parameters.has('X-Amz-Signature'));
  if (parameters !== undefined && version4) return { version: 4, parameters };
  return version2 ? { version: 2 } : undefined;
}

function parseQuery(request: SignedRequest, parameters: ReadonlyMap<QueryParameterName, string>): QueryAuthentication {
  const required = (name: QueryParameterName): string => {
    const value = parameters.get(name);
    if (value !== undefined && value !== '') return value;
    throw queryMalformed(
      'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, ' +
        `X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters; ${name} is missing.`,
    );
  };
  const algorithm = required('X-Amz-Algorithm');
  if (algorithm !== signatureAlgorithm) throw queryMalformed(`X-Amz-Algorithm only supports "${signatureAlgorithm}"`);
  const { accessKeyId, scope } = parseCredential(
    required('X-Amz-Credential'),
    queryMalformed,
    'Error parsing the X-Amz-Credential parameter; the Credential is mal-formed',
  );
  const signature = required('X-Amz-Signature');
  const timestamp = required('X-Amz-Date');
  const timestampMs = parseTimestamp(timestamp);
  if (timestampMs === undefined) {
    throw queryMalformed("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  }
  const signedHeaders = required('X-Amz-SignedHeaders');
  if (!headerList.test(signedHeaders)) {
    throw queryMalformed('X-Amz-SignedHeaders must be lower-case header names joined by semicolons');
  }
  const expiresSeconds = parseExpires(required('X-Amz-Expires'));
  checkScopeDate(scope, timestamp, queryMalformed);
  const header = listsHeader(signedHeaders, 'x-amz-content-sha256')
    ? request.headers['x-amz-content-sha256']
    : undefined;
  const payload = parsePayloadHash(header ?? parameters.get('X-Amz-Content-Sha256') ?? 'UNSIGNED-PAYLOAD');
  const token = parameters.get('X-Amz-Security-Token') ?? request.headers['x-amz-security-token'];
  return {
    mechanism: 'query',
    accessKeyId,
    scope,
    signedHeaders,
    signature,
    timestamp,
    timestampMs,
    payload,
    sessionToken: token,
    expiresSeconds,
  };
}

function parseExpires(value: string): number {
  if (!/^-?\d{1,15}$/.test(value)) throw queryMalformed('X-Amz-Expires should be a number');
  const seconds = Number(value);
  if (seconds < 1) throw queryMalformed('X-Amz-Expires must be positive: at least 1 second');
  if (seconds > maxExpiresSeconds) {
    throw queryMalformed(
      `X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be at most ${maxExpiresSeconds} seconds`,
    );
  }
  return seconds;
}

/** Lower-case header names (RFC 9110 tokens) with semicolons between them. */
const headerList = /^[a-z0-9!#$%&'*+.^_`|~-]+(?:;[a-z0-9!#$%&'*+.^_`|~-]+)*$/;

/** Whether `signedHeaders` (`a;b;c`) holds `name`. */
export function listsHeader(signedHeaders: string, name: string): boolean {
  const at = signedHeaders.indexOf(name);
  if (at === -1) return false;
  const end = at + name.length;
  const starts = at === 0 || signedHeaders[at - 1] === ';';
  const ends = end === signedHeaders.length || signedHeaders[end] === ';';
  // A name can also be found inside a longer one; only then is splitting worth its price.
  return (starts && ends) || signedHeaders.split(';').includes(name);
}

type Malformed = (problem: string) => S3Error;

/** Splits `AKID/20130524/us-east-1/s3/aws4_request`. POST forms carry the same credential. */
export function parseCredential(credential: string, malformed: Malformed, problem: string): Credential {
  // A client names the same credential in every request of a day.
  if (credential === latestCredential?.text) return latestCredential;
  const parts = credential.split('/');
  const [accessKeyId = '', date = '', region = '', service = '', terminal = ''] = parts;
  if (parts.length !== 5 || accessKeyId === '' || region === '') {
    throw malformed(`${problem}; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".`);
  }
  if (!/^\d{8}$/.test(date)) {
    throw malformed(
      `${problem}; incorrect date format "${date}". This date in the credential must be in the format "yyyyMMdd".`,
    );
  }
  if (terminal !== 'aws4_request') {
    throw malformed(`${problem}; incorrect terminal "${terminal}". This endpoint uses "aws4_request".`);
  }
  const scope = { date, region, service, text: credential.slice(accessKeyId.length + 1) };
  latestCredential = { text: credential, accessKeyId, scope };
  return latestCredential;
}

interface Credential {
  readonly text: string;
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
}

let latestCredential: Credential | undefined;

function checkScopeDate(scope: CredentialScope, timestamp: string, malformed: Malformed): void {
  if (timestamp.startsWith(scope.date)) return;
  throw malformed(
    `Invalid credential date "${scope.date}". This date is not the same as X-Amz-Date: "${timestamp.slice(0, 8)}".`,
  );
}

function readDate(request: SignedRequest): { readonly timestamp: string; readonly timestampMs: number } {
  const text = request.headers['x-amz-date'] || request.headers.date || '';
  const basic = parseTimestamp(text);
  if (basic !== undefined) return { timestamp: text, timestampMs: basic };
  const timestampMs = parseHttpDate(text);
  // RFC 9110 dates go back to year 0; a timestamp does not, and no signature is that old.
  if (timestampMs !== undefined && timestampMs >= 0) return { timestamp: formatTimestamp(timestampMs), timestampMs };
  throw new S3Error('AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header');
}

function headerMalformed(problem: string): S3Error {
  return new S3Error('AuthorizationHeaderMalformed', `The authorization header is malformed; ${problem}`);
}

function queryMalformed(problem: string): S3Error {
  return new S3Error('AuthorizationQueryParametersError', problem);
}

function unsupportedMechanism(): S3Error {
  return new S3Error(
    'InvalidRequest',
    `The authorization mechanism you have provided is not supported. Please use ${signatureAlgorithm}.`,
  );
}

function unknownType(type: string, header: string): S3Error {
  if (type.startsWith('AWS4-')) return unsupportedMechanism();
  if (type === 'AWS') {
    if (/^AWS [^:\s]+:\S+$/.test(header)) return unsupportedMechanism();
    return invalidHeader('AWS authorization header is invalid. Expected AwsAccessKeyId:signature');
  }
  return invalidHeader('Unsupported Authorization Type');
}

// The header's value is not repeated in the answer: it may be another service's bearer token.
function invalidHeader(message: string): S3Error {
  return new S3Error('InvalidArgument', message, { details: { ArgumentName: 'Authorization' } });
}

function twoMechanisms(header: string): S3Error {
  const type = header.split(' ', 1)[0] ?? '';
  return new S3Error(
    'InvalidArgument',
    'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or ' +
      'the Authorization header should be specified',
    { details: { ArgumentName: 'Authorization', ArgumentValue: type } },
  );
}

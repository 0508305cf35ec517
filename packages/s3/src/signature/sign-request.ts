// Signing on the client's side: a request by its Authorization header, or a URL that carries its own signature.
// Spec: "Signature Calculations for the Authorization Header" and "Authenticating Requests: Using Query Parameters" of the
// S3 API reference. Nothing is sent here. Mind that `fetch` rewrites `/../` and `/./` in any URL it is given: a key with
// such a segment can only be sent by a client that leaves the path alone, as node:http does.

import type { RequestQuery } from '../request-parts.ts';
import type { CredentialScope } from './authentication.ts';
import { maxExpiresSeconds, signatureAlgorithm } from './authentication.ts';
import { canonicalQuery, canonicalRequest, stringToSign, uriEncodePath } from './canonical-request.ts';
import { unsignedPayload } from './payload-hash.ts';
import type { SigningCredentials } from './signed-request.ts';
import type { SigningKeys } from './signing-keys.ts';
import { formatTimestamp } from './timestamp.ts';
import type { ChunkSigning } from './verify-signature.ts';

/** What both ways of signing need. */
export interface RequestToSign {
  /** Upper-case. */
  readonly method: string;
  /** `https://host[:port][/prefix]`: the endpoint, with the bucket in the host for virtual-host style. */
  readonly endpoint: string;
  /** The path, not encoded, beginning with `/`: `/bucket/a key`. */
  readonly path: string;
  /** The query, not encoded. */
  readonly query?: RequestQuery;
  /** The headers that the request must carry, by any-case name. All are signed. `host` is added. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly credentials: SigningCredentials;
  readonly region: string;
  /** Default `s3`. */
  readonly service?: string;
  readonly nowMs: number;
  readonly signingKeys: SigningKeys;
}

export interface SignRequestOptions extends RequestToSign {
  /** What stands for the body: its SHA-256 in lower-case hex, or a value such as `STREAMING-…`. Default `UNSIGNED-PAYLOAD`. */
  readonly payload?: string;
}

export interface RequestSigned {
  readonly url: string;
  /** All headers to send, by lower-case name: those given, `host`, `authorization` and what S3 needs beside it. */
  readonly headers: Readonly<Record<string, string>>;
  /** For a body of signed chunks. */
  readonly chunkSigning: ChunkSigning;
}

/** Signs a request by header. */
export function signRequest(options: SignRequestOptions): RequestSigned {
  const { origin, host, path } = locate(options);
  const { credentials } = options;
  const timestamp = formatTimestamp(options.nowMs);
  const scope = scopeOf(options, timestamp);
  const payload = options.payload ?? unsignedPayload;
  const headers: Record<string, string> = { ...lowerCaseNames(options.headers), host };
  headers['x-amz-content-sha256'] = payload;
  headers['x-amz-date'] = timestamp;
  if (credentials.sessionToken !== undefined) headers['x-amz-security-token'] = credentials.sessionToken;
  const signedHeaders = Object.keys(headers).sort().join(';');
  const query = canonicalQuery(options.query ?? []);
  const canonical = canonicalRequest({ method: options.method, path, query, headers, signedHeaders, payload });
  const key = options.signingKeys.get(credentials.accessKeyId, credentials.secretAccessKey, scope);
  const signature = key.sign(stringToSign(timestamp, scope.text, canonical));
  headers.authorization = `${signatureAlgorithm} Credential=${credentials.accessKeyId}/${scope.text}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
  return {
    url: `${origin}${path}${query === '' ? '' : `?${query}`}`,
    headers,
    chunkSigning: { key, seedSignature: signature, scope: scope.text, timestamp },
  };
}

export interface PresignUrlOptions extends RequestToSign {
  /** How long the URL is good: 1 to 604,800 seconds. */
  readonly expiresSeconds: number;
}

/**
 * A URL that carries its own signature. Whoever uses it must send `headers` as they stand here; the body is unsigned.
 * The URL names the session token of temporary credentials. Throws a `RangeError` when `expiresSeconds` is out of range.
 */
export function presignUrl(options: PresignUrlOptions): string {
  const { expiresSeconds, credentials } = options;
  if (!Number.isInteger(expiresSeconds) || expiresSeconds < 1 || expiresSeconds > maxExpiresSeconds) {
    throw new RangeError(
      `A presigned URL can be good for 1 to ${maxExpiresSeconds} whole seconds; expiresSeconds is ${expiresSeconds}.`,
    );
  }
  const { origin, host, path } = locate(options);
  const timestamp = formatTimestamp(options.nowMs);
  const scope = scopeOf(options, timestamp);
  let headers: Record<string, string> = { host };
  let signedHeaders = 'host';
  if (options.headers !== undefined) {
    headers = { ...lowerCaseNames(options.headers), host };
    signedHeaders = Object.keys(headers).sort().join(';');
  }
  const pairs: (readonly [string, string])[] = [
    ['X-Amz-Algorithm', signatureAlgorithm],
    ['X-Amz-Credential', `${credentials.accessKeyId}/${scope.text}`],
    ['X-Amz-Date', timestamp],
    ['X-Amz-Expires', String(expiresSeconds)],
    ['X-Amz-SignedHeaders', signedHeaders],
  ];
  if (credentials.sessionToken !== undefined) pairs.push(['X-Amz-Security-Token', credentials.sessionToken]);
  if (options.query !== undefined) pairs.push(...options.query);
  const query = canonicalQuery(pairs);
  const payload = headers['x-amz-content-sha256'] ?? unsignedPayload;
  const canonical = canonicalRequest({ method: options.method, path, query, headers, signedHeaders, payload });
  const key = options.signingKeys.get(credentials.accessKeyId, credentials.secretAccessKey, scope);
  const signature = key.sign(stringToSign(timestamp, scope.text, canonical));
  return `${origin}${path}?${query}&X-Amz-Signature=${signature}`;
}

/** The scope of a signature made at `timestamp`. */
export function scopeOf(
  options: { readonly region: string; readonly service?: string },
  timestamp: string,
): CredentialScope {
  const date = timestamp.slice(0, 8);
  const service = options.service ?? 's3';
  return { date, region: options.region, service, text: `${date}/${options.region}/${service}/aws4_request` };
}

function locate(options: RequestToSign): { readonly origin: string; readonly host: string; readonly path: string } {
  const url = new URL(options.endpoint);
  const prefix = url.pathname.replace(/\/+$/, '');
  // `host` is without a default port, which is what HTTP clients send.
  return { origin: url.origin, host: url.host, path: `${prefix}${uriEncodePath(options.path)}` };
}

function lowerCaseNames(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  const lower: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) lower[name.toLowerCase()] = value;
  return lower;
}

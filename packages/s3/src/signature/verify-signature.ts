// Verifies what parseAuthentication found: place, time, what must be signed, and last the signature itself.
// Spec: "Authenticating Requests (AWS Signature Version 4)" of the S3 API reference. Finding the secret of an access key,
// session tokens and permissions are the engine's affair, as is checking the body against its hash.

import { S3Error } from '../errors.ts';
import { type HeaderAuthentication, listsHeader, type QueryAuthentication } from './authentication.ts';
import { canonicalPath, canonicalQuery, canonicalRequest, stringToSign } from './canonical-request.ts';
import { sameHexSignature } from './compare-signatures.ts';
import type { SignedRequest } from './signed-request.ts';
import type { SigningKey } from './signing-key.ts';
import type { SigningKeys } from './signing-keys.ts';
import { formatIsoSeconds } from './timestamp.ts';

/** How far a request's clock may be from ours: 15 minutes. */
export const maxSkewMs: number = 15 * 60 * 1000;

export interface VerifySignatureOptions {
  /** The secret of the access key that the request names. */
  readonly secretAccessKey: string;
  readonly nowMs: number;
  readonly signingKeys: SigningKeys;
  /** The region that the credential scope must name; by default any. */
  readonly region?: string | undefined;
  /** The services that the credential scope may name; by default `s3` alone. */
  readonly services?: readonly string[];
  /** The SHA-256 of the body in hex, for a request that does not state it (STS). */
  readonly payloadSha256?: string | undefined;
}

/** What continues a verified signature: each chunk of an aws-chunked body signs the signature before it. */
export interface ChunkSigning {
  readonly key: SigningKey;
  readonly seedSignature: string;
  /** The text of the credential scope. */
  readonly scope: string;
  readonly timestamp: string;
}

/**
 * Returns when the request was signed by the secret, for this place and time; what it returns is for reading a body of
 * signed chunks. Throws `AuthorizationHeaderMalformed` or `AuthorizationQueryParametersError` (wrong region or service),
 * `RequestTimeTooSkewed`, `AccessDenied` (expired, not yet valid, a header that had to be signed and is not) and
 * `SignatureDoesNotMatch`.
 */
export function verifySignature(
  request: SignedRequest,
  authentication: HeaderAuthentication | QueryAuthentication,
  options: VerifySignatureOptions,
): ChunkSigning {
  checkScope(authentication, options);
  checkTime(authentication, options.nowMs);
  checkSignedHeaders(request, authentication.signedHeaders);
  const { scope, timestamp, signature } = authentication;
  const key = options.signingKeys.get(authentication.accessKeyId, options.secretAccessKey, scope);
  const parts = {
    method: request.method,
    path: canonicalPath(request.rawPath),
    query: canonicalQuery(request.query, authentication.mechanism === 'query' ? 'X-Amz-Signature' : undefined),
    headers: request.headers,
    signedHeaders: authentication.signedHeaders,
    payload: authentication.payload.text || options.payloadSha256 || '',
  };
  const canonical = canonicalRequest(parts);
  const toSign = stringToSign(timestamp, scope.text, canonical);
  if (!sameHexSignature(key.sign(toSign), signature)) {
    // Some clients sign the path exactly as they send it, with escapes that S3's rules would undo (`%2F` for a slash at
    // the start of a key). Signing the very bytes received binds no less.
    const asReceived =
      parts.path === request.rawPath ? undefined : canonicalRequest({ ...parts, path: request.rawPath });
    const matches =
      asReceived !== undefined &&
      sameHexSignature(key.sign(stringToSign(timestamp, scope.text, asReceived)), signature);
    if (!matches) throw signatureDoesNotMatch(authentication, toSign, canonical);
  }
  return { key, seedSignature: signature, scope: scope.text, timestamp };
}

const onlyS3: readonly string[] = ['s3'];

function checkScope(authentication: HeaderAuthentication | QueryAuthentication, options: VerifySignatureOptions): void {
  const { region, service } = authentication.scope;
  const services = options.services ?? onlyS3;
  if (!services.includes(service)) {
    throw wrongScope(
      authentication,
      `incorrect service "${service}". This endpoint belongs to ${services.map((name) => `"${name}"`).join(' and ')}.`,
    );
  }
  if (options.region !== undefined && options.region !== region) {
    throw wrongScope(authentication, `the region '${region}' is wrong; expecting '${options.region}'`, options.region);
  }
}

function wrongScope(
  authentication: HeaderAuthentication | QueryAuthentication,
  problem: string,
  expectedRegion?: string,
): S3Error {
  const options = expectedRegion === undefined ? {} : { details: { Region: expectedRegion } };
  if (authentication.mechanism === 'header') {
    return new S3Error('AuthorizationHeaderMalformed', `The authorization header is malformed; ${problem}`, options);
  }
  return new S3Error(
    'AuthorizationQueryParametersError',
    `Error parsing the X-Amz-Credential parameter; ${problem}`,
    options,
  );
}

function checkTime(authentication: HeaderAuthentication | QueryAuthentication, nowMs: number): void {
  const { timestamp, timestampMs } = authentication;
  if (authentication.mechanism === 'header') {
    if (Math.abs(nowMs - timestampMs) <= maxSkewMs) return;
    throw new S3Error('RequestTimeTooSkewed', undefined, {
      details: {
        RequestTime: timestamp,
        ServerTime: formatIsoSeconds(nowMs),
        MaxAllowedSkewMilliseconds: String(maxSkewMs),
      },
    });
  }
  if (timestampMs - nowMs > maxSkewMs) {
    throw new S3Error('AccessDenied', 'Request is not yet valid', {
      details: { 'X-Amz-Date': timestamp, ServerTime: formatIsoSeconds(nowMs) },
    });
  }
  const expiresAtMs = timestampMs + authentication.expiresSeconds * 1000;
  if (nowMs > expiresAtMs) {
    throw new S3Error('AccessDenied', 'Request has expired', {
      details: {
        'X-Amz-Expires': String(authentication.expiresSeconds),
        Expires: formatIsoSeconds(expiresAtMs),
        ServerTime: formatIsoSeconds(nowMs),
      },
    });
  }
}

/** "The CanonicalHeaders list must include the HTTP host header and any x-amz-* headers." */
function checkSignedHeaders(request: SignedRequest, signedHeaders: string): void {
  const missing: string[] = [];
  if (!listsHeader(signedHeaders, 'host')) missing.push('host');
  for (const name in request.headers) {
    if (name.startsWith('x-amz-') && request.headers[name] !== undefined && !listsHeader(signedHeaders, name)) {
      missing.push(name);
    }
  }
  if (missing.length === 0) return;
  throw new S3Error('AccessDenied', 'There were headers present in the request which were not signed', {
    details: { HeadersNotSigned: missing.join(', ') },
  });
}

function signatureDoesNotMatch(
  authentication: HeaderAuthentication | QueryAuthentication,
  toSign: string,
  canonical: string,
): S3Error {
  return new S3Error('SignatureDoesNotMatch', undefined, {
    details: {
      AWSAccessKeyId: authentication.accessKeyId,
      StringToSign: toSign,
      SignatureProvided: authentication.signature,
      StringToSignBytes: spacedHex(toSign),
      CanonicalRequest: canonical,
      CanonicalRequestBytes: spacedHex(canonical),
    },
  });
}

/** `41 57 53`: how S3 shows bytes that a client may have got wrong invisibly. */
function spacedHex(text: string): string {
  return Buffer.from(text, 'utf8')
    .toString('hex')
    .replace(/..(?=.)/g, '$& ');
}

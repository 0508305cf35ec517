// URLs that let a client do one thing with one key for a short while.
// Design §6: a PUT carries `if-none-match: *` in its signature, so that the only URL that can write a key can write it once:
// the bytes that are judged are the bytes that are served. Type and length are signed too: the bucket refuses another.

import type { SignedPart, SignedRequest } from '@stowage/contract';
import { presignUrl, SigningKeys } from '@stowage/s3';
import { isoDate } from '../file-record.ts';
import { publicEndpointOf, type S3Settings } from './s3-settings.ts';

export interface UrlSigner {
  /** One PUT of exactly this many bytes of this type, to a key that holds nothing. */
  signPut(options: {
    readonly key: string;
    readonly contentType: string;
    readonly sizeBytes: number;
    readonly lifeMs: number;
  }): SignedRequest;
  /** One part of exactly this many bytes. */
  signPart(options: {
    readonly key: string;
    readonly uploadId: string;
    readonly partNumber: number;
    readonly sizeBytes: number;
    readonly lifeMs: number;
  }): SignedPart;
  /** The bytes, with the type and disposition that the browser is to see. */
  signGet(options: {
    readonly key: string;
    readonly versionId: string | null;
    readonly contentType: string;
    readonly disposition: string;
    readonly lifeMs: number;
  }): { readonly url: string; readonly expiresAt: string };
}

interface UrlSignerOptions {
  readonly settings: S3Settings;
  readonly clock: () => number;
}

export function openUrlSigner({ settings, clock }: UrlSignerOptions): UrlSigner {
  const endpoint = publicEndpointOf(settings);
  const prefix = settings.forcePathStyle ? `/${settings.bucket}` : '';
  const signingKeys = new SigningKeys();

  function sign(request: {
    readonly method: 'GET' | 'PUT';
    readonly key: string;
    readonly lifeMs: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly query?: readonly (readonly [string, string])[];
  }): { readonly url: string; readonly expiresAt: string } {
    const nowMs = clock();
    const expiresSeconds = Math.max(1, Math.floor(request.lifeMs / 1000));
    const headers = request.headers ?? {};
    const url = presignUrl({
      method: request.method,
      endpoint,
      path: `${prefix}/${request.key}`,
      region: settings.region,
      credentials: settings.credentials,
      headers,
      query: request.query ?? [],
      expiresSeconds,
      nowMs,
      signingKeys,
    });
    checkSignedHeaders(url, ['host', ...Object.keys(headers)]);
    // The signature is dated in whole seconds.
    return { url, expiresAt: isoDate((Math.floor(nowMs / 1000) + expiresSeconds) * 1000) };
  }

  return {
    signPut: ({ key, contentType, sizeBytes, lifeMs }) => {
      const sent = { 'content-type': contentType, 'if-none-match': '*' };
      const signed = sign({ method: 'PUT', key, lifeMs, headers: { ...sent, 'content-length': String(sizeBytes) } });
      // Every HTTP client sets content-length itself, and browsers forbid pages to.
      return { method: 'PUT', ...signed, headers: sent };
    },

    signPart: ({ key, uploadId, partNumber, sizeBytes, lifeMs }) => {
      const query = [
        ['partNumber', String(partNumber)],
        ['uploadId', uploadId],
      ] as const;
      const signed = sign({ method: 'PUT', key, lifeMs, query, headers: { 'content-length': String(sizeBytes) } });
      return { partNumber, method: 'PUT', ...signed, headers: {} };
    },

    signGet: ({ key, versionId, contentType, disposition, lifeMs }) => {
      const query: (readonly [string, string])[] = [
        ['response-content-type', contentType],
        ['response-content-disposition', disposition],
      ];
      if (versionId !== null) query.push(['versionId', versionId]);
      return sign({ method: 'GET', key, lifeMs, query });
    },
  };
}

/** What is not signed is not enforced: such a URL must not leave the house. */
function checkSignedHeaders(url: string, expected: readonly string[]): void {
  const signed = new URL(url).searchParams.get('X-Amz-SignedHeaders')?.split(';') ?? [];
  const missing = expected.filter((name) => !signed.includes(name));
  if (missing.length > 0)
    throw new Error(`The URL was to sign ${expected.join(', ')} and does not sign ${missing.join(', ')}.`);
}

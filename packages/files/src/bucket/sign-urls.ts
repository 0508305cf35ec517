// URLs and forms that let a client do one thing with one key for a short while.
// Design §6: a PUT carries `if-none-match: *` in its signature where the endpoint was proven to honour it, so that the only URL
// that can write a key can write it once. Type, length and a checksum that is known are signed too: the bucket refuses others.
// What was made is read again and compared with what was asked for before it leaves (check-signed.ts).

import type { SignedPart, SignedRequest } from '@stowage/contract';
import { presignUrl, SigningKeys, signPostPolicy } from '@stowage/s3';
import { isoDate } from '../file-record.ts';
import { checkSignedForm, checkSignedUrl } from './check-signed.ts';
import { publicBucketUrl, type S3Settings } from './s3-settings.ts';

/** A header such as `x-amz-checksum-crc32` and its value. */
type ChecksumHeader = Readonly<Record<string, string>>;

interface WriteOptions {
  readonly key: string;
  readonly contentType: string;
  readonly sizeBytes: number;
  readonly lifeMs: number;
}

export interface UrlSigner {
  /** One PUT of exactly this many bytes of this type; with `once`, to a key that holds nothing. */
  signPut(options: WriteOptions & { readonly once: boolean; readonly checksum?: ChecksumHeader }): SignedRequest;
  /** A form of exactly this many bytes of this type. It can be sent again while it is good. */
  signForm(options: WriteOptions): SignedRequest;
  /** One part of exactly this many bytes. */
  signPart(options: {
    readonly key: string;
    readonly uploadId: string;
    readonly partNumber: number;
    readonly sizeBytes: number;
    readonly lifeMs: number;
    readonly checksum?: ChecksumHeader;
  }): SignedPart;
  /** The bytes, or by HEAD their headers alone, with the type and disposition that the browser is to see. */
  signGet(options: {
    readonly key: string;
    readonly versionId: string | null;
    readonly contentType: string;
    readonly disposition: string;
    readonly lifeMs: number;
    /** Good for HEAD alone. Default false. */
    readonly headersOnly?: boolean | undefined;
  }): { readonly url: string; readonly expiresAt: string };
}

interface UrlSignerOptions {
  readonly settings: S3Settings;
  readonly clock: () => number;
}

export function openUrlSigner({ settings, clock }: UrlSignerOptions): UrlSigner {
  const endpoint = publicBucketUrl(settings);
  const { region, credentials, bucket } = settings;
  const signingKeys = new SigningKeys();

  function sign(request: {
    readonly method: 'GET' | 'HEAD' | 'PUT';
    readonly key: string;
    readonly lifeMs: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly query?: readonly (readonly [string, string])[];
  }): { readonly url: string; readonly expiresAt: string } {
    const { method, key, headers = {}, query = [] } = request;
    const nowMs = clock();
    const expiresSeconds = secondsOf(request.lifeMs);
    const common = { endpoint, region, credentials, signingKeys, nowMs };
    const url = presignUrl({ ...common, method, path: `/${key}`, headers, query, expiresSeconds });
    checkSignedUrl(url, { endpoint, key, expiresSeconds, headers, query });
    return { url, expiresAt: isoDate(endOf(nowMs, expiresSeconds)) };
  }

  return {
    signPut: ({ key, contentType, sizeBytes, lifeMs, once, checksum = {} }) => {
      const sent = { 'content-type': contentType, ...(once ? { 'if-none-match': '*' } : {}), ...checksum };
      const signed = sign({ method: 'PUT', key, lifeMs, headers: { ...sent, 'content-length': String(sizeBytes) } });
      // Every HTTP client sets content-length itself, and browsers forbid pages to.
      return { method: 'PUT', ...signed, headers: sent };
    },

    signForm: ({ key, contentType, sizeBytes, lifeMs }) => {
      const nowMs = clock();
      const endsAtMs = endOf(nowMs, secondsOf(lifeMs));
      const fields = signPostPolicy({
        bucket,
        key,
        fields: { 'Content-Type': contentType, success_action_status: '201' },
        conditions: [['content-length-range', sizeBytes, sizeBytes]],
        expiresAtMs: endsAtMs,
        credentials,
        region,
        nowMs,
        signingKeys,
      });
      checkSignedForm(fields, { bucket, key, contentType, sizeBytes, endsAtMs });
      return { method: 'POST', url: endpoint, headers: {}, fields, expiresAt: isoDate(endsAtMs) };
    },

    signPart: ({ key, uploadId, partNumber, sizeBytes, lifeMs, checksum = {} }) => {
      const query = [
        ['partNumber', String(partNumber)],
        ['uploadId', uploadId],
      ] as const;
      const headers = { ...checksum, 'content-length': String(sizeBytes) };
      return { partNumber, method: 'PUT', ...sign({ method: 'PUT', key, lifeMs, query, headers }), headers: checksum };
    },

    signGet: ({ key, versionId, contentType, disposition, lifeMs, headersOnly = false }) => {
      const query: (readonly [string, string])[] = [
        ['response-content-type', contentType],
        ['response-content-disposition', disposition],
      ];
      if (versionId !== null) query.push(['versionId', versionId]);
      return sign({ method: headersOnly ? 'HEAD' : 'GET', key, lifeMs, query });
    },
  };
}

function secondsOf(lifeMs: number): number {
  return Math.max(1, Math.floor(lifeMs / 1000));
}

/** A signature is dated in whole seconds. */
function endOf(nowMs: number, expiresSeconds: number): number {
  return (Math.floor(nowMs / 1000) + expiresSeconds) * 1000;
}

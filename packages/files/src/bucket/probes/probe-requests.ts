// How a probe speaks to the endpoint: by requests of its own, signed by hand, so that nothing between hides what it answers.
// Every key carries the service's MAC and stands under `probes/`; what a probe wrote is removed again.

import { type PostPolicyCondition, presignUrl, SigningKeys, signPostPolicy, signRequest } from '@stowage/s3';
import { bucketUrl, type S3Settings } from '../s3-settings.ts';
import type { StorageClock } from '../storage-clock.ts';
import { saysNothing } from './says-nothing.ts';

interface ProbeAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** 2xx, and no error document in the body: some say 200 before they know. */
  readonly ok: boolean;
}

interface ProbeRequest {
  readonly query?: readonly (readonly [string, string])[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface ProbeRequests {
  /** A key that was never used. */
  newKey(): string;
  /** Signed by header; an empty key means the bucket itself. */
  send(method: string, key: string, request?: ProbeRequest): Promise<ProbeAnswer>;
  /** By a presigned URL: `signed` are the headers in the signature, `headers` those that are sent. */
  sendPresigned(
    method: string,
    key: string,
    request: ProbeRequest & { readonly signed?: Readonly<Record<string, string>> },
  ): Promise<ProbeAnswer>;
  /** Signs a form, lets `change` spoil it, and posts it. */
  post(form: ProbeForm, body: string, change?: Readonly<Record<string, string>>): Promise<ProbeAnswer>;
  /** A request without any signature. */
  ask(method: string, key: string, headers: Readonly<Record<string, string>>): Promise<ProbeAnswer>;
  /** The bytes at the key now; `undefined` when there are none. */
  bytesOf(key: string): Promise<string | undefined>;
  /** Begins an upload in parts; `undefined` when the endpoint refuses. */
  beginParts(key: string, headers?: Readonly<Record<string, string>>): Promise<string | undefined>;
  /** Joins the one part of an upload. */
  joinPart(
    key: string,
    uploadId: string,
    etag: string,
    headers?: Readonly<Record<string, string>>,
  ): Promise<ProbeAnswer>;
  /** Removes all that was written, in all versions. */
  cleanUp(): Promise<void>;
}

interface ProbeForm {
  readonly key: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly conditions?: readonly PostPolicyCondition[];
}

interface ProbeRequestsOptions {
  readonly settings: S3Settings;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: () => number;
  readonly storageClock: Pick<StorageClock, 'answered'>;
  readonly timeoutMs: number;
  /** Gives the n-th key of this run. */
  readonly makeKey: (number: number) => string;
}

/** More keys than all probes together need. */
const maxKeys = 100;
/** As far as S3 lets clocks differ. */
const lifeSeconds = 900;
/** Requests of the clean-up at the same time. */
const lanes = 8;

export function openProbeRequests(options: ProbeRequestsOptions): ProbeRequests {
  const { settings, clock, storageClock, timeoutMs, makeKey } = options;
  const { region, credentials, bucket } = settings;
  const endpoint = bucketUrl(settings);
  const signingKeys = new SigningKeys();
  const keys: string[] = [];
  const uploads: { readonly key: string; readonly uploadId: string }[] = [];
  const common = { endpoint, region, credentials, signingKeys };

  async function exchange(
    method: string,
    url: string,
    headers: Readonly<Record<string, string>>,
    body: string | FormData | undefined,
  ): Promise<ProbeAnswer> {
    const sentAtMs = clock();
    const response = await options.fetch(url, {
      method,
      headers,
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'manual',
      ...(body === undefined ? {} : { body }),
    });
    const { status } = response;
    const [date, age] = ['date', 'age'].map((name) => response.headers.get(name) ?? undefined);
    storageClock.answered({ date, age, status, sentAtMs, receivedAtMs: clock() });
    const text = await response.text();
    const reason = saysNothing(status, text);
    if (reason !== undefined) {
      const said = new Error(
        `The endpoint answered ${reason} to ${method} ${pathOf(url)}; it cannot be tried out now.`,
      );
      // As the AWS SDK's errors have it.
      throw Object.assign(said, { $metadata: { httpStatusCode: status } });
    }
    return { status, headers: response.headers, text, ok: status >= 200 && status < 300 && !text.includes('<Error>') };
  }

  const send: ProbeRequests['send'] = (method, key, { query = [], headers = {}, body } = {}) => {
    const signed = signRequest({ ...common, method, path: `/${key}`, query, headers, nowMs: clock() });
    const { host: _host, ...sent } = signed.headers;
    return exchange(method, signed.url, sent, body);
  };

  return {
    newKey: () => {
      if (keys.length >= maxKeys) throw new Error(`A probe used more than ${maxKeys} keys.`);
      const key = makeKey(keys.length);
      keys.push(key);
      return key;
    },

    send,

    sendPresigned: (method, key, { signed = {}, headers = {}, query = [], body }) => {
      const path = `/${key}`;
      const nowMs = clock();
      const url = presignUrl({ ...common, method, path, headers: signed, query, nowMs, expiresSeconds: lifeSeconds });
      return exchange(method, url, headers, body);
    },

    post: (form, body, change = {}) => {
      const nowMs = clock();
      const fields = signPostPolicy({
        ...form,
        bucket,
        credentials,
        region,
        signingKeys,
        nowMs,
        expiresAtMs: nowMs + lifeSeconds * 1000,
      });
      const data = new FormData();
      for (const [name, value] of Object.entries({ ...fields, ...change })) data.append(name, value);
      data.append('file', new Blob([body]), 'probe');
      return exchange('POST', endpoint, {}, data);
    },

    ask: (method, key, headers) => exchange(method, `${endpoint}/${key}`, headers, undefined),

    bytesOf: async (key) => {
      const answer = await send('GET', key);
      return answer.ok ? answer.text : undefined;
    },

    beginParts: async (key, headers = {}) => {
      const answer = await send('POST', key, { query: [['uploads', '']], headers });
      const [, uploadId] = /<UploadId>([^<]+)<\/UploadId>/.exec(answer.text) ?? [];
      if (!answer.ok || uploadId === undefined) return undefined;
      uploads.push({ key, uploadId });
      return uploadId;
    },

    joinPart: (key, uploadId, etag, headers = {}) =>
      send('POST', key, {
        query: [['uploadId', uploadId]],
        headers: { ...headers, 'content-type': 'application/xml' },
        body: `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Part><PartNumber>1</PartNumber><ETag>${etag.replaceAll('"', '&quot;')}</ETag></Part></CompleteMultipartUpload>`,
      }),

    cleanUp: async () => {
      await eachOf(uploads, ({ key, uploadId }) => send('DELETE', key, { query: [['uploadId', uploadId]] }));
      let versioned = false;
      await eachOf(keys, async (key) => {
        const { headers } = await send('DELETE', key);
        versioned ||= headers.has('x-amz-version-id') || headers.has('x-amz-delete-marker');
      });
      if (!versioned) return;
      await eachOf(keys, async (key) => {
        const query = [
          ['versions', ''],
          ['prefix', key],
        ] as const;
        const { text } = await send('GET', '', { query });
        for (const [, versionId = ''] of text.matchAll(/<VersionId>([^<]+)<\/VersionId>/g)) {
          await send('DELETE', key, { query: [['versionId', versionId]] });
        }
      });
    },
  };
}

/** Without what is signed. */
function pathOf(url: string): string {
  const { pathname, searchParams } = new URL(url);
  const names = [...searchParams.keys()].filter((name) => !name.toLowerCase().startsWith('x-amz-'));
  return names.length === 0 ? pathname : `${pathname}?${names.join('&')}`;
}

async function eachOf<Item>(items: readonly Item[], work: (item: Item) => Promise<unknown>): Promise<void> {
  const waiting = items.values();
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (const item of waiting) await work(item);
    }),
  );
}

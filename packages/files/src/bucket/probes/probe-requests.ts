// How a probe speaks to the endpoint: by requests of its own, signed by hand, so that nothing between hides what it answers.
// Every key carries the service's MAC and stands under `probes/`; what a probe wrote is removed again.

import { type PostPolicyCondition, presignUrl, SigningKeys, signPostPolicy, signRequest } from '@stowage/s3';
import { bucketUrl, type S3Settings } from '../s3-settings.ts';

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
  readonly timeoutMs: number;
  /** Gives the n-th key of this run. */
  readonly makeKey: (number: number) => string;
}

/** More keys than all probes together need. */
const maxKeys = 100;
const lifeSeconds = 300;
/** Requests of the clean-up at the same time. */
const lanes = 8;
/** Answers by which an endpoint says that it cannot answer now: nothing was learned. */
const notNow = new Set([408, 429, 502, 503, 504]);

export function openProbeRequests(options: ProbeRequestsOptions): ProbeRequests {
  const { settings, clock, timeoutMs, makeKey } = options;
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
    const response = await options.fetch(url, {
      method,
      headers,
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'manual',
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    const { status } = response;
    if (notNow.has(status)) throw new Error(`The endpoint answered ${status} to ${method}; it cannot be probed now.`);
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

async function eachOf<Item>(items: readonly Item[], work: (item: Item) => Promise<unknown>): Promise<void> {
  const waiting = items.values();
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (const item of waiting) await work(item);
    }),
  );
}

// One bucket of an engine, over HTTP with signed requests and nothing between: what the crash tests see is what the engine said.

import { SigningKeys, signRequest } from '@stowage/s3';

interface HttpAnswer {
  readonly status: number;
  /** The code of S3's error document, or nothing. */
  readonly code: string | undefined;
  readonly etag: string;
  readonly body: Buffer;
}

interface HttpBucketOptions {
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly name: string;
}

type Query = readonly (readonly [name: string, value: string])[];

const region = 'us-east-1';
const pageKeys = 1000;

export class HttpBucket {
  readonly #options: HttpBucketOptions;
  readonly #signingKeys = new SigningKeys();

  constructor(options: HttpBucketOptions) {
    this.#options = options;
  }

  create(): Promise<HttpAnswer> {
    return this.#request('PUT', '');
  }

  put(key: string, body: Uint8Array): Promise<HttpAnswer> {
    return this.#request('PUT', `/${key}`, { body });
  }

  get(key: string): Promise<HttpAnswer> {
    return this.#request('GET', `/${key}`);
  }

  delete(key: string): Promise<HttpAnswer> {
    return this.#request('DELETE', `/${key}`);
  }

  /** Uploads parts one after the other, and completes them. The first answer that is no success is the last. */
  async upload(key: string, parts: readonly Uint8Array[]): Promise<HttpAnswer> {
    const path = `/${key}`;
    const created = await this.#request('POST', path, { query: [['uploads', '']] });
    if (created.status !== 200) return created;
    const uploadId = textOf(created, 'UploadId');
    const etags: string[] = [];
    for (const [index, body] of parts.entries()) {
      const query: Query = [
        ['partNumber', String(index + 1)],
        ['uploadId', uploadId],
      ];
      const part = await this.#request('PUT', path, { query, body });
      if (part.status !== 200) return part;
      etags.push(part.etag);
    }
    const named = etags.map((etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`);
    const document = `<CompleteMultipartUpload>${named.join('')}</CompleteMultipartUpload>`;
    return this.#request('POST', path, { query: [['uploadId', uploadId]], body: Buffer.from(document) });
  }

  /** All keys. @throws Error when a page is refused. */
  async keys(): Promise<string[]> {
    const keys: string[] = [];
    let after = '';
    for (;;) {
      const query: Query = [
        ['list-type', '2'],
        ['max-keys', String(pageKeys)],
        ['start-after', after],
      ];
      const page = await this.#request('GET', '', { query });
      if (page.status !== 200) throw new Error(`The listing answers ${page.status} ${page.code}.`);
      const found = [...page.body.toString().matchAll(/<Key>([^<]*)<\/Key>/g)].map((match) => match[1] ?? '');
      keys.push(...found);
      after = found.at(-1) ?? '';
      if (!page.body.toString().includes('<IsTruncated>true</IsTruncated>')) return keys;
    }
  }

  async #request(
    method: string,
    path: string,
    { query = [], body }: { readonly query?: Query; readonly body?: Uint8Array } = {},
  ): Promise<HttpAnswer> {
    const { endpoint, credentials, name } = this.#options;
    const { url, headers } = signRequest({
      method,
      endpoint,
      path: `/${name}${path}`,
      query,
      credentials,
      region,
      nowMs: Date.now(),
      signingKeys: this.#signingKeys,
    });
    const answer = await fetch(url, { method, headers, ...(body === undefined ? {} : { body: Buffer.from(body) }) });
    const bytes = Buffer.from(await answer.arrayBuffer());
    const isError = answer.status >= 400 || bytes.subarray(0, 200).includes('<Error>');
    const code = isError ? /<Code>([^<]*)<\/Code>/.exec(bytes.toString())?.[1] : undefined;
    // An error can come in the body of a success: then it is none.
    const status = answer.status < 400 && code !== undefined ? 500 : answer.status;
    return { status, code, etag: answer.headers.get('etag') ?? '', body: bytes };
  }
}

function textOf({ body }: HttpAnswer, element: string): string {
  return new RegExp(`<${element}>([^<]*)</${element}>`).exec(body.toString())?.[1] ?? '';
}

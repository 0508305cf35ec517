import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SigningKeys, signRequest } from '@stowage/s3';
import { type ObjectStore, openMemoryStore } from '@stowage/store';
import { type Engine, startEngine } from './engine.ts';

const signingKeys = new SigningKeys();

interface Sent {
  readonly query?: readonly (readonly [name: string, value: string])[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

async function send(engine: Engine, method: string, path: string, sent: Sent = {}): Promise<[Response, string]> {
  const { endpoint, credentials, region } = engine;
  const { query = [], headers = {}, body } = sent;
  const parts = { method, endpoint, path, query, headers, credentials, region, nowMs: Date.now(), signingKeys };
  const signed = signRequest(parts);
  const response = await fetch(signed.url, {
    method,
    headers: { ...headers, ...signed.headers },
    body: body ?? null,
  });
  return [response, await response.text()];
}

/**
 * What a worker may see whose committer goes on meanwhile: a request finds one version of `source`, and has the next one by
 * the time it opens it.
 */
function overtaken(store: ObjectStore, earlier: ReturnType<ObjectStore['headObject']>): ObjectStore {
  return new Proxy(store, {
    get: (target, name) => {
      if (name === 'headObject') return () => earlier;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

describe('the source of UploadPartCopy', () => {
  it('is judged by the version whose bytes are read', async () => {
    const store = openMemoryStore();
    const before = await startEngine({ store });
    await send(before, 'PUT', '/bucket');
    const [first] = await send(before, 'PUT', '/bucket/source', { body: 'the first version' });
    const earlier = store.headObject({ bucket: 'bucket', key: 'source' });
    const [second] = await send(before, 'PUT', '/bucket/source', { body: 'another' });
    const [, started] = await send(before, 'POST', '/bucket/target', { query: [['uploads', '']] });
    await before.close();

    const engine = await startEngine({ store: overtaken(store, earlier) });
    try {
      const uploadId = /<UploadId>([^<]*)/.exec(started)?.[1] ?? '';
      const copy = (conditions: Readonly<Record<string, string>>): Promise<[Response, string]> =>
        send(engine, 'PUT', '/bucket/target', {
          query: [
            ['partNumber', '1'],
            ['uploadId', uploadId],
          ],
          headers: { 'x-amz-copy-source': '/bucket/source', ...conditions },
        });
      const [refused, why] = await copy({ 'x-amz-copy-source-if-match': first.headers.get('etag') ?? '' });
      assert.equal(refused.status, 412, why);
      const [taken, part] = await copy({ 'x-amz-copy-source-if-match': second.headers.get('etag') ?? '' });
      assert.equal(taken.status, 200, part);
      const { parts } = store.listParts({ bucket: 'bucket', key: 'target', uploadId, after: 0, limit: 10 });
      assert.deepEqual(
        parts.map(({ sizeBytes, etag }) => [sizeBytes, `"${etag}"`]),
        [['another'.length, second.headers.get('etag')]],
      );
    } finally {
      await engine.close();
      await store.close();
    }
  });
});

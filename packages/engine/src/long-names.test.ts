// Names and markers of any length get S3's answer, not an error of ours: over a store on disk, whose index takes keys of
// limited length, and from strangers too.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { SigningKeys, signRequest } from '@stowage/s3';
import { type Engine, startEngine } from './engine.ts';

type Answer = readonly [status: number, code: string | undefined];
type Query = readonly (readonly [name: string, value: string])[];

const sizes = [1025, 1971, 1972, 3000, 5000];

describe('names longer than there can be', () => {
  let directory: string;
  let engine: Engine;
  const errors: string[] = [];
  const signingKeys = new SigningKeys();

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stowage-names-'));
    const ignore = (): void => undefined;
    engine = await startEngine({
      directory,
      log: { info: ignore, warn: ignore, error: (message) => void errors.push(message) },
    });
    assert.deepEqual(await send('PUT', '/bucket'), [200, undefined]);
    assert.deepEqual(await send('PUT', '/bucket/source'), [200, undefined]);
  });
  after(async () => {
    await engine.close();
    await rm(directory, { recursive: true });
    assert.deepEqual(errors, [], 'nothing is for the log of errors');
  });

  async function send(
    method: string,
    path: string,
    query: Query = [],
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const { endpoint, credentials, region } = engine;
    const signed = signRequest({
      method,
      endpoint,
      path,
      query,
      headers,
      credentials,
      region,
      nowMs: Date.now(),
      signingKeys,
    });
    return answerOf(await fetch(signed.url, { method, headers: { ...headers, ...signed.headers } }));
  }

  it('list nothing, or begin where they stand', async () => {
    for (const size of sizes) {
      const long = 'a'.repeat(size);
      const queries: Query[] = [
        [['prefix', long]],
        [['marker', long]],
        [
          ['list-type', '2'],
          ['prefix', long],
        ],
        [
          ['list-type', '2'],
          ['start-after', long],
        ],
        [
          ['list-type', '2'],
          ['delimiter', long],
        ],
        [
          ['versions', ''],
          ['key-marker', long],
        ],
        [
          ['versions', ''],
          ['prefix', long],
        ],
        [
          ['uploads', ''],
          ['prefix', long],
        ],
        [
          ['uploads', ''],
          ['key-marker', long],
        ],
        [
          ['uploads', ''],
          ['key-marker', long],
          ['upload-id-marker', '0'.repeat(32)],
        ],
      ];
      for (const query of queries) {
        assert.deepEqual(
          await send('GET', '/bucket', query),
          [200, undefined],
          `${query.map(([name]) => name)} ${size}`,
        );
      }
      assert.deepEqual(await send('GET', '/', [['prefix', long]]), [200, undefined]);
    }
  });

  it('are refused by name', async () => {
    for (const size of sizes) {
      const long = 'a'.repeat(size);
      const copyOf = (source: string): Promise<Answer> =>
        send('PUT', '/bucket/target', [], { 'x-amz-copy-source': source });
      assert.deepEqual(await copyOf(`/bucket/${long}`), [400, 'KeyTooLongError']);
      assert.deepEqual(await copyOf(`/${long}/source`), [404, 'NoSuchBucket']);
      assert.deepEqual(await send('PUT', `/bucket/${long}`), [400, 'KeyTooLongError']);
      assert.deepEqual(await send('PUT', `/${long}`), [400, 'InvalidBucketName']);
      assert.deepEqual(await send('GET', `/${long}`), [404, 'NoSuchBucket']);
    }
  });

  it('are refused to strangers in the same way', async () => {
    for (const size of sizes) {
      const long = 'a'.repeat(size);
      for (const path of [`/${long}/`, `/${long}/key`]) {
        const [status, code] = await answerOf(await fetch(engine.endpoint + path));
        assert.ok(status === 403 || status === 404, `${status} ${code} for a bucket of ${size}`);
      }
      assert.deepEqual(await answerOf(await fetch(`${engine.endpoint}/bucket/${long}`)), [400, 'KeyTooLongError']);
    }
  });
});

async function answerOf(response: Response): Promise<Answer> {
  return [response.status, /<Code>([^<]*)<\/Code>/.exec(await response.text())?.[1]];
}

// What becomes of a flipped byte, seen from outside: the object is not served, and everything that tells of the store names it.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { presignUrl, SigningKeys } from '@stowage/s3';
import { type Engine, startEngine } from './engine.ts';

async function send(engine: Engine, method: 'GET' | 'PUT', path: string, body?: string): Promise<Response> {
  const { endpoint, credentials, region } = engine;
  const signing = { nowMs: Date.now(), signingKeys: new SigningKeys(), expiresSeconds: 60 };
  const url = presignUrl({ endpoint, method, path, credentials, region, ...signing });
  return fetch(url, body === undefined ? { method } : { method, body });
}

it('never serves a damaged object, and names it in log, health and metrics', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'stowage-engine-'));
  const told: string[] = [];
  const tell = (message: string, fields: object): void => void told.push(`${message} ${JSON.stringify(fields)}`);
  const log = { info: tell, warn: tell, error: tell };
  const engine = await startEngine({ directory, log, scrub: { bytesPerSecond: 123_456 } });
  try {
    await send(engine, 'PUT', '/bucket', '');
    for (const key of ['good', 'bad']) {
      assert.equal((await send(engine, 'PUT', `/bucket/${key}`, `these are the bytes of ${key}`)).status, 200);
    }
    const segment = join(directory, 'journal', '000001.seg');
    const bytes = await readFile(segment);
    const at = bytes.indexOf('these are the bytes of bad');
    bytes[at + 3] = (bytes[at + 3] ?? 0) ^ 0x20;
    await writeFile(segment, bytes);

    const answer = await send(engine, 'GET', '/bucket/bad');
    assert.equal(answer.status, 500);
    assert.doesNotMatch(await answer.text(), /bytes of bad/);
    assert.equal(await (await send(engine, 'GET', '/bucket/good')).text(), 'these are the bytes of good');

    assert.ok(told.some((line) => line.startsWith('Stored bytes are damaged') && line.includes('bucket/bad')));
    const health: unknown = await (await fetch(`${engine.endpoint}/_stowage/health`)).json();
    assert.partialDeepStrictEqual(health, {
      status: 'ok',
      damagedPlaces: 1,
      damage: [{ file: 'journal/000001.seg', objects: [{ bucket: 'bucket', key: 'bad' }] }],
      scrub: { bytesPerSecond: 123_456, running: false },
    });
    const metrics = await (await fetch(`${engine.endpoint}/_stowage/metrics`)).text();
    for (const line of ['stowage_damage_total 1', 'stowage_damaged_object{bucket="bucket",key="bad"} 1']) {
      assert.ok(metrics.split('\n').includes(line), line);
    }
  } finally {
    await engine.close();
    await rm(directory, { recursive: true });
  }
});

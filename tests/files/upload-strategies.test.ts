// Ways to send: forms, batches, and checksums that were announced; signed where the endpoint compares, compared afterwards where not.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { createClient } from '@stowage/client';
import type { UploadOutcomes } from '@stowage/contract';
import { startEngine } from '@stowage/engine';
import type { EndpointOptions, KnownEndpoint, UploadPolicies } from '@stowage/files';
import { digestOf } from '@stowage/s3';
import { openWorld, requestOf, send, type World } from './endpoint-world.ts';

const mib = 1024 * 1024;

async function open(t: TestContext, kind: KnownEndpoint = 'engine', policies?: UploadPolicies): Promise<World> {
  const engine = await startEngine();
  t.after(() => engine.close());
  const { endpoint, region, credentials } = engine;
  const known: EndpointOptions = { kind, probing: 'forbidden' };
  return openWorld(t, {
    s3: { endpoint, region, bucket: 'stowage-files', credentials, forcePathStyle: true },
    endpoint: known,
    limits: { multipartThresholdBytes: 5 * mib, minPartSizeBytes: 5 * mib },
    ...(policies === undefined ? {} : { policies }),
  });
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64');
const crc = (algorithm: 'CRC32' | 'CRC64NVME', text: string): string =>
  Buffer.from(digestOf(algorithm, Buffer.from(text))).toString('base64');

test('a form writes what was announced and nothing else: the bucket refuses more, less, another type, another key', async (t) => {
  const world = await open(t);
  const upload = await world.announce({ sizeBytes: 4, accepts: ['form'] });
  assert.equal(upload.strategy, 'form');
  const request = requestOf(upload);
  assert.equal(request.method, 'POST');
  const { fields } = request;
  assert.ok(fields);
  for (const [bytes, change] of [
    ['longer', {}],
    ['les', {}],
    ['good', { 'Content-Type': 'text/html' }],
    ['good', { key: 'files/another' }],
  ] as const) {
    assert.ok((await send({ ...request, fields: { ...fields, ...change } }, bytes)) >= 400, JSON.stringify(change));
  }
  assert.equal(await send(request, 'good'), 201);
  await world.complete(upload);
  await world.settle(upload.id, 'ready');
  assert.equal(await world.download(upload.id), 'good');
});

test('a policy chooses among the ways that a client can go', async (t) => {
  const world = await open(t, 'engine', { pages: { strategies: ['form'] } });
  const upload = await world.announce({ sizeBytes: 4, category: 'pages', accepts: ['put', 'form'] });
  assert.equal(upload.strategy, 'form');
  const problem = await world.refused('POST', '/v1/uploads', { name: 'a', sizeBytes: 4, category: 'pages' });
  assert.equal(problem.code, 'invalid-request');
});

test('a policy limits what one user may hold in a category; what is given up is free again', async (t) => {
  const world = await open(t, 'engine', { pages: { userQuotaBytes: 10 } });
  const page = { name: 'a.txt', contentType: 'text/plain', category: 'pages' };
  const first = await world.announce({ ...page, sizeBytes: 6 });
  const refused = await world.refused('POST', '/v1/uploads', { ...page, sizeBytes: 5 });
  assert.equal(refused.code, 'quota-exceeded');
  assert.match(refused.detail ?? '', /4 of your 10 for pages are left/);
  await world.announce({ sizeBytes: 5 });
  const both = await Promise.all([1, 2].map(() => world.ask('POST', '/v1/uploads', { ...page, sizeBytes: 3 })));
  assert.deepEqual(both.map(({ status }) => status).sort(), [201, 422]);
  await world.call('DELETE', `/v1/uploads/${first.id}`);
  await world.announce({ ...page, sizeBytes: 7 });
});

test('a batch answers for each upload by itself, in order, and the same again when it is repeated', async (t) => {
  const world = await open(t);
  const uploads = [
    { name: 'one.txt', sizeBytes: 1 },
    { name: 'huge', sizeBytes: 6_000_000_000_000 },
    { name: 'many parts', sizeBytes: 12 * mib },
    { name: 'unknown', sizeBytes: 1, category: 'missing' },
  ];
  const ask = (key: string) =>
    world.call<UploadOutcomes>('POST', '/v1/uploads/batch', { uploads }, { 'idempotency-key': key });
  const { results } = await ask('once');
  assert.deepEqual(
    results.map(({ upload, problem }) => upload?.strategy ?? problem?.code),
    ['put', 'file-too-large', 'multipart', 'invalid-request'],
  );
  const again = await ask('once');
  assert.deepEqual(
    again.results.map(({ upload }) => upload?.id),
    results.map(({ upload }) => upload?.id),
  );
  assert.notEqual((await ask('twice')).results[0]?.upload?.id, results[0]?.upload?.id);
  const tooMany = { uploads: Array.from({ length: 101 }, () => ({ name: 'a', sizeBytes: 1 })) };
  assert.equal((await world.refused('POST', '/v1/uploads/batch', tooMany)).code, 'invalid-request');
});

for (const [algorithm, checksumOf] of [
  ['sha256', sha256],
  ['crc32', (text: string) => crc('CRC32', text)],
  ['crc64nvme', (text: string) => crc('CRC64NVME', text)],
] as const) {
  test(`${algorithm}, announced of the whole: the bucket itself refuses other bytes`, async (t) => {
    const world = await open(t);
    const checksum = { algorithm, value: checksumOf('good') };
    const upload = await world.announce({ sizeBytes: 4, checksum });
    const request = requestOf(upload);
    assert.equal(request.headers[`x-amz-checksum-${algorithm}`], checksum.value);
    assert.equal(await send(request, 'evil'), 400);
    const { [`x-amz-checksum-${algorithm}`]: _left, ...headers } = request.headers;
    assert.equal(await send({ ...request, headers }, 'evil'), 403, 'it cannot be left out');
    assert.equal(await send(request, 'good'), 200);
    await world.complete(upload);
    await world.settle(upload.id, 'ready');
  });

  test(`${algorithm}, announced to an endpoint that does not compare: the service does, once the bytes are there`, async (t) => {
    const world = await open(t, 'ceph16');
    for (const [bytes, state] of [
      ['good', 'ready'],
      ['evil', 'rejected'],
    ] as const) {
      const upload = await world.announce({ sizeBytes: 4, checksum: { algorithm, value: checksumOf('good') } });
      assert.equal(await send(requestOf(upload), bytes), 200);
      await world.complete(upload);
      await world.settle(upload.id, state);
    }
  });
}

test('of parts: each is bound to its own bytes, and the whole is compared where it can be', async (t) => {
  const world = await open(t);
  const text = 'Parts.'.padEnd(5 * mib + 3, '.');
  const [one, two] = [text.slice(0, 5 * mib), text.slice(5 * mib)];
  for (const algorithm of ['crc32', 'sha256', 'crc64nvme'] as const) {
    const value = (bytes: string): string =>
      algorithm === 'sha256' ? sha256(bytes) : crc(algorithm === 'crc32' ? 'CRC32' : 'CRC64NVME', bytes);
    const upload = await world.announce({ sizeBytes: text.length, checksum: { algorithm } });
    const parts = await world.signParts(upload, { 1: value(one), 2: value(two) });
    const [first, second] = parts;
    assert.ok(first !== undefined && second !== undefined);
    assert.equal(await send(first, '!'.repeat(5 * mib)), 400);
    assert.equal(await send(first, one), 200);
    assert.equal(await send(second, two), 200);
    await world.complete(upload);
    await world.settle(upload.id, 'ready');

    const whole = await world.announce({ sizeBytes: text.length, checksum: { algorithm, value: value(`${one}xyz`) } });
    const [firstOfWhole, secondOfWhole] = await world.signParts(whole);
    assert.ok(firstOfWhole !== undefined && secondOfWhole !== undefined);
    assert.equal(await send(firstOfWhole, one), 200);
    assert.equal(await send(secondOfWhole, two), 200);
    const completed = await world.ask('POST', `/v1/uploads/${whole.id}/complete`);
    if (algorithm !== 'crc64nvme') {
      await world.settle(whole.id, 'rejected');
      continue;
    }
    // Of this one alone the bucket knows that of the whole by those of the parts, and does not join them.
    assert.equal(completed.status, 409);
    assert.match(await completed.text(), /"checksum-wrong".*crc64nvme/);
    assert.equal(await send(secondOfWhole, 'xyz'), 200);
    await world.complete(whole);
    await world.settle(whole.id, 'ready');
  }
});

test('checksums that are none are refused before anything is signed', async (t) => {
  const world = await open(t);
  for (const checksum of [
    { algorithm: 'sha256', value: 'short' },
    { algorithm: 'crc32', value: sha256('long') },
    { algorithm: 'md5', value: 'x' },
  ]) {
    const problem = await world.refused('POST', '/v1/uploads', { name: 'a', sizeBytes: 1, checksum });
    assert.equal(problem.code, 'invalid-request');
  }
  const upload = await world.announce({ sizeBytes: 6 * mib });
  const body = { partNumbers: [1], checksums: { 1: sha256('x') } };
  assert.match((await world.refused('POST', `/v1/uploads/${upload.id}/parts/sign`, body)).detail ?? '', /no algorithm/);
});

test('the uploader sends a form where the policy wants one, and a PUT where it is free to choose', async (t) => {
  const sent: string[] = [];
  for (const strategy of ['form', 'put'] as const) {
    const world = await open(t, 'engine', strategy === 'form' ? { default: { strategies: ['form'] } } : undefined);
    const client = createClient({
      baseUrl: 'http://files.test',
      fetch: async (input, init) => {
        const url = new URL(String(input));
        if (url.origin !== 'http://files.test') {
          sent.push(init?.method ?? 'GET');
          return fetch(input, init);
        }
        const body = init?.body === undefined ? undefined : JSON.parse(String(init.body));
        const response = await world.ask(init?.method ?? 'GET', `${url.pathname}${url.search}`, body);
        await world.service.tick();
        return response;
      },
    });
    const upload = client.upload(new File(['what a form carries'], 'a "form".txt', { type: 'text/plain' }));
    const { fileId } = await upload.ready;
    assert.equal(upload.progress.sentBytes, 19);
    assert.equal(await world.download(fileId), 'what a form carries');
  }
  assert.deepEqual(sent, ['POST', 'PUT']);
});

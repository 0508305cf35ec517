// What an endpoint can do is found by trying, kept, tried again when it is old, and never assumed: what was not proven is replaced by
// the next means, and without any the service takes no files and says why. And an endpoint that is gone is not waited for.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startEngine } from '@stowage/engine';
import { openFileService, type S3Settings } from '@stowage/files';
import { openWorld, requestOf, send } from './endpoint-world.ts';
import { type LameEndpoint, startLameEndpoint } from './lame-endpoint.ts';

interface Tried {
  readonly s3: S3Settings;
  readonly lame: LameEndpoint;
  /** Requests of probes so far. */
  probes(): number;
}

async function openLame(t: TestContext): Promise<Tried> {
  const engine = await startEngine();
  t.after(() => engine.close());
  const lame = await startLameEndpoint(t, engine.endpoint);
  const { region, credentials } = engine;
  return {
    s3: { endpoint: lame.endpoint, region, bucket: 'stowage-files', credentials, forcePathStyle: true },
    lame,
    probes: () => lame.asked.filter(({ url }) => url.includes('/probes/')).length,
  };
}

/** Says 200 where the endpoint refused by condition, as one does that does not look at conditions. */
function ignoreConditions(lame: LameEndpoint): void {
  lame.amend = ({ status }) => (status === 412 ? { status: 200 } : undefined);
}

test('the engine is tried out once, nothing is left of it, and it is what is known of it', async (t) => {
  const { s3, probes } = await openLame(t);
  const world = await openWorld(t, { s3, endpoint: { kind: 'engine' } });
  const upload = await world.announce({ sizeBytes: 4 });
  const tried = probes();
  assert.ok(tried > 40, `${tried} requests`);
  assert.deepEqual(await world.keys(), []);
  assert.ok(!world.log.some((line) => line.includes('not what was said of it')), world.log.join('\n'));
  assert.equal(world.row(upload.id).sealedBy, 'if-none-match');
  await world.announce({ sizeBytes: 4 });
  await world.reopen();
  await world.announce({ sizeBytes: 4 });
  assert.equal(probes(), tried, 'what was found is kept');
});

test('it is tried out again when what was found is old, and when somebody asks', async (t) => {
  const { s3, probes } = await openLame(t);
  let aheadMs = 0;
  const world = await openWorld(t, { s3, aheadMs: () => aheadMs, limits: { profileLifeMs: 600_000 } });
  await world.service.prepared();
  const once = probes();
  assert.equal((await world.service.probeEndpoint()).conditionalPut, true);
  assert.equal(probes(), 2 * once);
  aheadMs = 599_000;
  await world.service.prepared();
  assert.equal(probes(), 2 * once);
  aheadMs = 601_000;
  // What was found before holds while it is tried out: nobody waits.
  await world.service.prepared();
  await world.service.close();
  assert.equal(probes(), 3 * once);
});

test('an endpoint that cannot answer now is not judged: nothing is kept, and the next upload tries again', async (t) => {
  const { s3, lame } = await openLame(t);
  lame.hinder = ({ url }) => (url.includes('/probes/') ? 503 : undefined);
  const world = await openWorld(t, { s3 });
  assert.equal((await world.refused('POST', '/v1/uploads', { name: 'a', sizeBytes: 1 })).code, 'storage-unavailable');
  lame.hinder = () => undefined;
  assert.equal((await world.announce({ sizeBytes: 1 })).state, 'pending');
});

test('what is not proven is replaced: without conditional writes a PUT is promoted, and the bytes are as safe', async (t) => {
  const { s3, lame } = await openLame(t);
  ignoreConditions(lame);
  const world = await openWorld(t, { s3 });
  const upload = await world.announce({ sizeBytes: 4 });
  assert.equal(world.row(upload.id).sealedBy, 'promotion');
  await send(requestOf(upload), 'good');
  await world.complete(upload);
  await send(requestOf(upload), 'evil');
  await world.settle(upload.id, 'ready');
  await send(requestOf(upload), 'evil');
  assert.equal(await world.download(upload.id), 'good');
});

test('a seal that is demanded and not proven: no upload is taken, the reason is told, the next start refuses', async (t) => {
  const { s3, lame } = await openLame(t);
  ignoreConditions(lame);
  const world = await openWorld(t, { s3, endpoint: { seals: ['if-none-match'] } });
  const problem = await world.refused('POST', '/v1/uploads', { name: 'a', sizeBytes: 1 });
  assert.equal(problem.code, 'storage-unavailable');
  assert.match(problem.detail ?? '', /if-none-match needs conditionalPut/);
  assert.match(problem.detail ?? '', /Enable versioning on the bucket/);
  await assert.rejects(world.reopen(), /was not proven to keep bytes as they were judged/);
});

test('an endpoint that drops the headers a download signs is refused: pages could be made to run files', async (t) => {
  const { s3, lame } = await openLame(t);
  lame.amend = ({ headers: { 'content-disposition': disposition, ...headers } }) =>
    disposition === undefined ? undefined : { headers };
  const world = await openWorld(t, { s3 });
  const problem = await world.refused('POST', '/v1/uploads', { name: 'a', sizeBytes: 1 });
  assert.match(problem.detail ?? '', /does not answer with the type and disposition/);
});

test('where trying out is forbidden the kind decides, and has to be said', async (t) => {
  const { s3, probes } = await openLame(t);
  const world = await openWorld(t, { s3, endpoint: { kind: 'r2', probing: 'forbidden' } });
  assert.equal((await world.announce({ sizeBytes: 1 })).strategy, 'put');
  const problem = await world.refused('POST', '/v1/uploads', { name: 'a', sizeBytes: 1, accepts: ['form'] });
  assert.match(problem.detail ?? '', /promotion needs form/);
  assert.equal(probes(), 0);
  const unsaid = openFileService({
    s3,
    endpoint: { probing: 'forbidden' },
    database: { path: ':memory:' },
    secret: new Uint8Array(32),
    background: false,
  });
  await assert.rejects(unsaid, RangeError);
});

test('an endpoint that is silent is not waited for: the circuit opens, tells when to ask again, and closes', async (t) => {
  const { s3, lame } = await openLame(t);
  let aheadMs = 0;
  const world = await openWorld(t, {
    s3,
    endpoint: { kind: 'engine', probing: 'forbidden' },
    limits: { bucketTimeoutMs: 200, bucketRetries: 0, circuitFailures: 3, circuitOpenMs: 4_000 },
    aheadMs: () => aheadMs,
  });
  const upload = await world.announce({ sizeBytes: 4 });
  await send(requestOf(upload), 'good');
  lame.hinder = ({ method }) => (method === 'HEAD' ? 'silent' : undefined);
  const path = `/v1/uploads/${upload.id}/complete`;
  for (let count = 0; count < 3; count++) assert.equal((await world.refused('POST', path)).code, 'storage-unavailable');
  const before = lame.asked.length;
  const startedMs = performance.now();
  const refused = await world.ask('POST', path);
  assert.equal(refused.status, 503);
  assert.ok(performance.now() - startedMs < 150, 'at once');
  assert.ok(Number(refused.headers.get('retry-after')) <= 4);
  assert.equal(lame.asked.length, before, 'the endpoint is left alone');
  assert.match(await world.metrics(), /stowage_files_storage_circuit 2/);
  assert.match(await world.metrics(), /stowage_files_storage_requests_total\{operation="head",outcome="refused"\} 1/);

  aheadMs = 4_100;
  assert.equal((await world.refused('POST', path)).code, 'storage-unavailable');
  lame.hinder = () => undefined;
  assert.equal((await world.refused('POST', path)).code, 'storage-unavailable', 'a trial that failed doubles the time');
  aheadMs = 12_500;
  assert.equal((await world.complete(upload)).state, 'uploaded');
  assert.match(await world.metrics(), /stowage_files_storage_circuit 0/);
});

test('a request that fails is tried again, but never a copy that could be carried out twice', async (t) => {
  const { s3, lame } = await openLame(t);
  const world = await openWorld(t, { s3, endpoint: { kind: 'engine', probing: 'forbidden', seals: ['promotion'] } });
  const upload = await world.announce({ sizeBytes: 4 });
  await send(requestOf(upload), 'good');
  let heads = 0;
  lame.hinder = ({ method }) => (method === 'HEAD' && heads++ === 0 ? 500 : undefined);
  const isCopy = (headers: object): boolean => 'x-amz-copy-source' in headers;
  let copies = 0;
  lame.amend = (_answer, { headers }) => (isCopy(headers) && copies++ === 0 ? { status: 500 } : undefined);
  assert.equal((await world.refused('POST', `/v1/uploads/${upload.id}/complete`)).code, 'storage-unavailable');
  assert.ok(heads > 1, 'HEAD was asked again');
  assert.equal(copies, 1);
  assert.equal((await world.complete(upload)).state, 'uploaded', 'the copy whose answer was lost is found');
  assert.equal(lame.asked.filter(({ headers }) => isCopy(headers)).length, 1);
  await world.settle(upload.id, 'ready');
  assert.equal(await world.download(upload.id), 'good');
});

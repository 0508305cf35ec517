// What an endpoint can do is found by trying, kept, tried again when it is old, and never assumed: what was not proven is replaced by
// the next means, and without any the service takes no files and says why. And an endpoint that is gone is not waited for.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Problem } from '@stowage/contract';
import { startEngine } from '@stowage/engine';
import { checkFileService, type FileServiceOptions, openFileService, type S3Settings } from '@stowage/files';
import { openWorld, requestOf, send } from './endpoint-world.ts';
import { type LameEndpoint, startLameEndpoint } from './lame-endpoint.ts';

const minuteMs = 60_000;

interface Tried {
  readonly s3: S3Settings;
  readonly lame: LameEndpoint;
  /** Requests of probes so far. */
  probes(): number;
  /** How often the endpoint was tried out so far. */
  trials(): number;
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
    // Of which there is one each.
    trials: () => lame.asked.filter(({ url }) => url.includes('/probes/') && url.includes('response-content-')).length,
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
  let [aheadMs, elapsedMs] = [0, 0];
  const clocks = { aheadMs: () => aheadMs, elapsedMs: () => elapsedMs };
  const world = await openWorld(t, { s3, ...clocks, limits: { profileLifeMs: 600_000 } });
  await world.service.prepared();
  const once = probes();
  assert.equal((await world.service.probeEndpoint()).conditionalPut, true);
  assert.equal(probes(), 2 * once);
  aheadMs = 599_000;
  await world.service.prepared();
  assert.equal(probes(), 2 * once);
  [aheadMs, elapsedMs] = [601_000, 601_000];
  // What was found before holds while it is tried out: nobody waits.
  await world.service.prepared();
  await world.service.close();
  assert.equal(probes(), 3 * once);
});

test('what was found at a time that has not come yet is as good as old', async (t) => {
  const { s3, probes } = await openLame(t);
  let aheadMs = 10 * minuteMs;
  const world = await openWorld(t, { s3, aheadMs: () => aheadMs });
  await world.service.prepared();
  const once = probes();
  aheadMs = 0;
  await world.reopen();
  await world.service.prepared();
  assert.equal(probes(), once, 'clocks of instances may differ by so much');
  aheadMs = -10 * minuteMs;
  await world.service.prepared();
  await world.service.close();
  assert.equal(probes(), 2 * once);
});

test('an endpoint that cannot answer now is not judged: nothing is kept, and the next upload tries again', async (t) => {
  const { s3, lame } = await openLame(t);
  lame.hinder = ({ url }) => (url.includes('/probes/') ? 503 : undefined);
  const world = await openWorld(t, { s3 });
  assert.equal((await world.refused('POST', '/v1/uploads', { name: 'a', sizeBytes: 1 })).code, 'storage-unavailable');
  lame.hinder = () => undefined;
  assert.equal((await world.announce({ sizeBytes: 1 })).state, 'pending');
});

test('one bad answer while it is tried out says nothing of it: the next upload finds out, and so does a restart', async (t) => {
  const { s3, lame } = await openLame(t);
  let answers = 0;
  lame.hinder = ({ method, url }) =>
    method === 'GET' && url.includes('response-content-') && answers++ < 2 ? 500 : undefined;
  const world = await openWorld(t, { s3, endpoint: { kind: 'engine' } });
  const problem = await world.refused('POST', '/v1/uploads', { name: 'a', sizeBytes: 1 });
  assert.match(problem.detail ?? '', /could not be found out/);
  await world.reopen();
  await world.refused('POST', '/v1/uploads', { name: 'a', sizeBytes: 1 });
  answers = 0;
  assert.match(await complaintOf({ s3 }), /could not be found out.*: The endpoint answered 500 Hindered to GET/);
  answers = 2;
  assert.equal((await world.announce({ sizeBytes: 1 })).state, 'pending');
});

test('keys that may not write say nothing of the endpoint: nothing is kept, and what was refused is told', async (t) => {
  const { s3, lame, probes } = await openLame(t);
  lame.hinder = ({ method, url }) => (method === 'PUT' && url.includes('/probes/') ? 403 : undefined);
  const world = await openWorld(t, { s3 });
  const problem = await world.refused('POST', '/v1/uploads', { name: 'a', sizeBytes: 1 });
  assert.match(problem.detail ?? '', /did not take bytes by a plain presigned PUT \(it answered 403 Hindered\)/);
  assert.ok(probes() < 5, 'nothing else was asked');
  assert.match(await complaintOf({ s3 }), /answers 403 for the bucket/);
  // Taken away while it is tried out: what was refused since then was not refused for itself.
  lame.hinder = ({ method, url }) => (method === 'PUT' && url.includes('/probes/') && probes() > 20 ? 403 : undefined);
  await world.refused('POST', '/v1/uploads', { name: 'a', sizeBytes: 1 });
  lame.hinder = () => undefined;
  assert.equal(world.row((await world.announce({ sizeBytes: 1 })).id).sealedBy, 'if-none-match');
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

test('a seal that is demanded and not proven: no upload is taken, the reason is told, and it is tried out again', async (t) => {
  const { s3, lame, trials } = await openLame(t);
  let elapsedMs = 0;
  const upload = { name: 'a', sizeBytes: 1 };
  const world = await openWorld(t, { s3, endpoint: { seals: ['if-none-match'] }, elapsedMs: () => elapsedMs });
  const ready = await world.announce({ sizeBytes: 4 });
  await send(requestOf(ready), 'good');
  await world.complete(ready);
  await world.settle(ready.id, 'ready');
  ignoreConditions(lame);
  // One trial that finds less is not believed, and is not followed by another at once.
  await world.service.probeEndpoint();
  await world.announce({ sizeBytes: 1 });
  assert.equal(trials(), 2);
  elapsedMs = minuteMs;
  await world.announce({ sizeBytes: 1 });
  await world.service.probeEndpoint();
  assert.equal(trials(), 3, 'the one that was under way was waited for');
  const refused = await world.ask('POST', '/v1/uploads', upload);
  const problem: Problem = await refused.json();
  assert.equal(problem.code, 'storage-unavailable');
  assert.match(problem.detail ?? '', /if-none-match needs conditionalPut/);
  assert.match(problem.detail ?? '', /Enable versioning on the bucket/);
  assert.equal(refused.headers.get('retry-after'), '60');
  assert.equal(await world.download(ready.id), 'good');

  // A start with what was found is one all the same; and the first to come has it tried out again.
  await world.reopen();
  assert.ok(world.log.some((line) => line.startsWith('The endpoint was found not to suffice; it is tried out again.')));
  assert.equal(await world.download(ready.id), 'good');
  lame.amend = () => undefined;
  assert.equal((await world.ask('POST', '/v1/uploads', upload)).headers.get('retry-after'), '5');
  await world.service.probeEndpoint();
  assert.equal(trials(), 4);
  await world.announce({ sizeBytes: 1 });
});

test('an endpoint of which the first trial says that it does not suffice is tried out a second time, later', async (t) => {
  const { s3, lame, trials } = await openLame(t);
  let elapsedMs = 0;
  ignoreConditions(lame);
  const world = await openWorld(t, { s3, endpoint: { seals: ['if-none-match'] }, elapsedMs: () => elapsedMs });
  const upload = { name: 'a', sizeBytes: 1 };
  await world.refused('POST', '/v1/uploads', upload);
  await world.refused('POST', '/v1/uploads', upload);
  assert.equal(trials(), 1);
  assert.match(await complaintOf({ s3, endpoint: { seals: ['if-none-match'] } }), /^The endpoint .* was not proven/);
  lame.amend = () => undefined;
  elapsedMs = minuteMs;
  await world.refused('POST', '/v1/uploads', upload);
  await world.service.probeEndpoint();
  assert.equal(trials(), 3, 'that of the check is one of them');
  await world.announce({ sizeBytes: 1 });
});

test('where trying out is forbidden and the kind cannot do what is demanded, no start helps', async (t) => {
  const { s3 } = await openLame(t);
  const endpoint = { kind: 'r2', probing: 'forbidden', seals: ['version-id'] } as const;
  await assert.rejects(openWorld(t, { s3, endpoint }), /was not proven to keep bytes as they were judged/);
});

test('a clock an hour off: nothing is learned, the clock is blamed and not the endpoint, and set right all is well', async (t) => {
  const engine = await startEngine();
  t.after(() => engine.close());
  const { endpoint, region, credentials } = engine;
  const s3 = { endpoint, region, bucket: 'stowage-files', credentials, forcePathStyle: true };
  for (const [hours, words] of [
    [1, 'ahead of'],
    [-1, 'behind'],
  ] as const) {
    let aheadMs = hours * 60 * minuteMs;
    const world = await openWorld(t, { s3, endpoint: { kind: 'engine' }, aheadMs: () => aheadMs });
    const problem = await world.refused('POST', '/v1/uploads', { name: 'a', sizeBytes: 1 });
    const blame = new RegExp(`The clock of this machine is 3\\d{3} s ${words} that of the object storage; S3 refuses`);
    assert.match(problem.detail ?? '', blame);
    assert.equal(
      world.log.filter((line) => line.startsWith('The clock of this machine')).length,
      1,
      world.log.join('\n'),
    );
    const ready = await world.ask('GET', '/readyz');
    assert.equal(ready.status, 200);
    assert.match(await ready.text(), blame);
    const offset = /clock_offset_seconds (-?[\d.]+)/.exec(await world.metrics());
    assert.ok(Math.abs(Number(offset?.[1]) + hours * 3600) < 5, offset?.[0]);
    assert.match(await complaintOf({ s3, clock: () => Date.now() + aheadMs }), blame);
    aheadMs = 0;
    await world.announce({ sizeBytes: 1 });
    assert.deepEqual(await (await world.ask('GET', '/readyz')).json(), { status: 'ready' });
    assert.ok(world.log.some((line) => line.startsWith('The clocks of this machine and of the object storage agree')));
  }
});

test('a clock that is set wrong later is told with the next upload that is announced', async (t) => {
  const { s3 } = await openLame(t);
  let aheadMs = 0;
  const world = await openWorld(t, { s3, aheadMs: () => aheadMs });
  await world.announce({ sizeBytes: 1 });
  aheadMs = 60 * minuteMs;
  const upload = await world.announce({ sizeBytes: 1 });
  assert.equal(await send(requestOf(upload), 'a'), 403);
  await until(() => world.log.some((line) => line.startsWith('The clock of this machine is 3')));
});

test('what is old is tried out again while the clock is an hour off: what was found before holds, and is kept', async (t) => {
  let bothMs = 0;
  let ownMs = 0;
  let elapsedMs = 0;
  const engine = await startEngine({ clock: () => Date.now() + bothMs });
  t.after(() => engine.close());
  const { endpoint, region, credentials } = engine;
  const s3 = { endpoint, region, bucket: 'stowage-files', credentials, forcePathStyle: true };
  const limits = { sessionLifeMs: 1e12 };
  const clocks = { aheadMs: () => bothMs + ownMs, elapsedMs: () => elapsedMs };
  const world = await openWorld(t, { s3, endpoint: { kind: 'engine' }, limits, ...clocks });
  await world.announce({ sizeBytes: 1 });
  bothMs = 8 * 24 * 60 * minuteMs;
  elapsedMs = bothMs;
  ownMs = 60 * minuteMs;
  await world.announce({ sizeBytes: 1 });
  const isFailure = (line: string): boolean => line.startsWith('The endpoint could not be tried out anew');
  await until(() => world.log.some(isFailure));
  ownMs = 0;
  await world.announce({ sizeBytes: 1 });
  await world.reopen();
  await world.announce({ sizeBytes: 1 });
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
  let elapsedMs = 0;
  const world = await openWorld(t, {
    s3,
    endpoint: { kind: 'engine', probing: 'forbidden' },
    limits: { bucketTimeoutMs: 200, bucketRetries: 0, circuitFailures: 3, circuitOpenMs: 4_000 },
    aheadMs: () => aheadMs,
    elapsedMs: () => elapsedMs,
  });
  const upload = await world.announce({ sizeBytes: 4 });
  await send(requestOf(upload), 'good');
  lame.hinder = ({ method }) => (method === 'HEAD' ? 'silent' : undefined);
  const path = `/v1/uploads/${upload.id}/complete`;
  for (let count = 0; count < 3; count++) assert.equal((await world.refused('POST', path)).code, 'storage-unavailable');
  const before = lame.asked.length;
  // Setting the clock makes it neither longer nor shorter.
  aheadMs = -minuteMs;
  const startedMs = performance.now();
  const refused = await world.ask('POST', path);
  assert.equal(refused.status, 503);
  assert.ok(performance.now() - startedMs < 150, 'at once');
  assert.ok(Number(refused.headers.get('retry-after')) <= 4);
  assert.equal(lame.asked.length, before, 'the endpoint is left alone');
  assert.match(await world.metrics(), /stowage_files_storage_circuit 2/);
  assert.match(await world.metrics(), /stowage_files_storage_requests_total\{operation="head",outcome="refused"\} 1/);

  elapsedMs = 4_100;
  assert.equal((await world.refused('POST', path)).code, 'storage-unavailable');
  lame.hinder = () => undefined;
  assert.equal((await world.refused('POST', path)).code, 'storage-unavailable', 'a trial that failed doubles the time');
  elapsedMs = 12_500;
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

test('readers who leave before the first byte say nothing of the endpoint: it is asked on, and not once more for them', async (t) => {
  const { s3, lame } = await openLame(t);
  const endpoint = { kind: 'engine', probing: 'forbidden' } as const;
  const world = await openWorld(t, { s3, endpoint, limits: { circuitFailures: 3 } });
  const upload = await world.announce({ sizeBytes: 4 });
  await send(requestOf(upload), 'good');
  await world.complete(upload);
  await world.settle(upload.id, 'ready');
  const isRead = ({ method, url }: { readonly method: string; readonly url: string }): boolean =>
    method === 'GET' && url.includes('/files/');
  lame.hinder = (asked) => (isRead(asked) ? 'silent' : undefined);
  const before = lame.asked.filter(isRead).length;
  const reads = (): number => lame.asked.filter(isRead).length - before;
  const readers = 5;
  for (let count = 1; count <= readers; count++) {
    const archive = await world.ask('GET', `/v1/archive?files=${upload.fileId}`);
    assert.equal(archive.status, 200);
    const reader = archive.body?.getReader();
    const read = reader?.read().catch(() => undefined);
    await until(() => reads() === count);
    await reader?.cancel();
    await read;
  }
  const told = 'stowage_files_storage_requests_total{operation="read",outcome="abandoned"} 5';
  await until(async () => (await world.metrics()).includes(told));
  assert.equal(reads(), readers, 'nothing was tried again');
  lame.hinder = () => undefined;
  const { id } = await world.announce({ sizeBytes: 1 });
  assert.equal((await world.ask('POST', `/v1/uploads/${id}/complete`)).status, 409, 'the bucket was asked');
  assert.doesNotMatch(await world.metrics(), /storage_circuit [12]/);
});

/** What a check before the first start says of the bucket. */
async function complaintOf(options: Pick<FileServiceOptions, 's3' | 'clock' | 'endpoint'>): Promise<string> {
  const findings = await checkFileService({ ...options, database: { path: ':memory:' }, secret: new Uint8Array(32) });
  const finding = findings.find(({ part }) => part === 'bucket');
  assert.equal(finding?.ok, false);
  return finding.says;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 10_000;
  while (!(await holds())) {
    assert.ok(performance.now() < deadlineMs, 'It did not come to that.');
    await sleep(10);
  }
}

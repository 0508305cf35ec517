// Bucket and database compared: every kind of finding made by hand, told by a dry run that changes nothing and mended by a real one,
// on the engine and on Ceph, with versions and without. What is somebody else's survives; what is on its way is left alone; a process
// that is killed in the middle loses its place, no finding and no count. Mission, row F12; design §6, invariants 4 and 6.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FileEntry, ReconcileRun, Share } from '@stowage/contract';
import { startEngine } from '@stowage/engine';
import type { EndpointOptions, S3Settings } from '@stowage/files';
import type { ServiceProcessOptions } from '../../scripts/serving/service-process.ts';
import { startCeph } from '../servers/ceph-cluster.ts';
import { startPostgres } from '../servers/postgres-server.ts';
import { openWorld, requestOf, send } from './endpoint-world.ts';
import { BucketByHand, compare, findingsOf, foundIn, keys, mendedIn, store } from './orphans-world.ts';
import { hourMs, mib, ServiceFixture } from './service-fixture.ts';
import { startInstance } from './service-instance.ts';

const limits = {
  orphanGraceMs: hourMs,
  multipartThresholdBytes: 5 * mib,
  minPartSizeBytes: 5 * mib,
  reconcileRowlessPercent: 10_000,
  trashRetentionMs: 0,
  urlLifeMs: 60_000,
};

async function startEngineBucket(t: TestContext): Promise<S3Settings> {
  const engine = await startEngine({});
  t.after(() => engine.close());
  const { endpoint, region, credentials } = engine;
  return { endpoint, region, credentials, bucket: 'files', forcePathStyle: true };
}

const endpoints = [
  { name: 'the engine', open: startEngineBucket },
  {
    name: 'Ceph',
    open: async (_t: TestContext, versions: boolean): Promise<S3Settings | string> => {
      const ceph = await startCeph();
      return ceph.found ? ceph.createBucket({ versions }) : ceph.reason;
    },
  },
] as const;

for (const { name, open } of endpoints) {
  // The engine keeps no versions yet.
  for (const versions of name === 'Ceph' ? [false, true] : [false]) {
    test(`${name}, ${versions ? 'with' : 'without'} versions: each kind is told, mended, and nothing else touched`, async (t) => {
      const s3 = await open(t, versions);
      if (typeof s3 === 'string') return t.skip(s3);
      const hand = new BucketByHand(s3);
      t.after(() => hand.client.destroy());
      const kind = name === 'Ceph' ? 'ceph16' : 'engine';
      const endpoint: EndpointOptions = versions
        ? { kind, seals: ['version-id'] }
        : { kind: 'aws', probing: 'forbidden' };
      let aheadMs = 0;
      const world = await openWorld(t, { s3, endpoint, limits, aheadMs: () => aheadMs });
      await world.service.prepared();

      const whole = await store(world, 'whole');
      const lost = await store(world, 'lost');
      const changed = await store(world, 'changed');
      const purged = await store(world, 'purged');
      const purgedKey = world.row(purged.id).objectKey;
      await world.call('DELETE', `/v1/files/${purged.id}`);
      aheadMs = hourMs / 2;
      await world.settle(purged.id, 'purged');
      aheadMs = 0;
      const parts = await world.announce({ name: 'on its way', sizeBytes: 6 * mib });
      const [part, second] = await world.signParts(parts);
      assert.ok(part && second);
      assert.equal(await send(part, Buffer.alloc(5 * mib)), 200);

      const { objectKey: lostKey, objectVersionId: lostVersion } = world.row(lost.id);
      await hand.remove(lostKey, lostVersion ?? undefined);
      const { objectKey: changedKey } = world.row(changed.id);
      // In a bucket with versions what is written over a file is a version that nobody asked for.
      await hand.put(changedKey, 'other bytes');
      await hand.put(purgedKey, 'come back');
      await hand.put(hand.unownedKey(1), 'nobody’s');
      await hand.put(keys.makePromoted(world.row(whole.id).objectKey, 7), 'a try that was given up');
      await hand.put(keys.makePreview(hand.unownedKey(2), 'thumbnail'), 'picture');
      await hand.put(keys.makeProbe('run', 1), 'probe');
      await hand.beginUpload(hand.unownedKey(3));
      await store(world, 'younger');
      const foreign = [
        'somebody/else.txt',
        'odd/ü +%&\u0001?.txt',
        `${hand.unownedKey(4).slice(0, -1)}x`,
        'files/look/alike/text/01J.0',
      ];
      for (const key of foreign) await hand.put(key, 'theirs');
      await hand.beginUpload('somebody/elses-upload.bin');
      aheadMs = 2 * hourMs;

      const expected = {
        'bytes-missing': 1,
        ...(versions ? { 'version-superseded': 1 } : { 'bytes-differ': 1 }),
        'bytes-unowned': 2,
        leftover: 1,
        'preview-unowned': 1,
        'probe-left': 1,
        'upload-dead': 1,
        'object-foreign': foreign.length,
        'upload-foreign': 1,
      };
      const before = await hand.everything();
      const dry = await compare(world, {});
      assert.equal(dry.dryRun, true);
      assert.deepEqual(foundIn(dry), expected, JSON.stringify(await findingsOf(world, dry), undefined, 1));
      assert.deepEqual(mendedIn(dry), {});
      assert.deepEqual(await hand.everything(), before, 'a dry run changes nothing in the bucket');
      assert.equal((await world.call<FileEntry>('GET', `/v1/files/${lost.id}`)).missingSince, undefined);
      const found = await findingsOf(world, dry);
      assert.deepEqual(
        found.map(({ number }) => number),
        found.map((_, index) => index + 1),
      );
      assert.ok(found.every(({ outcome }) => outcome === 'reported'));
      assert.deepEqual(
        found
          .filter(({ kind }) => kind === 'object-foreign')
          .map(({ key }) => key)
          .sort(),
        foreign.toSorted(),
      );

      const real = await compare(world, { dryRun: false });
      assert.deepEqual(foundIn(real), expected);
      const { 'object-foreign': _objects, 'upload-foreign': _uploads, ...mended } = expected as Record<string, number>;
      assert.deepEqual(mendedIn(real), mended, world.log.join('\n'));

      const after = await hand.everything();
      for (const key of foreign) assert.equal(await hand.read(key), 'theirs');
      assert.ok(after.some((line) => line.startsWith('somebody/elses-upload.bin ')));
      const gone = before.filter((line) => !after.includes(line));
      assert.equal(gone.length, versions ? 7 : 6, gone.join('\n'));
      assert.ok(gone.every((line) => keys.isOurs(line.split(' ')[0] ?? '')));
      // What the service signs is to be good now.
      aheadMs = 0;
      assert.equal(await world.download(whole.id), 'whole');
      if (versions) assert.equal(await world.download(changed.id), 'changed');
      // What is on its way goes on.
      assert.equal(await send(second, Buffer.alloc(mib)), 200);
      await world.complete(parts);
      await world.settle(parts.id, 'ready');

      aheadMs = 2 * hourMs;
      const again = await compare(world, { dryRun: false });
      const { 'bytes-missing': missing, ...rest } = foundIn(again);
      assert.equal(missing, 1);
      const { 'object-foreign': theirs, 'upload-foreign': theirUploads, 'bytes-differ': differing, ...others } = rest;
      assert.deepEqual([theirs, theirUploads, differing], [foreign.length, 1, versions ? undefined : 1]);
      assert.deepEqual(others, {}, 'nothing is left to be mended');
    });
  }
}

test('a file whose bytes are gone is not offered by any way, says why, and comes back by itself when they do', async (t) => {
  const s3 = await startEngineBucket(t);
  let aheadMs = 0;
  const world = await openWorld(t, {
    s3,
    endpoint: { kind: 'aws', probing: 'forbidden' },
    limits,
    aheadMs: () => aheadMs,
  });
  const { id } = await store(world, 'precious');
  const share = await world.call<Share>('POST', '/v1/shares', { fileId: id });
  const { objectKey } = world.row(id);
  const hand = new BucketByHand(s3);
  t.after(() => hand.client.destroy());
  await hand.remove(objectKey);
  aheadMs = 2 * hourMs;
  await compare(world, { dryRun: false });

  const entry = await world.call<FileEntry>('GET', `/v1/files/${id}`);
  assert.equal(entry.state, 'ready');
  assert.ok(entry.missingSince);
  for (const [method, path, body] of [
    ['GET', `/v1/files/${id}/content`, undefined],
    ['POST', `/v1/files/${id}/links`, {}],
    ['GET', `/v1/archive?files=${id}`, undefined],
  ] as const) {
    const problem = await world.refused(method, path, body);
    assert.equal(problem.code, 'bytes-missing', `${method} ${path}: ${JSON.stringify(problem)}`);
  }
  const { pathname } = new URL(share.url, 'http://files.test');
  const shared = await world.ask('GET', `${pathname}/files/${id}`);
  assert.equal(shared.status, 409, await shared.text());
  assert.match(await world.metrics(), /stowage_files_missing 1\n/);

  // Put into the trash and taken out, it is still marked.
  await world.call('DELETE', `/v1/files/${id}`);
  await world.call('POST', `/v1/files/${id}/restore`);
  await world.service.tick();
  assert.equal((await world.refused('GET', `/v1/files/${id}/content`)).code, 'bytes-missing');

  await hand.put(objectKey, 'precious');
  aheadMs += hourMs + 1;
  await world.service.tick();
  aheadMs = 0;
  assert.equal(await world.download(id), 'precious');
  assert.match(await world.metrics(), /stowage_files_missing 0\n/);
});

test('a run that changes no more than it may, one that is stopped, and a second beside one that runs', async (t) => {
  const s3 = await startEngineBucket(t);
  let aheadMs = 0;
  const world = await openWorld(t, {
    s3,
    endpoint: { kind: 'aws', probing: 'forbidden' },
    limits,
    aheadMs: () => aheadMs,
  });
  await world.service.prepared();
  const hand = new BucketByHand(s3);
  t.after(() => hand.client.destroy());
  await store(world, 'older');
  for (let number = 10; number < 15; number++) await hand.put(hand.unownedKey(number), 'nobody’s');
  await store(world, 'younger');
  aheadMs = 2 * hourMs;
  const limited = await compare(world, { dryRun: false, maxChanges: 2 });
  assert.equal(limited.limited, true);
  assert.deepEqual(limited.findings['bytes-unowned'], { found: 5, mended: 2, failed: 0 });
  const left = await hand.everything();
  assert.equal(left.length, 3 + 2 + 1, 'three of nobody, two files, the marker');

  const { id } = await world.call<ReconcileRun>('POST', '/v1/admin/reconcile', { dryRun: false });
  assert.equal((await world.refused('POST', '/v1/admin/reconcile', {})).code, 'reconcile-running');
  const stopped = await world.call<ReconcileRun>('POST', `/v1/admin/reconcile/${id}/stop`);
  assert.equal(stopped.state, 'stopped');
  await world.service.tick();
  assert.deepEqual(await hand.everything(), left, 'a run that was stopped does nothing');
  const { runs } = await world.call<{ runs: ReconcileRun[] }>('GET', '/v1/admin/reconcile');
  assert.deepEqual(
    runs.map(({ state }) => state),
    ['stopped', 'finished'],
  );
  assert.equal((await world.refused('GET', '/v1/admin/reconcile/none')).code, 'not-found');
});

test('a database that another bucket’s files are strange to only tells of them', async (t) => {
  const s3 = await startEngineBucket(t);
  const hand = new BucketByHand(s3);
  t.after(() => hand.client.destroy());
  let aheadMs = 0;
  const options = {
    s3,
    endpoint: { kind: 'aws', probing: 'forbidden' },
    limits: { ...limits, reconcileRowlessPercent: 10_000 },
    aheadMs: () => aheadMs,
  } as const;
  const first = await openWorld(t, options);
  const whole = await store(first, 'of the first');
  await hand.beginUpload(first.row(whole.id).objectKey);

  // An empty database beside the secret that was kept, before anybody has marked the bucket: it knows no such time.
  const second = await openWorld(t, options);
  await second.service.prepared();
  aheadMs = 2 * hourMs;
  const before = await hand.everything();
  const empty = await compare(second, { dryRun: false });
  assert.deepEqual(mendedIn(empty), {});
  const marker = keys.makeOwner();
  const beside = async (): Promise<readonly string[]> =>
    (await hand.everything()).filter((line) => !line.startsWith(marker));
  assert.deepEqual(await beside(), before);
  assert.match((await findingsOf(second, empty))[0]?.detail ?? '', /older or younger than every row/);

  // Marked as the second's: now the first is the stranger, whatever it knows.
  const purged = await hand.read(marker);
  assert.match(purged, /^[0-9A-Z]{26}$/);
  await hand.put(keys.makePromoted(first.row(whole.id).objectKey, 7), 'a try that was given up');
  aheadMs = 4 * hourMs;
  const strange = await compare(first, { dryRun: false });
  assert.deepEqual(mendedIn(strange), {});
  const told = await findingsOf(first, strange);
  assert.deepEqual(
    told.map(({ kind }) => kind),
    ['leftover', 'upload-dead'],
  );
  for (const { detail } of told) assert.match(detail ?? '', /belongs to the database/);
  assert.ok(first.log.some((line) => line.includes('another database')));
});

test('what has no row is not removed where it is more than a mistake would leave', async (t) => {
  const s3 = await startEngineBucket(t);
  const hand = new BucketByHand(s3);
  t.after(() => hand.client.destroy());
  let aheadMs = 0;
  const endpoint = { kind: 'aws', probing: 'forbidden' } as const;
  const world = await openWorld(t, {
    s3,
    endpoint,
    limits: { ...limits, reconcileRowlessPercent: 50 },
    aheadMs: () => aheadMs,
  });
  await store(world, 'older');
  for (let number = 20; number < 24; number++) await hand.put(hand.unownedKey(number), 'nobody’s');
  await store(world, 'younger');
  await hand.put(keys.makeProbe('run', 2), 'probe');
  aheadMs = 2 * hourMs;
  const run = await compare(world, { dryRun: false });
  assert.deepEqual(run.findings['bytes-unowned'], { found: 4, mended: 1, failed: 0 });
  assert.deepEqual(mendedIn(run), { 'bytes-unowned': 1, 'probe-left': 1 });
  const reported = (await findingsOf(world, run)).filter(({ outcome }) => outcome === 'reported');
  assert.equal(reported.length, 3);
  for (const { detail } of reported) assert.match(detail ?? '', /50 % of the rows/);
});

test('compared by itself, some time after the start, and then every so often', async (t) => {
  const files = await ServiceFixture.open(t);
  const runs = async (): Promise<number> => (await files.call('listReconciles')).runs.length;
  await files.tick();
  assert.equal(await runs(), 0);
  files.advance(7 * 24 * hourMs + 1);
  await files.tick();
  const { runs: first } = await files.call('listReconciles');
  assert.deepEqual(
    first.map(({ state, startedBy, dryRun }) => ({ state, startedBy, dryRun })),
    [{ state: 'finished', startedBy: 'service', dryRun: true }],
  );
  await files.tick();
  assert.equal(await runs(), 1);
});

test('while files come and go, comparisons that may judge even the youngest harm none', async (t) => {
  const s3 = await startEngineBucket(t);
  const world = await openWorld(t, {
    s3,
    endpoint: { kind: 'aws', probing: 'forbidden' },
    limits: { ...limits, orphanGraceMs: 0, requestBurst: 100_000 },
  });
  await world.service.prepared();
  let going = true;
  let compared = 0;
  const comparing = (async () => {
    while (going) {
      await compare(world, { dryRun: false });
      compared++;
    }
  })();
  const kept: { readonly id: string; readonly content: string }[] = [];
  const numbers = Array.from({ length: 24 }, (_, number) => number).values();
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      for (const number of numbers) {
        const content = `file ${number} `.padEnd(number % 4 === 0 ? 6 * mib : 20, '.');
        const upload = await world.announce({ name: `${number}.txt`, sizeBytes: content.length });
        if (upload.strategy === 'multipart') {
          for (const part of await world.signParts(upload)) {
            const start = (part.partNumber - 1) * 5 * mib;
            assert.equal(await send(part, content.slice(start, start + 5 * mib)), 200);
          }
        } else assert.equal(await send(requestOf(upload), content), 200);
        await world.complete(upload);
        await world.settle(upload.id, 'ready');
        if (number % 3 === 0) await world.call('DELETE', `/v1/files/${upload.id}`);
        else kept.push({ id: upload.id, content });
      }
    }),
  );
  going = false;
  await comparing;
  assert.ok(compared > 1, `${compared} comparisons`);
  for (const { id, content } of kept)
    assert.ok((await world.download(id)) === content, `${content.slice(0, 10)} is whole`);
  const { runs } = await world.call<{ runs: ReconcileRun[] }>('GET', '/v1/admin/reconcile');
  for (const run of runs) assert.deepEqual(foundIn(run), {}, 'nothing was taken for what it is not');
});

test('killed in the middle, twice, a run goes on and its report is exact', async (t) => {
  const s3 = await startEngineBucket(t);
  const { directory } = await ServiceFixture.open(t);
  const options: ServiceProcessOptions = {
    s3,
    database: { path: `${directory}/killed.db` },
    limits: { orphanGraceMs: 0, reconcileRowlessPercent: 10_000, requestsPerSecond: 10_000, requestBurst: 10_000 },
    secretHex: Buffer.alloc(32, 7).toString('hex'),
  };
  let instance = await openInstance(t, options);
  const hand = new BucketByHand(s3);
  t.after(() => hand.client.destroy());
  const [unowned, foreign] = [60, 1_100];
  await instance.announce();
  await inLots(unowned, (number) => hand.put(hand.unownedKey(100 + number), 'nobody’s'));
  await instance.announce();
  await inLots(foreign, (number) => hand.put(`other/${number}`, 'theirs'));
  const { id } = await instance.call<ReconcileRun>('POST', '/v1/admin/reconcile', { dryRun: false });
  let kills = 0;
  let run: ReconcileRun;
  const deadline = Date.now() + 120_000;
  for (;;) {
    assert.ok(Date.now() < deadline, 'it ends in time');
    run = await instance.call<ReconcileRun>('GET', `/v1/admin/reconcile/${id}`);
    if (run.state !== 'running') break;
    await sleep(100 + 50 * kills);
    if (kills === 2) continue;
    kills++;
    await instance.kill();
    instance = await openInstance(t, options);
  }
  t.diagnostic(`killed ${kills} times`);
  assert.equal(run.state, 'finished');
  assert.equal(run.looked.objects, unowned + foreign + 1, 'each object was counted once, and the marker');
  assert.deepEqual(foundIn(run), { 'bytes-unowned': unowned, 'object-foreign': foreign });
  const { mended, failed } = run.findings['bytes-unowned'];
  assert.equal(failed, 0);
  // What a killed process had mended and not written down was gone when its turn came again.
  assert.ok(mended > 0 && mended <= unowned, `${mended} mended`);
  await instance.kill();
  for (let number = 0; number < unowned; number += 13) await assert.rejects(hand.read(hand.unownedKey(100 + number)));
  assert.equal(await hand.read('other/1099'), 'theirs');
});

test('of two instances on PostgreSQL one works on a run, and the other when its lease is over', async (t) => {
  const postgres = await startPostgres();
  if (!postgres.found) return t.skip(postgres.reason);
  const url = await postgres.createDatabase();
  const files = await ServiceFixture.open(t, { database: { url }, limits: { orphanGraceMs: 0 } });
  await files.upload('a.txt', 'text/plain', Buffer.from('a'));
  await files.call('startReconcile', { body: {} });
  await Promise.all([files.tick(), files.tick()]);
  const { runs } = await files.call('listReconciles');
  assert.deepEqual(
    runs.map(({ state, looked }) => ({ state, rows: looked.rows, objects: looked.objects })),
    [{ state: 'finished', rows: 1, objects: 1 }],
  );
});

interface Instance {
  call<Body>(method: string, path: string, body?: object): Promise<Body>;
  /** Makes a row. */
  announce(): Promise<void>;
  kill(): Promise<void>;
}

async function openInstance(t: TestContext, options: ServiceProcessOptions): Promise<Instance> {
  const { child, url, token } = await startInstance(t, options);
  const exited = once(child, 'exit');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  const signIn = await fetch(`${url}/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  });
  const cookie = signIn.headers.get('set-cookie')?.split(';')[0] ?? '';
  const call = async <Body>(method: string, path: string, body?: object): Promise<Body> => {
    const response = await fetch(url + path, {
      method,
      headers: { cookie, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${answer}`);
    // The contract's schemas are checked by the tests of the routes.
    return JSON.parse(answer) as Body;
  };
  return {
    kill,
    call,
    announce: async () => {
      await call('POST', '/v1/uploads', { name: 'a.txt', contentType: 'text/plain', sizeBytes: 1 });
    },
  };
}

async function inLots(count: number, work: (number: number) => Promise<unknown>): Promise<void> {
  const numbers = Array.from({ length: count }, (_, number) => number).values();
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      for (const number of numbers) await work(number);
    }),
  );
}

// The worker over a real database: what it gives up, what it waits for, what it takes at most, and whose reviews are.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicFactory } from 'ulid';
import { newUser } from '../accounts/sign-in.ts';
import type { Database } from '../database/database.ts';
import { openDatabase } from '../database/open-database.ts';
import type { FileRecord } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import { chooseLimits } from '../limits.ts';
import { openPolicies } from '../policies.ts';
import { aFile } from '../testing/a-file.ts';
import { takeJobs, takeReviews } from '../testing/take-due.ts';
import { type JobKind, jobs } from './job.ts';
import { openFileMover } from './move-file.ts';
import { ScannerAwayError } from './scan-file.ts';
import { openWorker } from './worker.ts';

type WorkerOptions = Parameters<typeof openWorker>[0];
type Handlers = WorkerOptions['handlers'];

/** Throws when it does not come about. */
async function until(isSo: () => boolean): Promise<void> {
  for (let look = 0; !isSo(); look++) {
    assert.ok(look < 4_000, 'what was waited for did not come about');
    await sleep(5);
  }
}

const limits = chooseLimits();
const longMs = 24 * 60 * 60_000;

interface Bench {
  readonly database: Database;
  readonly worker: ReturnType<typeof openWorker>;
  /** What became of jobs. */
  readonly outcomes: string[];
  advance(durationMs: number): void;
  add(over: Partial<FileRecord>, kind?: JobKind): Promise<FileRecord>;
}

async function open(
  t: TestContext,
  handlers: Partial<Handlers> = {},
  over: Partial<Pick<WorkerOptions, 'maxPerTick' | 'reconcile' | 'completeUpload' | 'scanner'>> = {},
): Promise<Bench> {
  let nowMs = 1_000;
  const clock = (): number => nowMs;
  const newId = monotonicFactory();
  const database = await openDatabase({
    settings: { path: ':memory:' },
    clock,
    newId: () => newId(),
    secret: new Uint8Array(32),
  });
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const mover = openFileMover({
    files: database.files,
    clock,
    limits,
    policies: openPolicies(),
    log,
    onMove: () => undefined,
  });
  const outcomes: string[] = [];
  const nothing = (): Promise<void> => Promise.resolve();
  const worker = openWorker({
    database,
    mover,
    clock,
    limits,
    log,
    handlers: {
      reconcile: nothing,
      copy: nothing,
      validate: nothing,
      unstage: nothing,
      unversion: nothing,
      preview: nothing,
      prune: nothing,
      discard: nothing,
      purge: nothing,
      ...handlers,
    },
    completeUpload: (file) => Promise.resolve(file),
    reconcile: (file) => Promise.resolve(file),
    lookForBytes: nothing,
    sweepFolders: () => Promise.resolve(false),
    scanner: undefined,
    deliveries: { take: () => Promise.resolve([]), run: nothing, giveBack: nothing },
    onJob: (kind, outcome) => outcomes.push(`${kind} ${outcome}`),
    observe: (_what, _fileId, work) => work(),
    ...over,
  });
  t.after(async () => {
    await worker.close();
    await database.close();
  });
  return {
    database,
    worker,
    outcomes,
    advance: (durationMs) => {
      nowMs += durationMs;
    },
    add: (file, kind) =>
      database.files.add(
        aFile({ id: newId(), objectKey: newId(), uploadExpiresAtMs: nowMs + longMs, ...file }),
        kind === undefined ? {} : { jobs: [{ kind, dueAtMs: nowMs }] },
      ),
  };
}

/** Has all tries but the last of the only job that waits be over. */
async function wearOut({ database }: Bench, kind: JobKind): Promise<void> {
  const [job] = await takeJobs(database, { nowMs: 1_000, leaseMs: 1, limit: 1 });
  assert.ok(job?.kind === kind);
  await database.outbox.retry(job, { dueAtMs: 1_000, error: 'before', tries: jobs[kind].maxAttempts - 1 });
}

const broken = (): Promise<never> => Promise.reject(new TypeError('A mistake of ours.'));

for (const { state, kind, ends } of [
  { state: 'uploaded', kind: 'validate', ends: 'rejected' },
  { state: 'validating', kind: 'validate', ends: 'rejected' },
  { state: 'scanning', kind: 'validate', ends: 'scan-failed' },
  { state: 'completing', kind: 'copy', ends: 'aborted' },
] as const) {
  test(`a file that is ${state} does not stay so when its job is given up`, async (t) => {
    const bench = await open(t, { [kind]: broken });
    const { database, worker, outcomes } = bench;
    const { id } = await bench.add({ state, objectEtag: 'e' }, kind);
    await wearOut(bench, kind);
    await worker.tick();
    const file = await database.files.find(id);
    assert.equal(file?.state, ends);
    assert.match(file.reason ?? '', /could not be (checked|copied)/);
    assert.equal(outcomes[0], `${kind} given-up`);
    const [told] = await database.audit.list({ tenantId: 'main', action: 'job.given-up', limit: 10 });
    assert.equal(told?.subjectId, id);
    assert.deepEqual(JSON.parse(told.details), { job: kind, versionId: id, tries: jobs[kind].maxAttempts });
  });
}

test('a job that waits for the bucket or the scanner is never given up', async (t) => {
  const away = [
    new FilesError('storage-unavailable', { detail: 'It does not answer.' }),
    new Error('clamd could not judge', { cause: new ScannerAwayError(new Error('refused')) }),
  ];
  for (const error of away) {
    const bench = await open(t, { validate: () => Promise.reject(error) });
    const { id } = await bench.add({ state: 'scanning', objectEtag: 'e' }, 'validate');
    await wearOut(bench, 'validate');
    await bench.worker.tick();
    assert.equal((await bench.database.files.find(id))?.state, 'scanning');
    assert.deepEqual(bench.outcomes, ['validate retried']);
    // As many tries as half of all are left for what is its own fault.
    const [job] = await takeJobs(bench.database, { nowMs: 1e9, leaseMs: 1, limit: 1 });
    assert.equal(job?.attempts, jobs.validate.maxAttempts / 2);
  }
});

test('what cannot be lost is asked for again by the review', async (t) => {
  let isBroken = true;
  let purged = 0;
  const bench = await open(t, {
    purge: () => {
      if (isBroken) return broken();
      purged++;
      return Promise.resolve();
    },
  });
  await bench.add({ state: 'purging', reviewAtMs: 2_000 }, 'purge');
  await wearOut(bench, 'purge');
  await bench.worker.tick();
  assert.deepEqual(bench.outcomes, ['purge given-up']);
  isBroken = false;
  bench.advance(2_000);
  await bench.worker.tick();
  assert.equal(purged, 1);
});

test('a tick takes no more than it may, and leaves the rest for the next', async (t) => {
  const done: string[] = [];
  const bench = await open(
    t,
    {
      discard: ({ id }) => {
        done.push(id);
        return Promise.resolve();
      },
    },
    { maxPerTick: 5 },
  );
  for (let number = 0; number < 12; number++) await bench.add({ state: 'aborted' }, 'discard');
  for (const expected of [5, 10, 12]) {
    await bench.worker.tick();
    assert.equal(done.length, expected);
  }
});

test('a review that changes its file is not begun again by anybody while it goes on', async (t) => {
  const begun: string[] = [];
  const gate = Promise.withResolvers<void>();
  const bench = await open(
    t,
    {},
    {
      reconcile: async (file) => {
        begun.push(file.id);
        // As a promotion does before it copies.
        const changed = await bench.database.files.change(file, { objectKey: `${file.id} ${begun.length}` });
        await gate.promise;
        return changed ?? file;
      },
    },
  );
  const { id } = await bench.add({ state: 'completing', reviewAtMs: 1_000 });
  const ticking = bench.worker.tick();
  while (begun.length === 0) await new Promise(setImmediate);
  bench.worker.wake();
  assert.deepEqual(await takeReviews(bench.database, { nowMs: 1_001, leaseMs: 10, limit: 10 }), []);
  gate.resolve();
  await ticking;
  assert.deepEqual(begun, [id]);
});

test('an upload that only waits for its copy is looked at again after the interval, also past its end', async (t) => {
  const bench = await open(t);
  const { id } = await bench.add({ state: 'completing', uploadExpiresAtMs: 500, reviewAtMs: 1_000 });
  await bench.worker.tick();
  const file = await bench.database.files.find(id);
  assert.deepEqual([file?.state, file?.reviewAtMs], ['completing', 1_000 + limits.reviewIntervalMs]);
});

test('a review that was not begun, or cut off, is due as before, and the file is the same', async (t) => {
  const gate = Promise.withResolvers<void>();
  let begun = 0;
  const bench = await open(
    t,
    {},
    {
      reconcile: async (file) => {
        begun++;
        await gate.promise;
        return file;
      },
    },
  );
  const file = await bench.add({ state: 'pending', reviewAtMs: 900 });
  const ticking = bench.worker.tick();
  while (begun === 0) await new Promise(setImmediate);
  await bench.worker.abandon();
  assert.deepEqual(await bench.database.files.find(file.id), file);
  gate.resolve();
  await ticking;
});

/** A second tenant with a user of its own. */
async function addTenant({ database }: Bench): Promise<Pick<FileRecord, 'tenantId' | 'userId'>> {
  const tenant = {
    id: 'other',
    name: 'Other',
    createdAtMs: 1,
    suspendedAtMs: null,
    quotaBytes: null,
    quotaFiles: null,
  };
  const owner = newUser({
    id: 'other-owner',
    tenantId: tenant.id,
    name: 'Other',
    email: undefined,
    role: 'owner',
    nowMs: 1,
  });
  const token = {
    tokenHash: 'other',
    tenantId: tenant.id,
    userId: owner.id,
    issuedBy: 'member',
    expiresAtMs: 1,
  } as const;
  await database.tenants.add(tenant, owner, token, []);
  return { tenantId: tenant.id, userId: owner.id };
}

for (const { scanner, held } of [
  { scanner: undefined, held: limits.jobConcurrency / 2 },
  { scanner: { atOnce: 3 }, held: 2 },
]) {
  const where = scanner === undefined ? 'places' : 'turns at the scanner';
  test(`slow jobs and reviews of one tenant hold some ${where}, and another’s file does not wait for them`, async (t) => {
    const gate = Promise.withResolvers<void>();
    const seen = { job: [] as string[], review: [] as string[] };
    const slow = async (kind: keyof typeof seen, { tenantId }: FileRecord): Promise<void> => {
      seen[kind].push(tenantId);
      if (tenantId === 'main') await gate.promise;
    };
    const bench = await open(
      t,
      { validate: (file) => slow('job', file) },
      { scanner, reconcile: (file) => slow('review', file).then(() => file) },
    );
    const other = await addTenant(bench);
    // More of them than a look from the beginning sees.
    for (let number = 0; number < 3 * limits.jobConcurrency; number++)
      await bench.add({ state: 'completing', reviewAtMs: 900 }, 'validate');
    const later = { state: 'completing', reviewAtMs: 1_000 } as const;
    for (let number = 0; number < 2; number++) await bench.add({ ...later, ...other }, 'validate');
    const ticking = bench.worker.tick();
    const countOf = (kind: keyof typeof seen, tenantId: string): number =>
      seen[kind].filter((id) => id === tenantId).length;
    try {
      await until(() => countOf('job', 'other') === 2 && countOf('review', 'other') === 2);
      assert.equal(countOf('job', 'main'), held);
      assert.equal(countOf('review', 'main'), limits.jobConcurrency / 2);
    } finally {
      gate.resolve();
      await ticking;
    }
    assert.equal(countOf('job', 'main'), 3 * limits.jobConcurrency);
  });
}

test('previews that wait for their turn hold up no other job', async (t) => {
  const gate = Promise.withResolvers<void>();
  const begun: string[] = [];
  const bench = await open(t, {
    preview: async ({ tenantId }) => {
      begun.push(tenantId);
      await gate.promise;
    },
    discard: ({ id }) => {
      begun.push(id);
      return Promise.resolve();
    },
  });
  const other = await addTenant(bench);
  for (let number = 0; number < 20; number++) await bench.add({ state: 'ready' }, 'preview');
  await bench.add({ state: 'ready', ...other }, 'preview');
  const { id } = await bench.add({ state: 'aborted' }, 'discard');
  const ticking = bench.worker.tick();
  try {
    await until(() => begun.includes(id) && begun.includes('other'));
    assert.deepEqual(begun.toSorted(), [id, 'main', 'other'].toSorted());
  } finally {
    gate.resolve();
    await ticking;
  }
});

// Does what is due, without end: jobs from the outbox, reviews of rows whose deadline has come, deliveries to applications, folders of
// the trash. Each has a lane of its own, so that what is slow holds up its own place and nothing else, and no tenant has all places of one
// (fair-work.ts). Everything here may be cut off at any point and done again; the rows say where to go on.

import type { Database } from '../database/database.ts';
import type { LeaseOptions, Waiting, WaitingList } from '../database/work-tables.ts';
import type { FileRecord } from '../file-record.ts';
import { isFilesError } from '../files-error.ts';
import type { FilesLimits } from '../limits.ts';
import { errorFields } from '../log.ts';
import type { Scanner } from '../scanning/scanner.ts';
import type { DeliveryRecord } from '../webhooks/webhook-record.ts';
import { fairly, halfOf } from './fair-work.ts';
import { nextUploadReview, purgeableFrom } from './file-lifecycle.ts';
import type { Job, JobKind } from './job.ts';
import type { Leased } from './job-lease.ts';
import { type Lane, type LaneWork, openLane } from './lane.ts';
import { isUploading } from './reconcile.ts';
import { type RunJobOptions, runJob } from './run-job.ts';

export interface Worker {
  /** Works until nothing is due, or as much was done as one tick may. Failures of jobs are put back for later, not thrown; what the database throws is, when all rests. */
  tick(): Promise<void>;
  /** Says that there may be something to do; `folders`: that one was put into the trash. */
  wake(what?: 'folders'): void;
  /** Begins to work by itself. */
  start(): void;
  /** Takes no more work, gives back what it took and did not begin, and waits for what runs. */
  close(): Promise<void>;
  /** Gives back what still runs: it will be done again by whoever asks next. */
  abandon(): Promise<void>;
}

interface WorkerOptions extends Omit<RunJobOptions, 'database'> {
  readonly database: Database;
  readonly limits: FilesLimits;
  /** Brings an upload whose time has come to an end, if its bytes are all there. */
  readonly completeUpload: (file: FileRecord) => Promise<FileRecord>;
  /** Moves an upload to where the bucket says it is. */
  readonly reconcile: (file: FileRecord) => Promise<FileRecord>;
  /** Looks whether the bytes of a file that was marked are back. */
  readonly lookForBytes: (file: FileRecord) => Promise<void>;
  /** Puts some of what lies in folders of the trash there too. Whether there was anything. */
  readonly sweepFolders: () => Promise<boolean>;
  /** What jobs wait for, beside their places. */
  readonly scanner: Pick<Scanner, 'atOnce'> | undefined;
  /** Tells applications what is due. */
  readonly deliveries: LaneWork<DeliveryRecord>;
  /** Jobs, reviews, deliveries and slices of upkeep of one tick. Default 100,000. */
  readonly maxPerTick?: number;
  /** Runs one job or review, and may measure it. */
  readonly observe: (what: JobKind | 'review', fileId: string, work: () => Promise<void>) => Promise<void>;
}

/** How often the database is asked for what is due. */
const pollMs = 1_000;
/** Of one tick: what comes after waits for the next. */
const defaultMaxPerTick = 100_000;
/** Rounds of one tick. */
const maxRounds = 10_000;
const cleanUpIntervalMs = 60 * 60_000;
/** How often folders of the trash are looked through when nobody put one there: a file in one may have become ready since. */
const sweepIntervalMs = 30_000;
/** Leases are renewed so many times in their life, and at least so often. */
const renewalsPerLease = 3;
const maxRenewalMs = 60_000;

/** Previews that are begun at the same time. One is made at a time: the other is the next tenant's, and waits for its turn here. */
const previewPlaces = 2;

interface FairLaneOptions<Item> extends Omit<LaneWork<Leased<Item>>, 'take'> {
  readonly waiting: WaitingList;
  readonly places: number;
  /** Of these, for one tenant. Default: half. */
  readonly atMost?: number;
  readonly take: (ids: readonly string[], lease: LeaseOptions) => Promise<readonly Item[]>;
}

export function openWorker(options: WorkerOptions): Worker {
  const { database, mover, clock, limits, log, maxPerTick = defaultMaxPerTick } = options;
  let closed = false;
  let started = false;
  let ticking = 0;
  /** Ticks take until so much was taken. */
  let ticksEndAt = 0;
  let timer: NodeJS.Timeout | undefined;
  let cleanedUpAtMs = Number.NEGATIVE_INFINITY;
  let sweptAtMs = Number.NEGATIVE_INFINITY;
  let sweepWanted = false;
  /** Of ticks: each is told the first failure since it began. */
  const failures = new Set<(error: unknown) => void>();
  const resting = new Set<() => void>();

  const laneOptions = {
    allowance: (): number => (started ? Number.POSITIVE_INFINITY : ticksEndAt - takenCount()),
    onChange: (): void => {
      if (isResting()) for (const rest of [...resting]) rest();
    },
    onError: (error: unknown): void => {
      for (const failed of failures) failed(error);
      if (failures.size === 0) log.error('The worker failed; it goes on.', errorFields(error));
    },
  };
  const reviewLane = openFairLane<FileRecord>({
    waiting: database.files.reviews,
    places: limits.jobConcurrency,
    take: (ids, lease) => database.files.takeDue(ids, lease),
    run: ({ item: file }) => options.observe('review', file.id, () => review(file)),
    giveBack: (taken) => giveReviewsBack(taken),
  });
  const jobLane = openJobLane('job', {
    places: limits.jobConcurrency,
    // Each may be at the scanner: there, too, one is left for another tenant, where there is more than one.
    atMost: Math.min(
      halfOf(limits.jobConcurrency),
      Math.max(1, (options.scanner?.atOnce ?? Number.POSITIVE_INFINITY) - 1),
    ),
  });
  const previewLane = openJobLane('preview', { places: previewPlaces });
  const deliveryLane = openLane({ ...laneOptions, ...options.deliveries, atOnce: limits.webhookConcurrency });
  const upkeepLane: Lane<'slice'> = openLane({
    ...laneOptions,
    atOnce: 1,
    take: async () => ((await keepUp()) ? ['slice'] : []),
    run: () => Promise.resolve(),
    giveBack: () => Promise.resolve(),
  });
  const lanes = [reviewLane, jobLane, previewLane, deliveryLane, upkeepLane] as const;
  const renewal = setInterval(
    () => void renew().catch((error: unknown) => log.warn('Leases could not be renewed.', errorFields(error))),
    Math.min(maxRenewalMs, Math.ceil(limits.jobLeaseMs / renewalsPerLease)),
  );
  renewal.unref();

  /** Of work that is leased, in queues of tenants. */
  function openFairLane<Item extends { readonly id: string }>({
    waiting,
    places,
    atMost = halfOf(places),
    take,
    run,
    giveBack,
  }: FairLaneOptions<Item>): Lane<Leased<Item>> {
    const work = fairly<Waiting, Leased<Item>>({
      waiting,
      places,
      clock,
      sharesOf: ({ queueId: tenantId }) => [{ holder: tenantId, atMost }],
      take: async (ids) => {
        const nowMs = clock();
        const items = await take(ids, { nowMs, leaseMs: limits.jobLeaseMs });
        return items.map((item) => ({ item, leasedUntilMs: nowMs + limits.jobLeaseMs, lost: false }));
      },
      idOf: ({ item }) => item.id,
      run,
      giveBack,
    });
    return openLane({ ...laneOptions, ...work, atOnce: places });
  }

  function openJobLane(
    kind: 'job' | 'preview',
    places: Pick<FairLaneOptions<Job>, 'places' | 'atMost'>,
  ): Lane<Leased<Job>> {
    return openFairLane<Job>({
      ...places,
      waiting: database.outbox.waiting(kind),
      take: (ids, lease) => database.outbox.take(ids, lease),
      run: (taken) => options.observe(taken.item.kind, taken.item.fileId, () => runJob(taken, options)),
      giveBack: (taken) => database.outbox.giveBack(taken.map(({ item }) => item)),
    });
  }

  function runningJobs(): readonly Leased<Job>[] {
    return [...jobLane.running(), ...previewLane.running()];
  }

  /** Due as before they were taken. */
  async function giveReviewsBack(taken: readonly Leased<FileRecord>[]): Promise<void> {
    for (const { item: file, leasedUntilMs: fromMs } of taken) {
      await database.files.renewDue({ id: file.id, fromMs, untilMs: file.reviewAtMs ?? clock() });
    }
  }

  function isResting(): boolean {
    return lanes.every((lane) => lane.isIdle());
  }

  function wakeAll(): void {
    for (const lane of lanes) lane.wake();
  }

  /** What is done runs longer than its lease: it stays ours as long as we live and reach the database. */
  async function renew(): Promise<void> {
    const nowMs = clock();
    const untilMs = nowMs + limits.jobLeaseMs;
    const running = runningJobs();
    if (running.length > 0) {
      const held = await database.outbox.renew(
        running.map(({ item }) => item),
        { nowMs, leaseMs: limits.jobLeaseMs },
      );
      for (const job of running) {
        if (held.has(job.item.id)) job.leasedUntilMs = untilMs;
        // One that came to its end meanwhile is held no more, and nobody asks.
        else job.lost = true;
      }
    }
    for (const taken of reviewLane.running()) {
      const { item: file, leasedUntilMs: fromMs } = taken;
      if (await database.files.renewDue({ id: file.id, fromMs, untilMs })) taken.leasedUntilMs = untilMs;
    }
  }

  async function review(file: FileRecord): Promise<void> {
    const nowMs = clock();
    try {
      if (isUploading(file)) return await reviewUpload(file, nowMs);
      switch (file.state) {
        case 'uploaded':
        case 'validating':
        case 'scanning':
          await postpone(file, nowMs, [{ kind: 'validate', dueAtMs: nowMs }]);
          return;
        case 'purging':
          await postpone(file, nowMs, [{ kind: 'purge', dueAtMs: nowMs }]);
          return;
        case 'ready':
          if (file.missingSinceMs !== null) await options.lookForBytes(file);
          else await database.files.change(file, { reviewAtMs: null });
          return;
        case 'trashed':
        case 'rejected':
        case 'quarantined':
        case 'scan-failed':
        case 'aborted':
        case 'expired': {
          // Whatever brought the review on: nothing goes before the time that was promised.
          // With the current version go all others, and each may be one that must be kept.
          const retainUntilMs = file.role === 'current' ? await database.files.retainedUntil(file) : file.retainUntilMs;
          const purgeableFromMs = purgeableFrom({ ...file, retainUntilMs });
          if (nowMs < purgeableFromMs) await database.files.change(file, { reviewAtMs: purgeableFromMs });
          else await mover.move(file, { kind: 'purge-started' });
          return;
        }
        default:
          await database.files.change(file, { reviewAtMs: null });
      }
    } catch (error) {
      log.warn('A review failed; it is tried again.', { fileId: file.id, state: file.state, ...errorFields(error) });
      // One that has moved on meanwhile has a time of its own, which is a promise.
      const current = await database.files.find(file.id);
      if (current?.fence === file.fence) await postpone(current, nowMs);
    }
  }

  async function postpone(
    file: FileRecord,
    nowMs: number,
    due: Parameters<typeof database.files.change>[2] = [],
  ): Promise<void> {
    await database.files.change(file, { reviewAtMs: nowMs + limits.reviewIntervalMs }, due);
  }

  async function reviewUpload(file: FileRecord, nowMs: number): Promise<void> {
    const seen = await options.reconcile(file);
    if (!isUploading(seen)) return;
    if (nowMs < seen.uploadExpiresAtMs) {
      await database.files.change(seen, { reviewAtMs: nextUploadReview(seen, nowMs, limits) });
      return;
    }
    try {
      // The client may have sent every byte and gone before it could say so.
      const completed = await options.completeUpload(seen);
      // All are there, and a job copies them: it moves the file, or ends it.
      if (isUploading(completed)) await postpone(completed, nowMs);
    } catch (error) {
      // What does not come by waiting; whoever had it would have sent it.
      const missing = isFilesError(error) && (error.code === 'parts-missing' || error.code === 'checksum-wrong');
      // A bucket that refuses the completion for good must not hold the file, and what it has reserved, for ever.
      if (!missing && nowMs < file.uploadExpiresAtMs + limits.completionGraceMs) throw error;
      // But only its own word that there is no object ends an upload: one that is silent may hold every byte.
      const latest = await options.reconcile((await database.files.find(file.id)) ?? seen);
      if (isUploading(latest)) await mover.move(latest, { kind: 'expired' });
    }
  }

  /** What nobody waits for, a little at a time. Whether there may be more. */
  async function keepUp(): Promise<boolean> {
    const nowMs = clock();
    if (nowMs - cleanedUpAtMs >= cleanUpIntervalMs) {
      await database.accounts.removeExpired(nowMs);
      cleanedUpAtMs = nowMs;
    }
    if (!sweepWanted && nowMs - sweptAtMs < sweepIntervalMs) return false;
    sweepWanted = false;
    sweptAtMs = nowMs;
    const more = await options.sweepFolders();
    if (more) sweepWanted = true;
    return more;
  }

  /** Resolves when no lane has anything to do at the same moment. */
  function rest(): Promise<void> {
    if (isResting()) return Promise.resolve();
    const rested = Promise.withResolvers<void>();
    resting.add(rested.resolve);
    return rested.promise.finally(() => resting.delete(rested.resolve));
  }

  async function tick(): Promise<void> {
    const errors: unknown[] = [];
    const failed = (error: unknown): void => void errors.push(error);
    failures.add(failed);
    ticking += 1;
    ticksEndAt = takenCount() + maxPerTick;
    try {
      // What one lane does may give another something to do: all have rested when a whole round found nothing.
      for (let round = 0; round < maxRounds && !closed; round++) {
        const before = takenCount();
        sweepWanted = true;
        wakeAll();
        await rest();
        if (errors.length > 0) throw errors[0];
        if (takenCount() === before || takenCount() >= ticksEndAt) return;
      }
    } finally {
      ticking -= 1;
      failures.delete(failed);
    }
  }

  function takenCount(): number {
    return lanes.reduce((sum, lane) => sum + lane.takenCount(), 0);
  }

  function poll(): void {
    if (closed) return;
    wakeAll();
    timer = setTimeout(poll, pollMs);
  }

  return {
    tick,
    wake: (what) => {
      if (what === 'folders') sweepWanted = true;
      if (started || ticking > 0) wakeAll();
    },
    start: () => {
      started = true;
      poll();
    },
    close: async () => {
      closed = true;
      clearTimeout(timer);
      await Promise.all(lanes.map((lane) => lane.close()));
      clearInterval(renewal);
    },
    abandon: async () => {
      clearInterval(renewal);
      for (const { item: job } of runningJobs())
        await database.outbox.retry(job, { dueAtMs: clock(), error: 'The service was closed.' });
      await giveReviewsBack(reviewLane.running());
      const telling = deliveryLane.running();
      if (telling.length > 0) await options.deliveries.giveBack(telling);
    },
  };
}

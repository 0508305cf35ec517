// Compares the whole bucket with the database, when somebody asks for it and every so often by itself: rows whose bytes are gone,
// bytes that no row knows, uploads that nobody will finish. A run keeps its place after every step, so that whoever takes it up goes
// on there; of several instances one works on it at a time. Memory is bounded by a page of the listing and one of the rows.

import type {
  ReconcileFinding,
  ReconcileFindingList,
  ReconcileRun,
  ReconcileRunList,
  StartReconcileRequest,
} from '@stowage/contract';
import type { NoteOf } from '../accounts/members.ts';
import type { Bucket } from '../bucket/bucket.ts';
import { isoDate } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import type { FilesLimits } from '../limits.ts';
import { errorFields, type FilesLog } from '../log.ts';
import {
  type FindingRecord,
  type Lease,
  noCounts,
  type ReconcileRecord,
  type ReconcileTable,
} from './reconcile-record.ts';
import { openReconcileSteps, type ReconcileStepOptions } from './reconcile-step.ts';
import { openRemovalGuard, type RemovalGuard } from './removal-guard.ts';

/** When bucket and database are compared without anybody asking. */
export interface ReconcileSchedule {
  /** Time from the beginning of one run to that of the next. 0: never by itself. Default 7 days. */
  readonly everyMs?: number;
  /** Whether such runs mend what they find, as far as removal-guard.ts lets them. Default false: they report. */
  readonly mend?: boolean;
}

export interface Orphans {
  /** Throws `reconcile-running`. */
  begin(request: StartReconcileRequest, startedBy: string, noteOf: NoteOf): Promise<ReconcileRun>;
  list(): Promise<ReconcileRunList>;
  /** Throws `not-found`. */
  get(id: string): Promise<ReconcileRun>;
  /** Throws `not-found`. */
  findings(id: string, query: FindingsQuery): Promise<ReconcileFindingList>;
  /** Safe to repeat. Throws `not-found`. */
  stop(id: string, noteOf: NoteOf): Promise<ReconcileRun>;
  /** Works on the run that is running, if one is and nobody else has it, until it ends or the endpoint is away. */
  work(): Promise<void>;
  /** Begins to work by itself. */
  start(): void;
  /** Ends after the step that is on its way. */
  close(): Promise<void>;
}

interface FindingsQuery {
  readonly kind?: ReconcileFinding['kind'];
  readonly cursor?: string;
  readonly limit?: number;
}

interface OrphansOptions extends Omit<ReconcileStepOptions, 'lease' | 'limits' | 'guard' | 'bucket'> {
  readonly bucket: ReconcileStepOptions['bucket'] & Pick<Bucket, 'read' | 'put'>;
  readonly table: ReconcileTable;
  readonly schedule: ReconcileSchedule;
  readonly limits: FilesLimits;
  readonly newId: () => string;
  readonly log: FilesLog;
}

const pollMs = 5_000;
/** After a start, nothing begins by itself for so long: somebody may still be putting things right. */
const quietMs = 60 * 60_000;
const defaultEveryMs = 7 * 24 * 60 * 60_000;
const defaultPageSize = 50;
/** In place of a user, in runs that nobody asked for. */
const startedByItself = 'service';
/** Of runs that change nothing. */
const noGuard: RemovalGuard = { refusal: undefined, judge: () => undefined };

export function openOrphans(options: OrphansOptions): Orphans {
  const { table, schedule, limits, clock, newId, log } = options;
  const { everyMs = defaultEveryMs, mend = false } = schedule;
  const holder = newId();
  const openedAtMs = clock();
  const lease = (): Lease => ({ holder, nowMs: clock(), leaseMs: limits.jobLeaseMs });
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let working: Promise<void> | undefined;

  function newRun(request: StartReconcileRequest, startedBy: string): ReconcileRecord {
    const nowMs = clock();
    return {
      id: newId(),
      state: 'running',
      dryRun: request.dryRun ?? true,
      maxChanges: request.maxChanges ?? limits.reconcileChanges,
      startedBy,
      startedAtMs: nowMs,
      updatedAtMs: nowMs,
      finishedAtMs: null,
      position: { phase: 'objects', after: null },
      counts: noCounts,
      lastError: null,
    };
  }

  async function find(id: string): Promise<ReconcileRecord> {
    const run = await table.get(id);
    if (run === undefined) throw new FilesError('not-found', { detail: `There is no comparison ${id}.` });
    return run;
  }

  /** Begins the run that is due by itself. */
  async function beginDue(): Promise<void> {
    if (everyMs === 0) return;
    const [last] = await table.list(1);
    const dueAtMs = Math.max((last?.startedAtMs ?? openedAtMs) + everyMs, openedAtMs + quietMs);
    if (last?.state === 'running' || clock() < dueAtMs) return;
    // Another instance may have begun it a moment ago.
    await table
      .start(newRun({ dryRun: !mend }, startedByItself), { keep: limits.reconcileRuns })
      .catch((error: unknown) => log.info('A comparison was begun elsewhere.', errorFields(error)));
  }

  async function workOnce(): Promise<void> {
    await beginDue();
    let run = await table.take(lease());
    if (run === undefined) return;
    try {
      await options.bucket.prepare();
      // A run that somebody asked to change nothing does not mark the bucket either.
      const guard = run.dryRun && run.startedBy !== startedByItself ? noGuard : await openRemovalGuard(options);
      if (guard.refusal !== undefined)
        log.warn('The bucket is marked as another database’s.', { detail: guard.refusal });
      const steps = openReconcileSteps({ ...options, guard, lease });
      while (run?.state === 'running' && !closed) run = await steps.next(run);
    } catch (error) {
      log.warn('The comparison of bucket and database does not get on; it goes on later.', errorFields(error));
      if (run !== undefined) await table.keep({ ...run, lastError: String(error) }, lease());
      return;
    }
    // Whoever comes next need not wait for the lease to be over.
    if (run?.state === 'running') await table.keep(run, { ...lease(), leaseMs: 0 });
    if (run?.state !== 'finished') return;
    const { findings, objects, rows, uploads, limited } = run.counts;
    const found = Object.entries(findings).filter(([, { found: count }]) => count > 0);
    const fields = { run: run.id, dryRun: run.dryRun, objects, rows, uploads, limited };
    const told = Object.fromEntries(
      found.map(([kind, { found: count, mended }]) => [kind, `${count}, ${mended} mended`]),
    );
    if (findings['bytes-missing'].found + findings['bytes-differ'].found > 0) {
      log.error('Bytes of files are missing or other than they were checked.', { ...fields, ...told });
    } else log.info('Bucket and database were compared.', { ...fields, ...told });
  }

  function work(): Promise<void> {
    working ??= workOnce().finally(() => {
      working = undefined;
    });
    return working;
  }

  function workByItself(): void {
    if (closed) return;
    void work()
      .catch((error: unknown) => log.error('The comparison of bucket and database failed.', errorFields(error)))
      .finally(() => {
        if (!closed) timer = setTimeout(workByItself, pollMs);
      });
  }

  return {
    begin: async (request, startedBy, noteOf) => {
      const run = newRun(request, startedBy);
      const { dryRun, maxChanges } = run;
      const subject = { kind: 'reconcile', id: run.id };
      const note = noteOf({ action: 'reconcile.started', subject, details: { dryRun, maxChanges } });
      await table.start(run, { keep: limits.reconcileRuns, note });
      return shown(run);
    },

    list: async () => ({ runs: (await table.list(limits.reconcileRuns)).map(shown) }),

    get: async (id) => shown(await find(id)),

    findings: async (id, { kind, cursor, limit = defaultPageSize }) => {
      await find(id);
      const afterNumber = cursor === undefined ? undefined : Number(cursor);
      const rows = await table.findings({ runId: id, kind, afterNumber, limit: limit + 1 });
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return {
        findings: page.map(shownFinding),
        ...(rows.length > limit && last !== undefined ? { nextCursor: String(last.number) } : {}),
      };
    },

    stop: async (id, noteOf) => {
      const run = await find(id);
      const subject = { kind: 'reconcile', id };
      if (run.state === 'running') await table.stop(id, clock(), noteOf({ action: 'reconcile.stopped', subject }));
      return shown(await find(id));
    },

    work,

    start: () => {
      if (timer === undefined && working === undefined) workByItself();
    },

    close: async () => {
      closed = true;
      clearTimeout(timer);
      await working?.catch(() => undefined);
    },
  };
}

function shown(run: ReconcileRecord): ReconcileRun {
  const { position, counts, finishedAtMs, lastError } = run;
  const { objects, objectBytes, rows, uploads, young } = counts;
  const atKey =
    position.phase === 'objects' ? position.after : position.phase === 'uploads' ? (position.after?.key ?? null) : null;
  return {
    id: run.id,
    state: run.state,
    dryRun: run.dryRun,
    maxChanges: run.maxChanges,
    limited: counts.limited,
    startedBy: run.startedBy,
    startedAt: isoDate(run.startedAtMs),
    updatedAt: isoDate(run.updatedAtMs),
    ...(finishedAtMs === null ? {} : { finishedAt: isoDate(finishedAtMs) }),
    phase: position.phase,
    ...(atKey === null ? {} : { atKey }),
    looked: { objects, objectBytes, rows, uploads, young },
    findings: counts.findings,
    ...(lastError === null ? {} : { lastError }),
  };
}

function shownFinding(finding: FindingRecord): ReconcileFinding {
  const { number, kind, outcome, key, versionId, uploadId, fileId, sizeBytes, detail } = finding;
  return {
    number,
    kind,
    outcome,
    key,
    ...(versionId === null ? {} : { versionId }),
    ...(uploadId === null ? {} : { uploadId }),
    ...(fileId === null ? {} : { fileId }),
    ...(sizeBytes === null ? {} : { sizeBytes }),
    ...(detail === null ? {} : { detail }),
  };
}

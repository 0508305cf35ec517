// One step of a comparison: mends what was planned, else looks at the next stretch. What a step found is written down together with
// how far it came, before anything is done about it: so a process that is killed loses no finding and counts none twice.

import type { FindingKind, FindingOutcome } from '@stowage/contract';
import { findingKinds } from '@stowage/contract';
import type { Bucket, ObjectPage } from '../bucket/bucket.ts';
import { isFilesError } from '../files-error.ts';
import type { FilesLimits } from '../limits.ts';
import { judgeObjects } from './judge-objects.ts';
import { judgeUploads } from './judge-uploads.ts';
import { type MendOptions, mend, stillHolds } from './mend-finding.ts';
import type {
  Claim,
  Finding,
  FindingRecord,
  Lease,
  ReconcileCounts,
  ReconcilePosition,
  ReconcileRecord,
  ReconcileTable,
} from './reconcile-record.ts';
import { type RemovalGuard, removesBytes } from './removal-guard.ts';

export interface ReconcileStepOptions extends MendOptions {
  readonly bucket: Pick<Bucket, 'prepare' | 'listAll' | 'listAllMultipart'> & MendOptions['bucket'];
  readonly table: ReconcileTable;
  /** Asked before anything is planned to be removed. */
  readonly guard: RemovalGuard;
  readonly limits: Pick<FilesLimits, 'orphanGraceMs' | 'reconcileFindings' | 'urlLifeMs' | 'missingReviewMs'>;
  readonly lease: () => Lease;
  readonly onFinding: (kind: FindingKind, outcome: FindingOutcome | 'found') => void;
}

interface ReconcileSteps {
  /** The run as it is after one step; `undefined` when it was stopped, or another process has it. Throws `storage-unavailable`. */
  next(run: ReconcileRecord): Promise<ReconcileRecord | undefined>;
}

/** Rows of one stretch at most; objects come by the endpoint's pages. */
const claimPage = 1_000;
/** Findings that are mended in one step. */
const mendPage = 100;
/** Findings that are looked at once more at the same time. */
const lanes = 4;

/** Takes the steps of one run. Keeps what was listed and not yet looked at. */
export function openReconcileSteps(options: ReconcileStepOptions): ReconcileSteps {
  const { bucket, table, guard, clock, limits, lease, onFinding } = options;
  let listed: ObjectPage | undefined;

  async function keep(
    run: ReconcileRecord,
    changes: Partial<ReconcileRecord>,
    findings: { readonly added?: readonly FindingRecord[]; readonly settled?: readonly FindingRecord[] } = {},
  ): Promise<ReconcileRecord | undefined> {
    const kept = { ...run, ...changes, lastError: null, updatedAtMs: clock() };
    return (await table.keep(kept, lease(), findings)) ? kept : undefined;
  }

  async function mendPlanned(run: ReconcileRecord, planned: readonly FindingRecord[]) {
    const settled: FindingRecord[] = [];
    let { counts } = run;
    for (const finding of planned) {
      let outcome: 'mended' | 'gone' | 'failed';
      let { detail } = finding;
      try {
        if (guard.refusal !== undefined && removesBytes(finding)) throw new Error(guard.refusal);
        outcome = await mend(finding, options);
      } catch (error) {
        // An endpoint that is away is no fault of this finding. One that refuses (a lock holds the version) is told, and gone on from.
        if (isFilesError(error) && error.code === 'storage-unavailable' && !isRefusal(error)) throw error;
        outcome = 'failed';
        detail = messageOf(error);
      }
      settled.push({ ...finding, outcome, detail });
      counts = countOutcome(counts, finding.kind, outcome);
    }
    const kept = await keep(run, { counts }, { settled });
    if (kept !== undefined) for (const { kind, outcome } of settled) onFinding(kind, outcome);
    return kept;
  }

  async function lookAtObjects(run: ReconcileRecord, after: string | null) {
    listed ??= await bucket.listAll(after);
    const { objects, next } = listed;
    const claims = await table.claimsByKey({ after, until: next, limit: claimPage });
    // More rows than fit: the stretch ends with the last of them, and the rest of the page waits.
    const last = claims.length === claimPage ? (claims.at(-1)?.objectKey ?? next) : next;
    const taken = last === null || last === next ? objects : objects.filter(({ key }) => key <= last);
    const nowMs = clock();
    const { findings, young } = await judgeObjects(taken, claims, {
      keys: options.keys,
      beforeMs: nowMs - limits.orphanGraceMs,
      signedBeforeMs: nowMs - limits.urlLifeMs,
      claimsById: (ids) => table.claimsById(ids),
    });
    const counts = {
      ...run.counts,
      objects: run.counts.objects + taken.length,
      objectBytes: run.counts.objectBytes + taken.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      rows: run.counts.rows + claims.length,
      young: run.counts.young + young,
    };
    const kept = await found({ ...run, counts }, findings, {
      position: last === null ? { phase: 'uploads', after: null } : { phase: 'objects', after: last },
    });
    listed = last === next ? undefined : { objects: objects.slice(taken.length), next };
    return kept;
  }

  async function lookAtUploads(
    run: ReconcileRecord,
    after: { readonly key: string; readonly uploadId: string } | null,
  ) {
    const { uploads, next } = await bucket.listAllMultipart(after);
    const { findings, young } = await judgeUploads(uploads, {
      keys: options.keys,
      beforeMs: clock() - limits.orphanGraceMs,
      claimsById: (ids) => table.claimsById(ids),
    });
    const counts = {
      ...run.counts,
      uploads: run.counts.uploads + uploads.length,
      young: run.counts.young + young,
    };
    return found({ ...run, counts }, findings, {
      position: next === null ? { phase: 'done' } : { phase: 'uploads', after: next },
    });
  }

  /** The rows of the files whose bytes would be removed. */
  async function claimsOf(suspected: readonly Finding[]): Promise<ReadonlyMap<string, Claim>> {
    const ids = new Set(suspected.filter(removesBytes).flatMap(({ fileId }) => fileId ?? []));
    return new Map((await table.claimsById([...ids])).map((claim) => [claim.id, claim]));
  }

  /** Looks once more at what was suspected, and writes down what holds. */
  async function found(
    run: ReconcileRecord,
    suspected: readonly Finding[],
    changes: { readonly position: ReconcilePosition },
  ): Promise<ReconcileRecord | undefined> {
    const holding = await inLanes(suspected, (finding) => stillHolds(finding, options));
    const claims = run.dryRun ? new Map<string, Claim>() : await claimsOf(suspected);
    let { counts } = run;
    const added: FindingRecord[] = [];
    for (const [index, finding] of suspected.entries()) {
      if (holding[index] !== true) continue;
      const { found: before } = counts.findings[finding.kind];
      counts = countOutcome(counts, finding.kind, 'found');
      const claim = claims.get(finding.fileId ?? '');
      const withheld = run.dryRun ? undefined : guard.judge(finding, claim, counts.rowless);
      const mendable = !run.dryRun && findingKinds[finding.kind].mended !== 'none' && withheld === undefined;
      const allowed = counts.changes < run.maxChanges;
      if (mendable && allowed) {
        const rowless = counts.rowless + (removesBytes(finding) && claim === undefined ? 1 : 0);
        counts = { ...counts, changes: counts.changes + 1, rowless };
      } else if (mendable) counts = { ...counts, limited: true };
      const outcome = mendable && allowed ? 'planned' : 'reported';
      if (outcome === 'reported' && before >= limits.reconcileFindings) continue;
      counts = { ...counts, numbered: counts.numbered + 1 };
      added.push({
        ...finding,
        detail: withheld ?? finding.detail,
        runId: run.id,
        number: counts.numbered,
        outcome,
      });
    }
    const kept = await keep(run, { ...changes, counts }, { added });
    if (kept !== undefined) {
      for (const [index, { kind }] of suspected.entries()) if (holding[index] === true) onFinding(kind, 'found');
    }
    return kept;
  }

  return {
    next: async (run) => {
      const planned = await table.findings({ runId: run.id, outcome: 'planned', limit: mendPage });
      if (planned.length > 0) return mendPlanned(run, planned);
      switch (run.position.phase) {
        case 'objects':
          return lookAtObjects(run, run.position.after);
        case 'uploads':
          return lookAtUploads(run, run.position.after);
        case 'done':
          return keep(run, { state: 'finished', finishedAtMs: clock() });
      }
    },
  };
}

function countOutcome(
  counts: ReconcileCounts,
  kind: FindingKind,
  outcome: 'found' | 'mended' | 'gone' | 'failed',
): ReconcileCounts {
  if (outcome === 'gone') return counts;
  const before = counts.findings[kind];
  return { ...counts, findings: { ...counts.findings, [kind]: { ...before, [outcome]: before[outcome] + 1 } } };
}

/** Whether the endpoint answered, and said no. */
function isRefusal(error: Error): boolean {
  const { cause } = error;
  const metadata = cause instanceof Error && '$metadata' in cause ? cause.$metadata : undefined;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return false;
  return (
    typeof metadata.httpStatusCode === 'number' && metadata.httpStatusCode < 500 && metadata.httpStatusCode !== 429
  );
}

function messageOf(error: unknown): string {
  const { cause } = error instanceof Error ? error : { cause: undefined };
  return String(cause instanceof Error ? cause.message : error).slice(0, 500);
}

async function inLanes<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const queue = items.entries();
  await Promise.all(
    Array.from({ length: Math.min(lanes, items.length) }, async () => {
      for (const [index, item] of queue) results[index] = await work(item);
    }),
  );
  return results;
}

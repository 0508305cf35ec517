// A comparison of bucket and database as it is kept, and what is asked of the database for it.

import { type FindingCount, type FindingKind, type FindingOutcome, findingKindNames } from '@stowage/contract';
import type { AuditNote } from '../accounts/audit-note.ts';
import type { FileRecord } from '../file-record.ts';

/** Where a run is. Everything up to and with `after` was looked at; `null`: nothing yet. */
export type ReconcilePosition =
  | { readonly phase: 'objects'; readonly after: string | null }
  | { readonly phase: 'uploads'; readonly after: { readonly key: string; readonly uploadId: string } | null }
  | { readonly phase: 'done' };

export interface ReconcileCounts {
  readonly objects: number;
  readonly objectBytes: number;
  readonly rows: number;
  readonly uploads: number;
  readonly young: number;
  /** Changes that were made or planned. */
  readonly changes: number;
  /** Those of them that remove what has no row. */
  readonly rowless: number;
  /** Whether there were to be more of them than allowed. */
  readonly limited: boolean;
  /** Findings that are kept one by one; the number of the last. */
  readonly numbered: number;
  readonly findings: Readonly<Record<FindingKind, FindingCount>>;
}

export interface ReconcileRecord {
  readonly id: string;
  readonly state: 'running' | 'finished' | 'stopped';
  readonly dryRun: boolean;
  readonly maxChanges: number;
  readonly startedBy: string;
  readonly startedAtMs: number;
  readonly updatedAtMs: number;
  readonly finishedAtMs: number | null;
  readonly position: ReconcilePosition;
  readonly counts: ReconcileCounts;
  readonly lastError: string | null;
}

/** What was found, before anything was done about it. */
export interface Finding {
  readonly kind: FindingKind;
  readonly key: string;
  readonly versionId: string | null;
  readonly uploadId: string | null;
  readonly fileId: string | null;
  readonly sizeBytes: number | null;
  readonly detail: string | null;
}

export interface FindingRecord extends Finding {
  readonly runId: string;
  readonly number: number;
  readonly outcome: FindingOutcome;
}

/** What of a row says which bytes are its own. */
export type Claim = Pick<
  FileRecord,
  | 'id'
  | 'state'
  | 'objectKey'
  | 'stagingKey'
  | 'objectEtag'
  | 'objectVersionId'
  | 'multipartUploadId'
  | 'sizeBytes'
  | 'signedUntilMs'
  | 'createdAtMs'
  | 'missingSinceMs'
>;

export interface ReconcileTable {
  /** Throws `reconcile-running` when one runs. Of those that ended, `keep` are kept. */
  start(run: ReconcileRecord, options: { readonly keep: number; readonly note?: AuditNote }): Promise<void>;
  /** The newest first. */
  list(limit: number): Promise<readonly ReconcileRecord[]>;
  get(id: string): Promise<ReconcileRecord | undefined>;
  /** In the order they were found. */
  findings(page: {
    readonly runId: string;
    readonly kind?: FindingKind | undefined;
    readonly outcome?: FindingOutcome;
    readonly afterNumber?: number | undefined;
    readonly limit: number;
  }): Promise<readonly FindingRecord[]>;
  /** Takes the run that is running; nobody else gets it before `leaseMs` have passed without a `keep`. */
  take(lease: Lease): Promise<ReconcileRecord | undefined>;
  /**
   * Writes down how far a run is, and what it found, in one transaction, and renews the lease. `false` when the run was stopped or
   * another has it: then nothing is written.
   */
  keep(
    run: ReconcileRecord,
    lease: Lease,
    findings?: { readonly added?: readonly FindingRecord[]; readonly settled?: readonly FindingRecord[] },
  ): Promise<boolean>;
  /** Whether it was running. */
  stop(id: string, nowMs: number, note: AuditNote): Promise<boolean>;
  /** Gives up what a process held that has ended. */
  release(): Promise<void>;
  /** Rows by their object keys, in the order of bytes: after one, up to and with another. */
  claimsByKey(range: {
    readonly after: string | null;
    readonly until: string | null;
    readonly limit: number;
  }): Promise<readonly Claim[]>;
  claimsById(ids: readonly string[]): Promise<readonly Claim[]>;
  /** Who the database is, and the span of its rows by their ids. */
  extent(): Promise<DatabaseExtent>;
  /** Files that are marked as missing their bytes. */
  countMissing(): Promise<number>;
}

interface DatabaseExtent {
  /** Made with the database, and the same in its copies. */
  readonly databaseId: string;
  readonly rows: number;
  readonly oldestId: string | null;
  readonly newestId: string | null;
}

export interface Lease {
  readonly holder: string;
  readonly nowMs: number;
  readonly leaseMs: number;
}

export const noCounts: ReconcileCounts = {
  objects: 0,
  objectBytes: 0,
  rows: 0,
  uploads: 0,
  young: 0,
  changes: 0,
  rowless: 0,
  limited: false,
  numbered: 0,
  // The names are those of the table of kinds, each once.
  findings: Object.fromEntries(
    findingKindNames.map((kind) => [kind, { found: 0, mended: 0, failed: 0 }]),
  ) as ReconcileCounts['findings'],
};

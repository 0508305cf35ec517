// Comparing the whole bucket with the database: what a run was asked for, how far it is, and what it found.

import { z } from 'zod';

interface FindingKindRow {
  readonly summary: string;
  /** What a run that is no dry run does about it. `none`: it is only reported. */
  readonly mended: 'marked' | 'removed' | 'none';
}

/** What may be wrong between bucket and database. */
export const findingKinds = {
  'bytes-missing': {
    summary: 'A file whose bytes are gone. It is marked and no longer offered, and never deleted for it.',
    mended: 'marked',
  },
  'bytes-back': { summary: 'A file that was marked so, and whose bytes are there again.', mended: 'marked' },
  'bytes-differ': {
    summary:
      'A file whose bytes have another size or ETag than those that were checked. It is marked and no longer offered, as one whose bytes are gone.',
    mended: 'marked',
  },
  'bytes-unowned': { summary: 'Bytes of this service of which no file knows.', mended: 'removed' },
  'version-superseded': {
    summary: 'A version of an object that is not the one that was checked, in a bucket that keeps versions.',
    mended: 'removed',
  },
  leftover: { summary: 'What an upload or its promotion left behind.', mended: 'removed' },
  'preview-unowned': { summary: 'A preview of a file that is no more.', mended: 'removed' },
  'probe-left': { summary: 'What was written to try the endpoint out.', mended: 'removed' },
  'upload-dead': { summary: 'An unfinished upload of this service that nobody will finish.', mended: 'removed' },
  'object-foreign': { summary: 'An object that this service did not write. It is never touched.', mended: 'none' },
  'upload-foreign': {
    summary: 'An unfinished upload that this service did not begin. It is never touched.',
    mended: 'none',
  },
} as const satisfies Record<string, FindingKindRow>;

export type FindingKind = keyof typeof findingKinds;
// Object.keys of a closed table gives its keys.
export const findingKindNames = Object.keys(findingKinds) as [FindingKind, ...FindingKind[]];

/** `planned`: to be mended. `gone`: when its turn came it was no more. */
export const findingOutcomes = ['reported', 'planned', 'mended', 'gone', 'failed'] as const;
export type FindingOutcome = (typeof findingOutcomes)[number];

export interface StartReconcileRequest {
  /** Whether nothing is changed and everything reported. Default true. */
  readonly dryRun?: boolean;
  /** Most changes (removed, aborted, marked) that the run makes; what comes after is only reported. Default the service's limit. */
  readonly maxChanges?: number;
}

export const startReconcileRequestSchema: z.ZodType<StartReconcileRequest> = z.strictObject({
  dryRun: z.boolean().exactOptional(),
  maxChanges: z.int().min(0).max(1_000_000).exactOptional(),
});

/** How many there are of one kind. `found` counts all; the others what became of them in a run that mends. */
export interface FindingCount {
  readonly found: number;
  readonly mended: number;
  readonly failed: number;
}

export interface ReconcileRun {
  readonly id: string;
  readonly state: 'running' | 'finished' | 'stopped';
  readonly dryRun: boolean;
  readonly maxChanges: number;
  /** Whether that many were made, and more was found. */
  readonly limited: boolean;
  /** A user's id, or `service` for a run that began by itself. */
  readonly startedBy: string;
  readonly startedAt: string;
  readonly updatedAt: string;
  readonly finishedAt?: string;
  /** Where it is: objects and rows in the order of their keys, then unfinished uploads. */
  readonly phase: 'objects' | 'uploads' | 'done';
  /** The last key that was looked at in this phase. */
  readonly atKey?: string;
  readonly looked: {
    readonly objects: number;
    readonly objectBytes: number;
    readonly rows: number;
    readonly uploads: number;
    /** Objects and uploads that were too young to be judged. */
    readonly young: number;
  };
  readonly findings: Readonly<Record<FindingKind, FindingCount>>;
  /** Why it does not get on, if it does not. It tries again by itself. */
  readonly lastError?: string;
}

const findingCountSchema = z.object({ found: z.int(), mended: z.int(), failed: z.int() });

export const reconcileRunSchema: z.ZodType<ReconcileRun> = z.object({
  id: z.string(),
  state: z.enum(['running', 'finished', 'stopped']),
  dryRun: z.boolean(),
  maxChanges: z.int(),
  limited: z.boolean(),
  startedBy: z.string(),
  startedAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().exactOptional(),
  phase: z.enum(['objects', 'uploads', 'done']),
  atKey: z.string().exactOptional(),
  looked: z.object({
    objects: z.int(),
    objectBytes: z.int(),
    rows: z.int(),
    uploads: z.int(),
    young: z.int(),
  }),
  findings: z.record(z.enum(findingKindNames), findingCountSchema),
  lastError: z.string().exactOptional(),
});

export interface ReconcileRunList {
  /** The newest first. */
  readonly runs: readonly ReconcileRun[];
}

export const reconcileRunListSchema: z.ZodType<ReconcileRunList> = z.object({ runs: z.array(reconcileRunSchema) });

export interface ReconcileFinding {
  /** From 1, in the order they were found. */
  readonly number: number;
  readonly kind: FindingKind;
  readonly outcome: FindingOutcome;
  readonly key: string;
  readonly versionId?: string;
  /** Of an unfinished upload. */
  readonly uploadId?: string;
  /** The version of a file that it has to do with, by its own id. */
  readonly fileId?: string;
  readonly sizeBytes?: number;
  /** What differs, or why it could not be mended. */
  readonly detail?: string;
}

/** Of each kind only the first are kept one by one; the run's counts are of all. */
export interface ReconcileFindingList {
  readonly findings: readonly ReconcileFinding[];
  readonly nextCursor?: string;
}

export const reconcileFindingListSchema: z.ZodType<ReconcileFindingList> = z.object({
  findings: z.array(
    z.object({
      number: z.int(),
      kind: z.enum(findingKindNames),
      outcome: z.enum(findingOutcomes),
      key: z.string(),
      versionId: z.string().exactOptional(),
      uploadId: z.string().exactOptional(),
      fileId: z.string().exactOptional(),
      sizeBytes: z.int().exactOptional(),
      detail: z.string().exactOptional(),
    }),
  ),
  nextCursor: z.string().exactOptional(),
});

export const listFindingsQuerySchema = z.strictObject({
  kind: z.enum(findingKindNames).exactOptional(),
  cursor: z
    .string()
    .regex(/^\d{1,15}$/)
    .exactOptional(),
  /** Default 50. */
  limit: z.coerce.number().int().min(1).max(200).exactOptional(),
});

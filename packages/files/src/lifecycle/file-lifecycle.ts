// The life of a file, as a pure function: a row and something that happened give the changes and the jobs that follow.
// The contract's state table says what may follow what; here stands what each step brings with it, and that every state
// which is not at rest has a time at which the service looks at the row by itself. Design §6.

import { type ContentFinding, type FileState, mayFollow } from '@stowage/contract';
import type { ObjectFacts } from '../bucket/bucket.ts';
import type { FileChanges, FileRecord } from '../file-record.ts';
import type { FilesLimits } from '../limits.ts';
import type { Policies } from '../policies.ts';
import type { NewJob } from './job.ts';

export type FileEvent =
  /** The bucket holds some of the bytes. */
  | { readonly kind: 'parts-seen' }
  /** The bucket is about to be asked to join the parts, or to copy the bytes from where they arrived. */
  | { readonly kind: 'join-started' }
  /** The bucket still holds the parts apart, or no longer the bytes that arrived. */
  | { readonly kind: 'join-failed' }
  /** The bucket holds the object. */
  | { readonly kind: 'stored'; readonly facts: ObjectFacts }
  | { readonly kind: 'validation-started' }
  /** The bytes are what was announced; `contentType` is what they are. */
  | {
      readonly kind: 'validated';
      readonly contentType: string;
      readonly marks?: readonly ContentFinding[];
      readonly excerpt?: string | undefined;
    }
  | { readonly kind: 'rejected'; readonly reason: string }
  /** `policy` says what judged the bytes. */
  | { readonly kind: 'scanned'; readonly policy: string; readonly previewable: boolean }
  /** `forGood`: nobody is to restore it; it is purged as soon as it may be. */
  | { readonly kind: 'infected'; readonly signature: string }
  /** Nothing can judge the bytes, and the policy wants them judged. */
  | { readonly kind: 'scan-failed'; readonly reason: string }
  /** To be judged anew: by newer signatures, or a scanner that takes more. */
  | { readonly kind: 'rescan' }
  | { readonly kind: 'trashed'; readonly forGood?: boolean }
  /** `within`: only into these folders, however deep. */
  | { readonly kind: 'restored'; readonly previewable: boolean; readonly within?: readonly string[] | undefined }
  /** `asked`: somebody wants it gone now. Without, only what is due goes. */
  | { readonly kind: 'purge-started'; readonly asked?: boolean }
  | { readonly kind: 'purged' }
  | { readonly kind: 'aborted'; readonly reason: string | null }
  | { readonly kind: 'expired' };

interface LifecycleContext {
  readonly nowMs: number;
  readonly limits: Pick<
    FilesLimits,
    | 'reviewIntervalMs'
    | 'trashRetentionMs'
    | 'rejectedRetentionMs'
    | 'urlLifeMs'
    | 'uploadLifeMs'
    | 'maxInlineCopyBytes'
  >;
  readonly policies: Policies;
}

interface Transition {
  readonly changes: FileChanges & { readonly state: FileState };
  readonly jobs: readonly NewJob[];
}

/** What was its owner's goes with the bytes; the row stays for its ids, its key and the audit log. */
const forgotten = { name: '', tags: [], metadata: {}, excerpt: null } as const satisfies FileChanges;

/** Whether the event may happen to a file in this state. */
export function canHappen(file: FileRecord, kind: FileEvent['kind']): boolean {
  return mayFollow(file.state, targets[kind]);
}

/** Whether the bytes must be kept, whoever asks. */
export function isRetained(file: Pick<FileRecord, 'retainUntilMs'>, nowMs: number): boolean {
  return file.retainUntilMs !== null && file.retainUntilMs > nowMs;
}

/** From when on the bytes may be removed without being asked for: what was promised when the row came to rest. */
export function purgeableFrom({ purgeAtMs, reviewAtMs, retainUntilMs }: FileRecord): number {
  // Rows of before have no such time of their own.
  return Math.max(purgeAtMs ?? reviewAtMs ?? 0, retainUntilMs ?? 0);
}

/**
 * When an unfinished upload is looked at next: at its end, should that be near. Once that is over, after the interval too: a bucket
 * that refuses to join would else be asked again at once, without end.
 */
export function nextUploadReview(
  { uploadExpiresAtMs }: Pick<FileRecord, 'uploadExpiresAtMs'>,
  nowMs: number,
  { reviewIntervalMs }: Pick<FilesLimits, 'reviewIntervalMs'>,
): number {
  const dueAtMs = nowMs + reviewIntervalMs;
  return uploadExpiresAtMs > nowMs ? Math.min(dueAtMs, uploadExpiresAtMs) : dueAtMs;
}

/** What follows from the event. Throws when it cannot happen in this state: ask `canHappen` first. */
export function transition(
  file: FileRecord,
  event: FileEvent,
  { nowMs, limits, policies }: LifecycleContext,
): Transition {
  const state = targets[event.kind];
  if (!mayFollow(file.state, state)) throw new Error(`A file that is ${file.state} cannot become ${state}.`);
  const review = { state, updatedAtMs: nowMs, reviewAtMs: nowMs + limits.reviewIntervalMs };
  const { retentionMs } = policies.of(file.category);
  const now = (kind: NewJob['kind']): NewJob => ({ kind, dueAtMs: nowMs });
  const cleaning = file.state === 'validating' ? cleaningOf(file, nowMs, limits) : [];

  switch (event.kind) {
    case 'parts-seen':
    case 'join-failed':
      return { changes: { ...review, reviewAtMs: nextUploadReview(file, nowMs, limits) }, jobs: [] };
    case 'join-started':
      // Bytes that arrived elsewhere are copied to where they are judged; few at once, many by a job. Parts must be joined first.
      return { changes: review, jobs: isCopiedByJob(file, limits.maxInlineCopyBytes) ? [now('copy')] : [] };
    case 'validation-started':
      return { changes: review, jobs: [] };
    case 'stored': {
      const { etag, versionId, checksum } = event.facts;
      const changes = {
        objectEtag: etag,
        objectVersionId: versionId ?? null,
        checksumAlgorithm: checksum?.algorithm ?? null,
        checksumValue: checksum?.value ?? null,
      };
      return { changes: { ...review, ...changes }, jobs: [now('validate')] };
    }
    case 'validated':
      return {
        changes: {
          ...review,
          contentType: event.contentType,
          contentMarks: event.marks ?? [],
          excerpt: event.excerpt ?? null,
          scanningSinceMs: nowMs,
        },
        jobs: cleaning,
      };
    case 'rescan':
      return {
        changes: { ...review, reason: null, scanningSinceMs: nowMs, purgeAtMs: null },
        jobs: [now('validate')],
      };
    case 'infected':
    case 'scan-failed':
    case 'rejected': {
      const reason = event.kind === 'infected' ? `Malware was found: ${event.signature}.` : event.reason;
      const purgeAtMs = nowMs + limits.rejectedRetentionMs;
      return { changes: { ...review, reason, purgeAtMs, reviewAtMs: purgeAtMs }, jobs: cleaning };
    }
    case 'scanned':
      return {
        // Only now does a new version take the place of the one before it: until it may be downloaded, that one is served.
        changes: {
          ...review,
          role: 'current',
          scanPolicy: event.policy,
          reviewAtMs: null,
          retainUntilMs: retentionMs === 0 ? null : nowMs + retentionMs,
        },
        jobs: [...(event.previewable ? [now('preview')] : []), ...(file.role === 'version' ? [now('prune')] : [])],
      };
    case 'trashed': {
      const purgeAtMs = Math.max(
        nowMs + (event.forGood === true ? 0 : limits.trashRetentionMs),
        file.retainUntilMs ?? 0,
      );
      return { changes: { ...review, trashedAtMs: nowMs, purgeAtMs, reviewAtMs: purgeAtMs }, jobs: [] };
    }
    case 'restored':
      return {
        // One whose bytes are missing is looked after until they are back.
        changes: {
          ...review,
          trashedAtMs: null,
          purgeAtMs: null,
          reviewAtMs: file.missingSinceMs === null ? null : nowMs,
        },
        jobs: event.previewable && file.previews.length === 0 ? [now('preview')] : [],
      };
    case 'purge-started': {
      const dueAtMs = purgeDueAt(file, nowMs, limits.urlLifeMs);
      // What was asked for is from now on what is promised.
      const purgeAtMs = event.asked === true ? nowMs : file.purgeAtMs;
      return {
        changes: { ...review, purgeAtMs, reviewAtMs: dueAtMs + limits.reviewIntervalMs },
        jobs: [{ kind: 'purge', dueAtMs }],
      };
    }
    case 'purged':
      return { changes: { ...review, ...forgotten, reviewAtMs: null }, jobs: [] };
    case 'aborted':
    case 'expired': {
      // What the bucket holds now goes at once; what a URL that is still good may yet write goes when it no longer is.
      const reviewAtMs = Math.max(nowMs, file.signedUntilMs) + limits.urlLifeMs;
      const reason = event.kind === 'aborted' ? event.reason : 'The bytes did not all arrive in time.';
      return { changes: { ...review, reason, reviewAtMs }, jobs: [now('discard')] };
    }
  }
}

const targets = {
  'parts-seen': 'uploading',
  'join-started': 'completing',
  'join-failed': 'uploading',
  stored: 'uploaded',
  'validation-started': 'validating',
  validated: 'scanning',
  rejected: 'rejected',
  scanned: 'ready',
  infected: 'quarantined',
  'scan-failed': 'scan-failed',
  rescan: 'scanning',
  trashed: 'trashed',
  restored: 'ready',
  'purge-started': 'purging',
  purged: 'purged',
  aborted: 'aborted',
  expired: 'expired',
} as const satisfies Record<FileEvent['kind'], FileState>;

function isCopiedByJob({ stagingKey, strategy, sizeBytes }: FileRecord, maxInlineCopyBytes: number): boolean {
  return stagingKey !== null && strategy !== 'multipart' && sizeBytes > maxInlineCopyBytes;
}

/**
 * From `validating` on the row stays with its key, and with the version that was pinned. Where else the bytes lay, and what else was
 * written to the key, is cleared when no URL can write there any more. Versions may come of what the service itself asked for too: a
 * copy or a completion that was carried out late, after another.
 */
function cleaningOf(
  { stagingKey, objectVersionId, signedUntilMs }: FileRecord,
  nowMs: number,
  { urlLifeMs }: Pick<FilesLimits, 'urlLifeMs'>,
): readonly NewJob[] {
  const dueAtMs = Math.max(nowMs, signedUntilMs) + urlLifeMs;
  return [
    ...(stagingKey === null ? [] : [{ kind: 'unstage', dueAtMs } as const]),
    ...(objectVersionId === null ? [] : [{ kind: 'unversion', dueAtMs } as const]),
  ];
}

/**
 * When the bytes may be removed for good. A PUT writes only where the key is free: were the bytes gone while its URL is
 * still good, it could write again. An upload that began in time may last, so as much time again is left.
 */
function purgeDueAt(file: FileRecord, nowMs: number, urlLifeMs: number): number {
  return file.strategy === 'put' || file.strategy === 'form' ? Math.max(nowMs, file.signedUntilMs + urlLifeMs) : nowMs;
}

// Files that were set aside: found dangerous, or judged by nothing. Somebody of the tenant has them judged anew, releases them or
// deletes them. A release goes through `scanning` like a verdict does, so that a process that dies in between leaves a file that
// the scanner judges once more, never one that is open. Each decision is in the audit log with what it did.

import type { QuarantinedFile, QuarantineList, QuarantineOutcome } from '@stowage/contract';
import type { AuditNote } from '../accounts/audit-note.ts';
import type { Bucket } from '../bucket/bucket.ts';
import { isPreviewable } from '../content/content-rules.ts';
import type { FileTable, QuarantineTable } from '../database/database.ts';
import type { TenantId } from '../database/tenant-id.ts';
import { type FileRecord, isoDate, objectOf } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import { isRetained, purgeableFrom } from './file-lifecycle.ts';
import { type FileMover, maxMoveAttempts, tooFast } from './move-file.ts';

/** Begins a note for the audit log, in the name of who decides. */
type NoteOn = (about: Pick<AuditNote, 'action' | 'subject' | 'details'>) => AuditNote;

export interface Quarantine {
  list(tenantId: string, page: { readonly cursor?: string; readonly limit?: number }): Promise<QuarantineList>;
  /** Throws `not-found`, `wrong-state` for what is not set aside. */
  rescan(version: TenantId): Promise<QuarantineOutcome>;
  /** Throws as `rescan`, `bytes-missing` when the bucket no longer holds the bytes that were set aside, `storage-unavailable`. */
  release(version: TenantId, reason: string, noteOn: NoteOn): Promise<QuarantineOutcome>;
  /** Safe to repeat. Throws as `rescan`, and `retained`. */
  remove(version: TenantId, noteOn: NoteOn): Promise<void>;
}

interface QuarantineOptions {
  readonly bucket: Pick<Bucket, 'head'>;
  readonly files: FileTable;
  readonly quarantine: QuarantineTable;
  readonly mover: FileMover;
  readonly clock: () => number;
  /** Told that there is something to do. */
  readonly onDue: () => void;
}

const defaultPageSize = 50;

export function openQuarantine({ bucket, files, quarantine, mover, clock, onDue }: QuarantineOptions): Quarantine {
  async function find({ tenantId, id }: TenantId): Promise<FileRecord> {
    const file = await files.get({ tenantId, id });
    if (file !== undefined) return file;
    throw new FilesError('not-found', { detail: `There is no version ${id}.` });
  }

  /** Tries anew as long as others move the row. `undefined` of a try: again. */
  async function decide<Outcome>(
    version: TenantId,
    decideOnce: (file: FileRecord) => Promise<Outcome | undefined>,
  ): Promise<Outcome> {
    for (let attempt = 0; attempt < maxMoveAttempts; attempt++) {
      const outcome = await decideOnce(await find(version));
      if (outcome !== undefined) return outcome;
    }
    throw tooFast();
  }

  return {
    list: async (tenantId, { cursor, limit = defaultPageSize }) => {
      const rows = await quarantine.list({ tenantId, limit: limit + 1, beforeId: cursor });
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return {
        files: page.map(shown),
        ...(rows.length > limit && last !== undefined ? { nextCursor: last.id } : {}),
      };
    },

    rescan: (version) =>
      decide(version, async (file) => {
        requireSetAside(file);
        if ((await mover.move(file, { kind: 'rescan' })) === undefined) return undefined;
        onDue();
        return { id: file.id, state: 'scanning' } as const;
      }),

    release: (version, reason, noteOn) =>
      decide(version, async (file) => {
        requireSetAside(file);
        await requireUnchanged(file, bucket);
        const scanning = await mover.move(file, { kind: 'rescan' });
        if (scanning === undefined) return undefined;
        const details = { versionId: file.id, found: file.reason ?? '', reason };
        const note = noteOn({ action: 'quarantine.released', subject: { kind: 'file', id: file.lineId }, details });
        const policy = `released by ${note.actor.kind} ${note.actor.id}`;
        const released = await mover.move(
          scanning,
          { kind: 'scanned', policy, previewable: isPreviewable(scanning) },
          note,
        );
        if (released === undefined) return undefined;
        onDue();
        return { id: file.id, state: 'ready' } as const;
      }),

    remove: (version, noteOn) =>
      decide(version, async (file) => {
        if (file.state === 'purging' || file.state === 'purged') return true;
        requireSetAside(file);
        if (isRetained(file, clock())) {
          throw new FilesError('retained', {
            detail: `The file must be kept until ${isoDate(file.retainUntilMs ?? 0)}.`,
          });
        }
        const details = { versionId: file.id, found: file.reason ?? '' };
        const note = noteOn({ action: 'quarantine.deleted', subject: { kind: 'file', id: file.lineId }, details });
        if ((await mover.move(file, { kind: 'purge-started', asked: true }, note)) === undefined) return undefined;
        onDue();
        return true;
      }).then(() => undefined),
  };
}

function requireSetAside(file: FileRecord): void {
  if (file.state === 'quarantined' || file.state === 'scan-failed') return;
  throw new FilesError('wrong-state', {
    detail: `Only what was set aside can be judged here; this file is ${file.state}.`,
  });
}

/** Somebody judged the bytes that were set aside. Others, that came to lie in their place, were judged by nobody. */
async function requireUnchanged(file: FileRecord, bucket: Pick<Bucket, 'head'>): Promise<void> {
  const facts = await bucket.head(objectOf(file));
  if (facts !== undefined && facts.etag === file.objectEtag && facts.sizeBytes === file.sizeBytes) return;
  const found = facts === undefined ? 'no object' : `an object of ${facts.sizeBytes} bytes with ETag ${facts.etag}`;
  throw new FilesError('bytes-missing', {
    detail: `The file cannot be released: what was set aside has ${file.sizeBytes} bytes and ETag ${file.objectEtag ?? 'none'}, and the bucket holds ${found} in its place. Delete the file.`,
  });
}

function shown(file: FileRecord): QuarantinedFile {
  return {
    id: file.id,
    fileId: file.lineId,
    name: file.name,
    sizeBytes: file.sizeBytes,
    contentType: file.contentType,
    state: file.state === 'quarantined' ? 'quarantined' : 'scan-failed',
    reason: file.reason ?? '',
    userId: file.userId,
    createdAt: isoDate(file.createdAtMs),
    updatedAt: isoDate(file.updatedAtMs),
    purgeAt: isoDate(purgeableFrom(file)),
  };
}

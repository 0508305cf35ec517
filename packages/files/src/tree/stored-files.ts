// Files that have arrived: listed, read, put into the trash and taken out again. Rows only; no byte moves.

import type { Action, ChangeFileRequest, FileEntry, FileList, FileState, ListFilesQuery } from '@stowage/contract';
import type { NoteOf } from '../accounts/members.ts';
import { isPreviewable } from '../content/content-rules.ts';
import type { FileTable, FolderTable, SortColumn } from '../database/database.ts';
import type { TenantId } from '../database/tenant-id.ts';
import { type FileRecord, fileEntry, fileEtag, shelfOf } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import { type FileMover, maxMoveAttempts } from '../lifecycle/move-file.ts';
import { requireName } from '../uploads/new-upload.ts';
import { topFolderId } from './folder-record.ts';
import { readPlace, writePlace } from './list-cursor.ts';

export interface StoredFiles {
  /** `within`: only what lies in these folders, however deep. Default: wherever it lies. Throws `not-found` for the folder. */
  list(tenantId: string, query: ListFilesQuery, within?: readonly string[]): Promise<FileList>;
  /** The row as its owner sees it. */
  entry(file: FileRecord): Promise<FileEntry>;
  /** Rows of one tenant as their owner sees them, in the same order. */
  entries(files: readonly FileRecord[]): Promise<FileEntry[]>;
  /** Throws `not-found` for a file that is gone, and for another tenant's. */
  get(tenantId: string, id: string): Promise<FileRecord>;
  /** Throws `not-found`, `wrong-state` for a file in the trash, `precondition-failed`, `name-taken`. */
  change(file: TenantId, request: ChangeFileRequest, ifMatch?: string): Promise<FileEntry>;
  /**
   * Into the trash, or out of the world when it never became usable. Safe to repeat. Throws `not-found`, `wrong-state`,
   * `precondition-failed`, and `forbidden` where that would be for good and who asks may not do so.
   */
  remove(file: TenantId, options: RemoveOptions): Promise<void>;
  restore(tenantId: string, id: string): Promise<FileEntry>;
}

interface RemoveOptions {
  readonly ifMatch?: string | undefined;
  /** Whether who asks may do this to what lies in a folder. */
  readonly may: (action: Action, folderId: string) => Promise<boolean>;
  /** Begins the note for the audit log of what goes for good. */
  readonly noteOf: NoteOf;
}

interface StoredFilesOptions {
  readonly files: FileTable;
  readonly folders: FolderTable;
  readonly mover: FileMover;
  readonly clock: () => number;
}

const defaultPageSize = 50;
/** What somebody of the tenant judges: it is theirs to delete, by whatever route. */
const setAside: ReadonlySet<FileState> = new Set(['quarantined', 'scan-failed']);
const ofQuarantine = { needs: 'quarantine:write', action: 'quarantine.deleted' } as const;
/** What was refused goes as what is in the trash does. */
const ofRefused = { needs: 'files:purge', action: 'file.purged' } as const;

export function openStoredFiles({ files, folders, mover, clock }: StoredFilesOptions): StoredFiles {
  async function get(tenantId: string, id: string): Promise<FileRecord> {
    const file = await files.current({ tenantId, id });
    if (file === undefined || file.state === 'purging' || file.state === 'purged') {
      throw new FilesError('not-found', { detail: `There is no file ${id}.` });
    }
    return file;
  }

  async function show(shown: readonly FileRecord[]): Promise<FileEntry[]> {
    const [{ tenantId } = { tenantId: '' }] = shown;
    const paths = await folders.paths(
      tenantId,
      shown.map(({ folderId }) => folderId),
    );
    return shown.map((file) => fileEntry(file, paths.get(file.folderId) ?? []));
  }

  async function entry(file: FileRecord): Promise<FileEntry> {
    const [shown] = await show([file]);
    if (shown === undefined) throw new Error('One row was given, and none came back.');
    return shown;
  }

  return {
    entry,
    entries: show,

    list: async (tenantId, { cursor, limit = defaultPageSize, sort = '-createdAt', name, folderId }, within) => {
      if (folderId !== undefined && folderId !== topFolderId) {
        const there = await folders.get({ tenantId, id: folderId });
        if (there === undefined) throw new FilesError('not-found', { detail: `There is no folder ${folderId}.` });
      }
      const descending = sort.startsWith('-');
      // What is left after the sign is one of the columns: the schema lets nothing else through.
      const column = (descending ? sort.slice(1) : sort) as SortColumn;
      const rows = await files.list({
        tenantId,
        shelf: 'files',
        sort: column,
        descending,
        name,
        folderId,
        within,
        limit: limit + 1,
        after: cursor === undefined ? undefined : readPlace(cursor, sort),
      });
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      const more = rows.length > limit && last !== undefined;
      return {
        files: await show(page),
        ...(more ? { nextCursor: writePlace(files.placeOf(last, column), sort) } : {}),
      };
    },

    get,

    remove: async ({ tenantId, id }, { ifMatch, may, noteOf }) => {
      let file = await get(tenantId, id);
      for (let attempt = 0; attempt < maxMoveAttempts; attempt++) {
        if (file.state === 'trashed') return;
        requireMatch(file, ifMatch);
        if (shelfOf(file) !== 'files') {
          throw new FilesError('wrong-state', { detail: `The upload is ${file.state}: give it up instead.` });
        }
        if (file.state === 'ready') {
          if ((await mover.move(file, { kind: 'trashed' })) !== undefined) return;
        } else {
          const { needs, action } = setAside.has(file.state) ? ofQuarantine : ofRefused;
          if (!(await may(needs, file.folderId))) {
            throw new FilesError('forbidden', {
              detail: `The file is ${file.state}, and deleting it would be for good: that needs ${needs}. Ask an owner for it.`,
            });
          }
          const details = { versionId: file.id, found: file.reason ?? '' };
          const note = noteOf({ action, subject: { kind: 'file', id: file.lineId }, details });
          if ((await mover.move(file, { kind: 'purge-started', asked: true }, note)) !== undefined) return;
        }
        const latest = await get(tenantId, id);
        if (latest.fence === file.fence) {
          throw new FilesError('wrong-state', { detail: `The file is ${file.state}: wait until it has been checked.` });
        }
        file = latest;
      }
      throw tooFast();
    },

    change: async ({ tenantId, id }, request, ifMatch) => {
      const { name, folderId, tags, metadata, onConflict = 'refuse' } = request;
      if (name !== undefined) requireName(name);
      for (let attempt = 0; attempt < maxMoveAttempts; attempt++) {
        const file = await get(tenantId, id);
        if (shelfOf(file) !== 'files')
          throw new FilesError('wrong-state', { detail: `The file is ${file.state}: restore it first.` });
        requireMatch(file, ifMatch);
        const changes = {
          updatedAtMs: clock(),
          ...(name === undefined ? {} : { name: name.toWellFormed() }),
          ...(folderId === undefined ? {} : { folderId }),
          ...(tags === undefined ? {} : { tags: [...new Set(tags)] }),
          ...(metadata === undefined ? {} : { metadata }),
        };
        const moves = name !== undefined || folderId !== undefined;
        const changed = await (moves ? files.relocate(file, changes, { onConflict }) : files.change(file, changes));
        if (changed !== undefined) return entry(changed);
      }
      throw tooFast();
    },

    restore: async (tenantId, id) => {
      let file = await get(tenantId, id);
      for (let attempt = 0; attempt < maxMoveAttempts; attempt++) {
        if (file.state === 'ready') return entry(file);
        if (file.state !== 'trashed') {
          throw new FilesError('wrong-state', {
            detail: `Only a file in the trash can be restored; this one is ${file.state}.`,
          });
        }
        const restored = await mover.move(file, { kind: 'restored', previewable: isPreviewable(file) });
        if (restored !== undefined) return entry(restored);
        file = await get(tenantId, id);
      }
      throw tooFast();
    },
  };
}

function requireMatch(file: FileRecord, ifMatch: string | undefined): void {
  if (ifMatch === undefined || ifMatch === '*' || ifMatch === fileEtag(file)) return;
  throw new FilesError('precondition-failed', {
    detail: `If-Match is ${ifMatch}, but the file is at ${fileEtag(file)}. Read it again.`,
  });
}

function tooFast(): FilesError {
  return new FilesError('wrong-state', { detail: 'The file is changing too fast; try again.', retryAfterSeconds: 1 });
}

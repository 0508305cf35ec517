// Files that have arrived: listed, read, put into the trash and taken out again. Rows only; no byte moves.

import { isDeepStrictEqual } from 'node:util';
import type { ChangeFileRequest, FileEntry, FileList, ListFilesQuery } from '@stowage/contract';
import { isPreviewable } from '../content/content-rules.ts';
import type { FilePage, FileTable, FolderTable, SortColumn } from '../database/database.ts';
import type { TenantId } from '../database/tenant-id.ts';
import { type FileRecord, fileEntry, fileEtag, shelfOf } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import { type FileMover, maxMoveAttempts, tooFast } from '../lifecycle/move-file.ts';
import { topFolderId } from './folder-record.ts';
import { readPlace, writePlace } from './list-cursor.ts';
import { type ForGoodOptions, removeForGood } from './remove-for-good.ts';
import { requireName } from './required-name.ts';

export interface StoredFiles {
  /** `within`: only what lies in these folders, however deep. Default: wherever it lies. Throws `not-found` for the folder. */
  list(tenantId: string, query: ListFilesQuery, within?: readonly string[]): Promise<FileList>;
  /** The row as its owner sees it. */
  entry(file: FileRecord): Promise<FileEntry>;
  /** Rows of one tenant as their owner sees them, in the same order. */
  entries(files: readonly FileRecord[]): Promise<FileEntry[]>;
  /** Throws `not-found` for a file that is gone, and for another tenant's. */
  get(tenantId: string, id: string): Promise<FileRecord>;
  /**
   * What is asked for and is so already changes nothing: no row, no time, no etag. Throws `not-found`, `wrong-state` for a file in the
   * trash, `precondition-failed`, `name-taken`.
   */
  change(file: TenantId, request: ChangeFileRequest, ifMatch?: string): Promise<FileEntry>;
  /**
   * Into the trash, or out of the world when it never became usable. Safe to repeat. Throws `not-found`, `wrong-state`,
   * `precondition-failed`, and `forbidden` where that would be for good and who asks may not do so.
   */
  remove(file: TenantId, options: RemoveOptions): Promise<void>;
  /**
   * Out of the trash, with its folder where that is there too. `within`: only into these folders, however deep; default: wherever it lay.
   * Throws `not-found`, `wrong-state`, `forbidden` for what would come back elsewhere.
   */
  restore(file: TenantId, within?: readonly string[]): Promise<FileEntry>;
}

interface RemoveOptions extends ForGoodOptions {
  readonly ifMatch?: string | undefined;
}

interface StoredFilesOptions {
  readonly files: FileTable;
  readonly folders: FolderTable;
  readonly mover: FileMover;
  readonly clock: () => number;
}

const defaultPageSize = 50;

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
      const options = {
        tenantId,
        shelf: 'files',
        sort: column,
        descending,
        folderId,
        within,
        limit: limit + 1,
        after: cursor === undefined ? undefined : readPlace(cursor, sort),
      } as const;
      const { files: rows, lookedUntil }: FilePage =
        name === undefined || name === ''
          ? { files: await files.list(options) }
          : await files.listNamed({ ...options, name });
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      const more = rows.length > limit && last !== undefined ? files.placeOf(last, column) : lookedUntil;
      return {
        files: await show(page),
        ...(more === undefined ? {} : { nextCursor: writePlace(more, sort) }),
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
          if (await removeForGood(file, { may, noteOf, mover })) return;
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
      const { name, onConflict = 'refuse' } = request;
      if (name !== undefined) requireName(name);
      for (let attempt = 0; attempt < maxMoveAttempts; attempt++) {
        const file = await get(tenantId, id);
        if (shelfOf(file) !== 'files')
          throw new FilesError('wrong-state', { detail: `The file is ${file.state}: restore it first.` });
        requireMatch(file, ifMatch);
        const changes = changesOf(file, request);
        if (Object.keys(changes).length === 0) return entry(file);
        const moves = changes.name !== undefined || changes.folderId !== undefined;
        const changed = await (moves
          ? files.relocate(file, { ...changes, updatedAtMs: clock() }, { onConflict })
          : files.change(file, { ...changes, updatedAtMs: clock() }));
        if (changed !== undefined) return entry(changed);
      }
      throw tooFast();
    },

    restore: async ({ tenantId, id }, within) => {
      let file = await get(tenantId, id);
      for (let attempt = 0; attempt < maxMoveAttempts; attempt++) {
        if (file.state === 'ready') return entry(file);
        if (file.state !== 'trashed') {
          throw new FilesError('wrong-state', {
            detail: `Only a file in the trash can be restored; this one is ${file.state}.`,
          });
        }
        const restored = await mover.move(file, { kind: 'restored', previewable: isPreviewable(file), within });
        if (restored !== undefined) return entry(restored);
        file = await get(tenantId, id);
      }
      throw tooFast();
    },
  };
}

/** What of the request is not so already. */
function changesOf(
  file: FileRecord,
  { name, folderId, tags, metadata }: ChangeFileRequest,
): Partial<Pick<FileRecord, 'name' | 'folderId' | 'tags' | 'metadata'>> {
  const newName = name?.toWellFormed();
  const newTags = tags === undefined ? undefined : [...new Set(tags)];
  return {
    ...(newName === undefined || newName === file.name ? {} : { name: newName }),
    ...(folderId === undefined || folderId === file.folderId ? {} : { folderId }),
    ...(newTags === undefined || isDeepStrictEqual(newTags, file.tags) ? {} : { tags: newTags }),
    ...(metadata === undefined || isDeepStrictEqual(metadata, file.metadata) ? {} : { metadata }),
  };
}

function requireMatch(file: FileRecord, ifMatch: string | undefined): void {
  if (ifMatch === undefined || ifMatch === '*' || ifMatch === fileEtag(file)) return;
  throw new FilesError('precondition-failed', {
    detail: `If-Match is ${ifMatch}, but the file is at ${fileEtag(file)}. Read it again.`,
  });
}

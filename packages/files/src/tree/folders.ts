// Folders: made, listed, renamed, moved, put into the trash. Rows only; nothing moves in the bucket.

import type {
  ChangeFolderRequest,
  CreateFolderRequest,
  Folder,
  FolderList,
  FolderWithContents,
  ListFoldersQuery,
} from '@stowage/contract';
import type { Account } from '../database/account-tables.ts';
import type { Database } from '../database/database.ts';
import type { TenantId } from '../database/tenant-id.ts';
import { isoDate } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import { maxMoveAttempts, tooFast } from '../lifecycle/move-file.ts';
import type { FilesLimits } from '../limits.ts';
import { type FolderRecord, foldName, topFolderId } from './folder-record.ts';
import { readPlace, writePlace } from './list-cursor.ts';
import { requireName } from './required-name.ts';

export interface Folders {
  /** `roots`: the folders that stand at the top for who may not see all. */
  list(tenantId: string, query: ListFoldersQuery, roots?: readonly string[]): Promise<FolderList>;
  /** Throws `not-found` for the parent, `name-taken`. */
  create(account: Account, request: CreateFolderRequest): Promise<Folder>;
  /** Throws `not-found`. The top has no row of its own, and cannot be asked for. */
  get(folder: TenantId): Promise<FolderWithContents>;
  /** What is so already changes nothing. Throws `not-found`, `precondition-failed`, `name-taken`, `folder-cycle`. */
  change(folder: TenantId, request: ChangeFolderRequest, ifMatch?: string): Promise<Folder>;
  /**
   * Into the trash with all that lies in it, however much: none of it can be listed, found or fetched from then on, and the list of the
   * trash fills as the worker goes through it. Safe to repeat. Throws `not-found`, `precondition-failed`.
   */
  remove(folder: TenantId, ifMatch?: string): Promise<void>;
  /**
   * For the worker: puts a slice of what lies in folders of the trash there too, or forgets a slice of the folders there that are empty.
   * Whether there was anything.
   */
  sweep(): Promise<boolean>;
}

interface FoldersOptions {
  readonly database: Pick<Database, 'folders' | 'files'>;
  readonly limits: Pick<FilesLimits, 'trashRetentionMs'>;
  readonly clock: () => number;
  readonly newId: () => string;
  /** Told of each file that went into the trash with its folder. */
  readonly onTrashed: (fileId: string) => void;
  /** Told that there is something to sweep. */
  readonly onRemoved: () => void;
}

const defaultPageSize = 50;
/** Files, or folders, of one slice: one transaction, for which all others wait. */
const sweepSliceSize = 100;

export function openFolders({ database, limits, clock, newId, onTrashed, onRemoved }: FoldersOptions): Folders {
  const { folders, files } = database;

  async function find(folder: TenantId): Promise<FolderRecord> {
    const found = await folders.get(folder);
    if (found === undefined) throw new FilesError('not-found', { detail: `There is no folder ${folder.id}.` });
    return found;
  }

  async function show(shown: readonly FolderRecord[]): Promise<Folder[]> {
    const [{ tenantId } = { tenantId: '' }] = shown;
    const paths = await folders.paths(
      tenantId,
      shown.map(({ id }) => id),
    );
    return shown.map((folder) => ({
      id: folder.id,
      parentId: folder.parentId,
      name: folder.name,
      path: paths.get(folder.id) ?? [folder.name],
      createdAt: isoDate(folder.createdAtMs),
      updatedAt: isoDate(folder.updatedAtMs),
      etag: etagOf(folder),
    }));
  }

  async function showOne(folder: FolderRecord): Promise<Folder> {
    const [shown] = await show([folder]);
    if (shown === undefined) throw new Error('One folder was given, and none came back.');
    return shown;
  }

  async function sweep(): Promise<boolean> {
    const nowMs = clock();
    const purgeAtMs = nowMs + limits.trashRetentionMs;
    const trashed = await files.trashWithin({ nowMs, purgeAtMs, limit: sweepSliceSize });
    for (const { id } of trashed) onTrashed(id);
    return trashed.length > 0 || (await folders.removeEmpty(sweepSliceSize)) > 0;
  }

  return {
    list: async (tenantId, { parentId = topFolderId, cursor, limit = defaultPageSize }, roots) => {
      if (parentId !== topFolderId) await find({ tenantId, id: parentId });
      const after = cursor === undefined ? undefined : readPlace(cursor, 'name');
      const from = parentId === topFolderId && roots !== undefined ? { ids: roots } : { parentId };
      const rows = await folders.list({ tenantId, from, limit: limit + 1, after });
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      const more = rows.length > limit && last !== undefined;
      return {
        folders: await show(page),
        ...(more ? { nextCursor: writePlace({ value: foldName(last.name), id: last.id }, 'name') } : {}),
      };
    },

    create: async ({ tenantId, userId }, { name, parentId = topFolderId }) => {
      requireName(name);
      const nowMs = clock();
      const folder = { id: newId(), tenantId, parentId, name: name.toWellFormed(), createdBy: userId };
      return showOne(
        await folders.add({ ...folder, createdAtMs: nowMs, updatedAtMs: nowMs, fence: 1, trashedAtMs: null }),
      );
    },

    get: async (folder) => {
      const found = await find(folder);
      return { ...(await showOne(found)), contents: await folders.contents(folder) };
    },

    change: async (folder, { name, parentId }, ifMatch) => {
      if (name !== undefined) requireName(name);
      for (let attempt = 0; attempt < maxMoveAttempts; attempt++) {
        const found = await find(folder);
        requireMatch(found, ifMatch);
        const newName = name?.toWellFormed();
        const changes = {
          ...(newName === undefined || newName === found.name ? {} : { name: newName }),
          ...(parentId === undefined || parentId === found.parentId ? {} : { parentId }),
        };
        if (Object.keys(changes).length === 0) return showOne(found);
        const changed = await folders.change(found, { ...changes, updatedAtMs: clock() });
        if (changed !== undefined) return showOne(changed);
      }
      throw tooFast('folder');
    },

    remove: async (folder, ifMatch) => {
      for (let attempt = 0; attempt < maxMoveAttempts; attempt++) {
        const found = await find(folder);
        requireMatch(found, ifMatch);
        if (!(await folders.trash(found, clock()))) continue;
        // All that lies in it is out of sight from here on; the worker puts file after file into the trash.
        onRemoved();
        return;
      }
      throw tooFast('folder');
    },

    sweep,
  };
}

function etagOf(folder: FolderRecord): string {
  return `"${folder.fence}"`;
}

function requireMatch(folder: FolderRecord, ifMatch: string | undefined): void {
  if (ifMatch === undefined || ifMatch === '*' || ifMatch === etagOf(folder)) return;
  throw new FilesError('precondition-failed', {
    detail: `If-Match is ${ifMatch}, but the folder is at ${etagOf(folder)}. Read it again.`,
  });
}

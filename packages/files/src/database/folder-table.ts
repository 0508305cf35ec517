// Rows of folders. The tree is walked by ids; names are unique in a folder, whatever their case. Whatever changes the tree's
// shape queues for the tenant's row, so that two moves together cannot make a circle.

import type { Transaction } from 'kysely';
import type { Shelf } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import { type FolderRecord, foldName, topFolderId } from '../tree/folder-record.ts';
import type { FolderTable, ListFoldersOptions } from './database.ts';
import { chainOf, chainsOf, liesWithin, maxFolderDepth, pathsOf, subtreeOf } from './folder-tree.ts';
import { lockFreeRows } from './lock-rows.ts';
import type { FolderRow, Schema } from './schema.ts';
import type { LockedTransaction, SqlScope } from './sql-scope.ts';

export function openFolderTable(scope: SqlScope, { newId }: { readonly newId: () => string }): FolderTable {
  return {
    get: ({ tenantId, id }) =>
      scope.read({ tenantId }, async (query) => {
        const row = await query
          .selectFrom('folders')
          .selectAll()
          .where('id', '=', id)
          .where('tenantId', '=', tenantId)
          .where('trashedAtMs', 'is', null)
          .executeTakeFirst();
        return row === undefined ? undefined : recordOf(row);
      }),

    list: (options) => scope.read(options, (query) => list(query, options)),

    add: (folder) =>
      scope.writeLocked(folder, async (transaction) => {
        await requirePlace(transaction, folder);
        await transaction.insertInto('folders').values(rowOf(folder)).execute();
        return folder;
      }),

    change: (folder, changes) =>
      scope.writeLocked(folder, async (transaction) => {
        const changed: FolderRecord = { ...folder, ...changes, fence: folder.fence + 1 };
        await requirePlace(transaction, changed);
        const { numUpdatedRows } = await transaction
          .updateTable('folders')
          .set(rowOf(changed))
          .where('id', '=', folder.id)
          .where('fence', '=', folder.fence)
          .where('trashedAtMs', 'is', null)
          .executeTakeFirstOrThrow();
        return numUpdatedRows === 1n ? changed : undefined;
      }),

    trash: ({ tenantId, id, fence }, nowMs) =>
      scope.writeLocked({ tenantId }, async (transaction) => {
        const row = await transaction
          .selectFrom('folders')
          .select(['fence', 'trashedAtMs'])
          .where('id', '=', id)
          .executeTakeFirst();
        if (row === undefined || row.trashedAtMs !== null || row.fence !== fence) return false;
        await transaction
          .updateTable('folders')
          .set(({ eb }) => ({ trashedAtMs: nowMs, updatedAtMs: nowMs, fence: eb('fence', '+', 1) }))
          .where('tenantId', '=', tenantId)
          .where('trashedAtMs', 'is', null)
          .where('id', 'in', subtreeOf(tenantId, id))
          .execute();
        return true;
      }),

    ensure: ({ tenantId, userId, parentId, names, nowMs }) => {
      if (names.length === 0) return Promise.resolve(parentId);
      return scope.writeLocked({ tenantId }, async (transaction) => {
        await requireParent(transaction, { tenantId, parentId });
        let id = parentId;
        for (const name of names) {
          const stamps = { createdAtMs: nowMs, updatedAtMs: nowMs, fence: 1, trashedAtMs: null };
          id = await ensureFolder(transaction, {
            id: newId(),
            tenantId,
            parentId: id,
            name,
            createdBy: userId,
            ...stamps,
          });
        }
        requireDepth((await chainOf(transaction, tenantId, id)).length);
        return id;
      });
    },

    paths: (tenantId, ids) =>
      // Of an empty page nobody knows the tenant, and nothing needs to be asked.
      ids.length === 0
        ? Promise.resolve(new Map())
        : scope.read({ tenantId }, (query) => pathsOf(query, tenantId, ids)),

    chains: (tenantId, ids) => scope.read({ tenantId }, (query) => chainsOf(query, tenantId, ids)),

    isWithin: ({ tenantId, id }, within) =>
      within === topFolderId
        ? Promise.resolve(true)
        : scope.read({ tenantId }, async (query) => (await chainOf(query, tenantId, id)).includes(within)),

    contents: ({ tenantId, id }) =>
      scope.read({ tenantId }, async (query) => {
        let folders = query
          .selectFrom('folders')
          .select(({ fn }) => fn.countAll<number | string>().as('count'))
          .where('tenantId', '=', tenantId)
          .where('trashedAtMs', 'is', null);
        let files = query
          .selectFrom('files')
          .select(({ fn }) => [
            fn.countAll<number | string>().as('count'),
            fn.sum<number | string | null>('sizeBytes').as('sizeBytes'),
          ])
          .where('tenantId', '=', tenantId)
          .where('shelf', '=', 'files');
        if (id !== topFolderId) {
          folders = folders.where('id', 'in', subtreeOf(tenantId, id)).where('id', '<>', id);
          files = files.where(liesWithin('folderId', subtreeOf(tenantId, id), scope.dialect));
        }
        const { count } = await folders.executeTakeFirstOrThrow();
        const sums = await files.executeTakeFirstOrThrow();
        return { folders: Number(count), files: Number(sums.count), sizeBytes: Number(sums.sizeBytes ?? 0) };
      }),

    removeEmpty: (limit) =>
      scope.write('service', async (transaction) => {
        const found = transaction
          .selectFrom('folders')
          .select('id')
          .where('trashedAtMs', 'is not', null)
          // With the tenant, and each shelf by its name: so an index answers for each folder.
          .where(({ not, exists, selectFrom }) =>
            not(
              exists(
                selectFrom('files')
                  .select('files.id')
                  .whereRef('files.tenantId', '=', 'folders.tenantId')
                  .whereRef('files.folderId', '=', 'folders.id')
                  .where('shelf', 'in', keptShelves),
              ),
            ),
          )
          .where(({ not, exists, selectFrom }) =>
            not(
              exists(
                selectFrom('folders as child')
                  .select('child.id')
                  .whereRef('child.tenantId', '=', 'folders.tenantId')
                  .whereRef('child.parentId', '=', 'folders.id'),
              ),
            ),
          )
          .limit(limit);
        // What somebody brings back, or moves, just now is not empty, or is looked at again.
        const empty = await lockFreeRows(found, scope.dialect).execute();
        if (empty.length === 0) return 0;
        const ids = empty.map(({ id }) => id);
        await transaction.deleteFrom('grants').where('folderId', 'in', ids).execute();
        await transaction.deleteFrom('folders').where('id', 'in', ids).execute();
        return ids.length;
      }),
  };
}

/** Where something of a file still lies: everywhere but `none`. */
const keptShelves = ['uploads', 'files', 'trash', 'versions'] as const satisfies readonly Exclude<Shelf, 'none'>[];

interface RestoreFoldersOptions {
  readonly tenantId: string;
  readonly folderId: string;
  readonly nowMs: number;
  /** As `RelocateOptions.within`. */
  readonly within: readonly string[] | undefined;
}

/**
 * Brings a folder and those above it back out of the trash, each as itself or as the one that has taken its name since. Throws
 * `forbidden` when one would come back, or the last of them lie, outside of the folders of `within`.
 */
export async function restoreFolders(
  transaction: LockedTransaction,
  { tenantId, folderId, nowMs, within }: RestoreFoldersOptions,
): Promise<string> {
  const chain = [...(await chainOf(transaction, tenantId, folderId))].reverse();
  const above: string[] = [];
  const requireWithin = (): void => {
    if (within === undefined || above.some((id) => within.includes(id))) return;
    throw new FilesError('forbidden', {
      detail: 'It would come back to where you may not put anything. Ask an owner to restore it.',
    });
  };
  let parentId = topFolderId;
  for (const id of chain) {
    const row = await transaction.selectFrom('folders').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    const there = await findNamed(transaction, { tenantId, parentId, name: row.name });
    if (there !== undefined) {
      parentId = there;
      above.push(there);
      continue;
    }
    requireWithin();
    await transaction
      .updateTable('folders')
      .set({ parentId, trashedAtMs: null, updatedAtMs: nowMs, fence: row.fence + 1 })
      .where('id', '=', id)
      .execute();
    parentId = id;
    above.push(id);
  }
  requireWithin();
  return parentId;
}

async function list(
  query: Parameters<typeof pathsOf>[0],
  options: ListFoldersOptions,
): Promise<readonly FolderRecord[]> {
  let rows = query
    .selectFrom('folders')
    .selectAll()
    .where('tenantId', '=', options.tenantId)
    .where('trashedAtMs', 'is', null)
    .orderBy('nameFolded')
    .orderBy('id')
    .limit(options.limit);
  const { after, from } = options;
  if ('parentId' in from) rows = rows.where('parentId', '=', from.parentId);
  else if (from.ids.length === 0) return [];
  else rows = rows.where('id', 'in', from.ids);
  if (after !== undefined) {
    const name = String(after.value);
    rows = rows.where(({ eb, and, or }) =>
      or([eb('nameFolded', '>', name), and([eb('nameFolded', '=', name), eb('id', '>', after.id)])]),
    );
  }
  return (await rows.execute()).map(recordOf);
}

/** Throws unless the folder may stand where it says. */
async function requirePlace(transaction: LockedTransaction, folder: FolderRecord): Promise<void> {
  const { tenantId, parentId, id } = folder;
  await requireParent(transaction, folder);
  if (parentId !== topFolderId) {
    const chain = await chainOf(transaction, tenantId, parentId);
    if (chain.includes(id)) {
      throw new FilesError('folder-cycle', { detail: 'The folder was to be moved into itself, or into one below it.' });
    }
    requireDepth(chain.length + 1);
  }
  const there = await findNamed(transaction, folder);
  if (there !== undefined && there !== id) {
    throw new FilesError('name-taken', { detail: 'There is a folder of this name here. Choose another name.' });
  }
}

/** Throws `not-found` for a folder that is not there, or in the trash. */
async function requireParent(
  transaction: Transaction<Schema>,
  { tenantId, parentId }: Pick<FolderRecord, 'tenantId' | 'parentId'>,
): Promise<void> {
  if (parentId === topFolderId) return;
  const parent = await transaction
    .selectFrom('folders')
    .select('trashedAtMs')
    .where('id', '=', parentId)
    .where('tenantId', '=', tenantId)
    .executeTakeFirst();
  if (parent?.trashedAtMs !== null) throw new FilesError('not-found', { detail: `There is no folder ${parentId}.` });
}

function requireDepth(depth: number): void {
  if (depth <= maxFolderDepth) return;
  throw new FilesError('invalid-request', {
    detail: `Folders may lie ${maxFolderDepth} deep; this one would be number ${depth}.`,
  });
}

async function ensureFolder(transaction: Transaction<Schema>, folder: FolderRecord): Promise<string> {
  await transaction
    .insertInto('folders')
    .values(rowOf(folder))
    .onConflict((conflict) =>
      conflict.columns(['tenantId', 'parentId', 'nameFolded']).where('trashedAtMs', 'is', null).doNothing(),
    )
    .execute();
  const id = await findNamed(transaction, folder);
  if (id === undefined) throw new Error('A folder that was just made is not there.');
  return id;
}

async function findNamed(
  transaction: Transaction<Schema>,
  { tenantId, parentId, name }: Pick<FolderRecord, 'tenantId' | 'parentId' | 'name'>,
): Promise<string | undefined> {
  const row = await transaction
    .selectFrom('folders')
    .select('id')
    .where('tenantId', '=', tenantId)
    .where('parentId', '=', parentId)
    .where('nameFolded', '=', foldName(name))
    .where('trashedAtMs', 'is', null)
    .executeTakeFirst();
  return row?.id;
}

function rowOf(folder: FolderRecord): FolderRow {
  return { ...folder, nameFolded: foldName(folder.name) };
}

function recordOf({ nameFolded: _nameFolded, ...folder }: FolderRow): FolderRecord {
  return folder;
}

// Files that go into the trash with their folder, and folders that come out of it with a file.

import { sql, type Transaction } from 'kysely';
import type { FileChanges, FileRecord } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import { change } from './file-changes.ts';
import { recordOf } from './file-rows.ts';
import { restoreFolders } from './folder-table.ts';
import { chainOf, isInSight } from './folder-tree.ts';
import { lockFreeRows, lockRows } from './lock-rows.ts';
import type { SqlDialect } from './migrations/migration.ts';
import type { FileRow, Schema } from './schema.ts';
import type { LockedTransaction } from './sql-scope.ts';
import { tellWebhooks } from './webhook-table.ts';

/** Files that follow a folder into the trash in one transaction before it comes back: more are the worker's. */
const maxFollowing = 100;

/** The place of a file that comes out of the trash: its folder may be there too, and comes back with it. */
export async function returnFrom(
  transaction: LockedTransaction,
  { tenantId, folderId, updatedAtMs }: FileRecord,
  changes: FileChanges,
  {
    newId,
    trashRetentionMs,
    within,
    dialect,
  }: {
    readonly newId: () => string;
    readonly trashRetentionMs: number;
    readonly within: readonly string[] | undefined;
    readonly dialect: SqlDialect;
  },
): Promise<FileChanges> {
  const nowMs = changes.updatedAtMs ?? updatedAtMs;
  // What else lies in the folders that come back was thrown away with them, and stays so.
  const left = await readyInChain(transaction, { tenantId, folderId, limit: maxFollowing + 1, dialect });
  if (left.length > maxFollowing) {
    throw new FilesError('wrong-state', {
      detail: 'The folder of the file is still being put into the trash. Try again in a moment.',
      retryAfterSeconds: 2,
    });
  }
  for (const row of left) {
    await trashFile(transaction, recordOf(row), { nowMs, purgeAtMs: nowMs + trashRetentionMs, newId, dialect });
  }
  return { folderId: await restoreFolders(transaction, { tenantId, folderId, nowMs, within }) };
}

/** Files that are ready, in a folder of the trash and those of the trash above it. */
async function readyInChain(
  transaction: Transaction<Schema>,
  {
    tenantId,
    folderId,
    limit,
    dialect,
  }: { readonly tenantId: string; readonly folderId: string; readonly limit: number; readonly dialect: SqlDialect },
): Promise<readonly FileRow[]> {
  const chain = await chainOf(transaction, tenantId, folderId);
  if (chain.length === 0) return [];
  const ready = transaction
    .selectFrom('files')
    .selectAll()
    .where('tenantId', '=', tenantId)
    .where('folderId', 'in', [...chain])
    .where('shelf', '=', 'files')
    .where('state', '=', 'ready')
    .where(({ not }) => not(isInSight('files.folderId')))
    .orderBy('id')
    .limit(limit);
  return lockRows(ready, dialect).execute();
}

interface TrashFileOptions {
  readonly nowMs: number;
  readonly purgeAtMs: number;
  readonly newId: () => string;
  readonly dialect: SqlDialect;
}

/** Into the trash with its folder. `undefined` when the row has moved on. */
export async function trashFile(
  transaction: Transaction<Schema>,
  before: FileRecord,
  { nowMs, purgeAtMs, newId, dialect }: TrashFileOptions,
): Promise<FileRecord | undefined> {
  const changes = {
    state: 'trashed',
    trashedAtMs: nowMs,
    purgeAtMs,
    reviewAtMs: purgeAtMs,
    updatedAtMs: nowMs,
  } as const;
  const changed = await change(transaction, before, changes);
  if (changed !== undefined) await tellWebhooks(transaction, { before, after: changed, newId, dialect });
  return changed;
}

/** Files that are ready and lie in folders of the trash, at most `limit`; what somebody else is just writing is passed over. */
export async function readyInTrashedFolders(
  transaction: Transaction<Schema>,
  limit: number,
  dialect: SqlDialect,
): Promise<readonly FileRow[]> {
  // Asked of each folder by itself, which an index answers: joined, PostgreSQL would read every file there is.
  const folders = await transaction
    .selectFrom('folders')
    .select(['id', 'tenantId'])
    .where('trashedAtMs', 'is not', null)
    .where(({ selectFrom }) =>
      selectFrom('files')
        .select(sql<boolean>`true`.as('some'))
        .whereRef('files.tenantId', '=', 'folders.tenantId')
        .whereRef('files.folderId', '=', 'folders.id')
        .where('files.shelf', '=', 'files')
        .where('files.state', '=', 'ready')
        .limit(1),
    )
    .limit(limit)
    .execute();
  const rows: FileRow[] = [];
  for (const { id, tenantId } of folders) {
    if (rows.length === limit) break;
    const ready = transaction
      .selectFrom('files')
      .selectAll()
      .where('tenantId', '=', tenantId)
      .where('folderId', '=', id)
      .where('shelf', '=', 'files')
      .where('state', '=', 'ready')
      // Asked again: since it was found, the folder may have come back with a file of it, which is not to follow it any more.
      .where(({ not }) => not(isInSight('files.folderId')))
      .limit(limit - rows.length);
    rows.push(...(await lockFreeRows(ready, dialect).execute()));
  }
  return rows;
}

/**
 * A file that was found ready in a folder of the trash, which the worker has not come to: into the trash too, if it still is so. Answers
 * the file as it is then.
 */
export async function followFolder(
  transaction: Transaction<Schema>,
  found: FileRecord,
  options: TrashFileOptions,
): Promise<FileRecord | undefined> {
  const row = transaction.selectFrom('files').selectAll().where('id', '=', found.id);
  // Asked again: since it was found, the folder may have come back.
  const there = row.where('fence', '=', found.fence).where(({ not }) => not(isInSight('files.folderId')));
  const following = await lockRows(there, options.dialect).executeTakeFirst();
  if (following !== undefined) return trashFile(transaction, recordOf(following), options);
  const moved = await row.executeTakeFirst();
  return moved === undefined ? undefined : recordOf(moved);
}

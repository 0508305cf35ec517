// Rows of files. A change is one UPDATE … WHERE id AND fence, with what it takes up and the jobs it makes necessary in the same
// transaction.

import { sql, type Transaction } from 'kysely';
import type { FileChanges, FileRecord } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import type { NewJob } from '../lifecycle/job.ts';
import { tooFast } from '../lifecycle/move-file.ts';
import { foldName, topFolderId } from '../tree/folder-record.ts';
import type { WriteNote } from './audit-table.ts';
import type { AddOptions, FileTable, IdempotencyKey } from './database.ts';
import { dueFiles } from './due-rows.ts';
import { emptyTrash, goneStates } from './empty-trash.ts';
import { listFiles, listNamedFiles, placeOf } from './file-lists.ts';
import { chooseName } from './file-names.ts';
import { columnsOf, recordOf, rowOf } from './file-rows.ts';
import { restoreFolders } from './folder-table.ts';
import { chainOf, isInSight, liesWithin, subtreeOf } from './folder-tree.ts';
import type { SqlDialect } from './migrations/migration.ts';
import { type AddJobsOptions, addJobs } from './outbox.ts';
import type { FileRow, Schema } from './schema.ts';
import { indexWords } from './search-table.ts';
import type { LockedTransaction, SqlScope } from './sql-scope.ts';
import { requireRoom, requireUserRoom, settleUsage } from './usage-totals.ts';
import { tellWebhooks } from './webhook-table.ts';

interface FileTableOptions {
  readonly newId: () => string;
  readonly writeNote: WriteNote;
  /** How long what is put into the trash with its folder stays there. */
  readonly trashRetentionMs: number;
}

export function openFileTable(scope: SqlScope, { newId, writeNote, trashRetentionMs }: FileTableOptions): FileTable {
  return {
    add: (file, options = {}) =>
      scope.writeLocked(file, async (transaction) => {
        const added = await add(transaction, file, options);
        if (added.id === file.id)
          await addJobs(transaction, file.id, options.jobs ?? [], { newId, dialect: scope.dialect });
        return added;
      }),

    get: ({ tenantId, id }) =>
      scope.read({ tenantId }, async (query) => {
        const row = await query
          .selectFrom('files')
          .selectAll()
          .where('id', '=', id)
          .where('tenantId', '=', tenantId)
          .executeTakeFirst();
        return row === undefined ? undefined : recordOf(row);
      }),

    current: async ({ tenantId, id }) => {
      const row = await scope.read({ tenantId }, (query) =>
        query
          .selectFrom('files')
          .leftJoin('folders', 'folders.id', 'files.folderId')
          .selectAll('files')
          .select('folders.trashedAtMs as folderTrashedAtMs')
          .where('files.lineId', '=', id)
          .where('files.role', '=', 'current')
          .where('files.tenantId', '=', tenantId)
          .executeTakeFirst(),
      );
      if (row === undefined) return undefined;
      const { folderTrashedAtMs: nowMs, ...file } = row;
      if (nowMs === null || file.state !== 'ready') return recordOf(file);
      // Its folder is in the trash, and the worker has not come to it: it goes there now, as whoever asks is to see it.
      return scope.write({ tenantId }, async (transaction) => {
        const purgeAtMs = nowMs + trashRetentionMs;
        const trashed = await trashFile(transaction, recordOf(file), { nowMs, purgeAtMs, newId });
        if (trashed !== undefined) return trashed;
        const moved = await transaction.selectFrom('files').selectAll().where('id', '=', file.id).executeTakeFirst();
        return moved === undefined ? undefined : recordOf(moved);
      });
    },

    versions: ({ tenantId, id }, limit) =>
      scope.read({ tenantId }, async (query) => {
        const rows = await query
          .selectFrom('files')
          .selectAll()
          .where('lineId', '=', id)
          .where('tenantId', '=', tenantId)
          .orderBy('id', 'desc')
          .limit(limit)
          .execute();
        return rows.map(recordOf);
      }),

    find: (id) =>
      scope.read('service', async (query) => {
        const row = await query.selectFrom('files').selectAll().where('id', '=', id).executeTakeFirst();
        return row === undefined ? undefined : recordOf(row);
      }),

    change: (file, changes, jobs = [], note) => {
      const followed = async (transaction: Transaction<Schema>): Promise<FileRecord | undefined> => {
        const changed = await change(transaction, file, changes);
        if (changed !== undefined) await follow(transaction, file, changed, { jobs, newId, dialect: scope.dialect });
        return changed;
      };
      if (note === undefined) return scope.write(file, followed);
      return scope.writeLocked(file, async (transaction) => {
        const changed = await followed(transaction);
        if (changed !== undefined) await writeNote(transaction, note);
        return changed;
      });
    },

    relocate: (file, changes, { onConflict, jobs = [], within }) =>
      scope.writeLocked(file, async (transaction) => {
        // First of all: a folder that comes back for a file that has moved on would stay.
        if (!(await holdRow(transaction, file, scope.dialect))) return undefined;
        const place =
          changes.state === 'ready' && file.state === 'trashed'
            ? await returnFrom(transaction, file, changes, { newId, trashRetentionMs, within, dialect: scope.dialect })
            : {};
        const name = await chooseName(transaction, { ...file, ...changes, ...place }, onConflict);
        const changed = await change(transaction, file, { ...changes, ...place, name });
        if (changed !== undefined) await follow(transaction, file, changed, { jobs, newId, dialect: scope.dialect });
        return changed;
      }),

    named: ({ tenantId, folderId, name }) =>
      scope.read({ tenantId }, async (query) => {
        const row = await query
          .selectFrom('files')
          .selectAll()
          .where('tenantId', '=', tenantId)
          .where('folderId', '=', folderId)
          .where('shelf', '=', 'files')
          .where('role', '=', 'current')
          .where('nameFolded', '=', foldName(name))
          .executeTakeFirst();
        return row === undefined ? undefined : recordOf(row);
      }),

    readyWithin: ({ tenantId, folderId, limit }) =>
      scope.read({ tenantId }, async (query) => {
        let rows = query
          .selectFrom('files')
          .selectAll()
          .where('tenantId', '=', tenantId)
          .where('shelf', '=', 'files')
          .where('state', '=', 'ready')
          .where(isInSight('files.folderId'))
          .orderBy('folderId')
          .orderBy('nameFolded')
          .orderBy('id')
          .limit(limit);
        if (folderId !== topFolderId)
          rows = rows.where(liesWithin('folderId', subtreeOf(tenantId, folderId), scope.dialect));
        return (await rows.execute()).map(recordOf);
      }),

    retainedUntil: ({ tenantId, lineId }) =>
      scope.read({ tenantId }, async (query) => {
        const row = await query
          .selectFrom('files')
          .select(({ fn }) => fn.max<number | string | null>('retainUntilMs').as('untilMs'))
          .where('tenantId', '=', tenantId)
          .where('lineId', '=', lineId)
          .where('state', 'not in', goneStates)
          .executeTakeFirst();
        const untilMs = row?.untilMs ?? null;
        return untilMs === null ? null : Number(untilMs);
      }),

    emptyTrash: (options) => emptyTrash(scope, writeNote, options),

    trashWithin: (options) =>
      scope.write('service', async (transaction) => {
        const rows = await readyInTrashedFolders(transaction, options.limit, scope.dialect);
        const trashed: FileRecord[] = [];
        for (const row of rows) {
          const changed = await trashFile(transaction, recordOf(row), { ...options, newId });
          if (changed !== undefined) trashed.push(changed);
        }
        return trashed;
      }),

    list: (options) => scope.read(options, (query) => listFiles(query, options, scope.dialect)),

    listNamed: (options) => scope.read(options, (query) => listNamedFiles(query, options, scope.dialect)),

    takeDue: ({ nowMs, leaseMs, limit }) =>
      scope.write('service', async (transaction) => {
        const due = dueFiles(transaction, { nowMs, limit });
        const rows = await (scope.dialect === 'postgres' ? due.forUpdate().skipLocked() : due).execute();
        if (rows.length === 0) return [];
        const ids = rows.map(({ id }) => id);
        await transaction
          .updateTable('files')
          .set({ reviewAtMs: nowMs + leaseMs })
          .where('id', 'in', ids)
          .execute();
        return rows.map(recordOf);
      }),

    renewDue: ({ id, fromMs, untilMs }) =>
      scope.write('service', async (transaction) => {
        const { numUpdatedRows } = await transaction
          .updateTable('files')
          .set({ reviewAtMs: untilMs })
          .where('id', '=', id)
          .where('reviewAtMs', '=', fromMs)
          .executeTakeFirstOrThrow();
        return numUpdatedRows === 1n;
      }),

    count: () =>
      scope.read('service', async (query) => {
        const rows = await query
          .selectFrom('fileCounts')
          .select(({ fn }) => ['state', fn.sum<number | string>('files').as('count')])
          .groupBy('state')
          .execute();
        return rows.map(({ state, count }) => ({ state, count: Number(count) })).filter(({ count }) => count !== 0);
      }),

    placeOf,
  };
}

/** Files that follow a folder into the trash in one transaction before it comes back: more are the worker's. */
const maxFollowing = 100;

async function add(
  transaction: LockedTransaction,
  file: FileRecord,
  { idempotency, onConflict = 'keep-both', userQuotaBytes }: AddOptions,
): Promise<FileRecord> {
  // Alone with the tenant: of two announcements at once with one key, the second finds the row of the first.
  if (idempotency !== undefined) {
    const known = await findRepeated(transaction, file, idempotency);
    if (known !== undefined) return known;
  }
  await requireRoom(transaction, file);
  if (userQuotaBytes !== undefined) await requireUserRoom(transaction, file, userQuotaBytes);
  const name = file.role === 'current' ? await chooseName(transaction, file, onConflict) : file.name;
  const added = { ...file, name };
  await transaction.insertInto('files').values(rowOf(added)).execute();
  await settleUsage(transaction, undefined, added);
  await indexWords(transaction, undefined, added);
  if (idempotency !== undefined) {
    const row = { tenantId: file.tenantId, ...idempotency, fileId: file.id };
    await transaction
      .insertInto('idempotencyKeys')
      .values(row)
      .onConflict((conflict) => conflict.columns(['tenantId', 'key']).doUpdateSet(row))
      .execute();
  }
  return added;
}

/** The row that the same request made before. */
async function findRepeated(
  transaction: Transaction<Schema>,
  file: FileRecord,
  idempotency: IdempotencyKey,
): Promise<FileRecord | undefined> {
  const known = await transaction
    .selectFrom('idempotencyKeys')
    .selectAll()
    .where('tenantId', '=', file.tenantId)
    .where('key', '=', idempotency.key)
    .where('expiresAtMs', '>', file.createdAtMs)
    .executeTakeFirst();
  if (known === undefined) return undefined;
  if (known.requestHash !== idempotency.requestHash) {
    throw new FilesError('idempotency-conflict', {
      detail: 'This Idempotency-Key came with another request before. Use a new key for a new request.',
    });
  }
  const row = await transaction
    .selectFrom('files')
    .selectAll()
    .where('id', '=', known.fileId)
    .executeTakeFirstOrThrow();
  return recordOf(row);
}

async function change(
  transaction: Transaction<Schema>,
  file: FileRecord,
  changes: FileChanges,
): Promise<FileRecord | undefined> {
  const becomesCurrent = file.role === 'version' && changes.role === 'current';
  const place = becomesCurrent ? await takeOver(transaction, file) : {};
  const changed: FileRecord = { ...file, ...changes, ...place, fence: file.fence + 1 };
  const { numUpdatedRows } = await transaction
    .updateTable('files')
    .set(columnsOf(changed, { ...changes, ...place }))
    .where('id', '=', file.id)
    .where('fence', '=', file.fence)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows === 0n) {
    // What was taken over is given back with the transaction.
    if (becomesCurrent && place.role !== 'version') throw tooFast();
    return undefined;
  }
  await settleUsage(transaction, file, changed);
  await indexWords(transaction, file, changed);
  return changed;
}

/** What a change of a file makes necessary, and who is told. */
async function follow(
  transaction: Transaction<Schema>,
  before: FileRecord,
  after: FileRecord,
  { jobs, ...options }: AddJobsOptions & { readonly jobs: readonly NewJob[] },
): Promise<void> {
  await addJobs(transaction, after.id, jobs, options);
  await tellWebhooks(transaction, { before, after, newId: options.newId });
}

/** Has nobody else write the row until the transaction ends. `false` when it has moved on. */
async function holdRow(
  transaction: Transaction<Schema>,
  { id, fence }: FileRecord,
  dialect: SqlDialect,
): Promise<boolean> {
  const row = transaction.selectFrom('files').select('id').where('id', '=', id).where('fence', '=', fence);
  return (await (dialect === 'postgres' ? row.forUpdate() : row).executeTakeFirst()) !== undefined;
}

/**
 * Takes the place of the file's current version: its name, folder, tags and metadata. Where the current one is not `ready` (it
 * is in the trash, or going), it stays the current one.
 */
async function takeOver(transaction: Transaction<Schema>, version: FileRecord): Promise<FileChanges> {
  const row = await transaction
    .selectFrom('files')
    .selectAll()
    .where('lineId', '=', version.lineId)
    .where('role', '=', 'current')
    .executeTakeFirst();
  if (row === undefined) return {};
  const current = recordOf(row);
  if (current.state !== 'ready') return { role: 'version' };
  const { numUpdatedRows } = await transaction
    .updateTable('files')
    .set(columnsOf({ ...current, role: 'version', fence: current.fence + 1 }, { role: 'version' }))
    .where('id', '=', current.id)
    .where('fence', '=', current.fence)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows === 0n) throw tooFast();
  await indexWords(transaction, current, { ...current, role: 'version' });
  const { name, folderId, tags, metadata } = current;
  return { name, folderId, tags, metadata };
}

/** The place of a file that comes out of the trash: its folder may be there too, and comes back with it. */
async function returnFrom(
  transaction: LockedTransaction,
  { tenantId, folderId, updatedAtMs }: FileRecord,
  changes: FileChanges,
  {
    newId,
    trashRetentionMs,
    within,
    dialect,
  }: Pick<FileTableOptions, 'newId' | 'trashRetentionMs'> & {
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
    await trashFile(transaction, recordOf(row), { nowMs, purgeAtMs: nowMs + trashRetentionMs, newId });
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
  return (dialect === 'postgres' ? ready.forUpdate() : ready).execute();
}

/** Into the trash with its folder. `undefined` when the row has moved on. */
async function trashFile(
  transaction: Transaction<Schema>,
  before: FileRecord,
  { nowMs, purgeAtMs, newId }: { readonly nowMs: number; readonly purgeAtMs: number; readonly newId: () => string },
): Promise<FileRecord | undefined> {
  const changes = {
    state: 'trashed',
    trashedAtMs: nowMs,
    purgeAtMs,
    reviewAtMs: purgeAtMs,
    updatedAtMs: nowMs,
  } as const;
  const changed = await change(transaction, before, changes);
  if (changed !== undefined) await tellWebhooks(transaction, { before, after: changed, newId });
  return changed;
}

/** Files that are ready and lie in folders of the trash, at most `limit`; what somebody else is just writing is passed over. */
async function readyInTrashedFolders(
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
      .limit(limit - rows.length);
    rows.push(...(await (dialect === 'postgres' ? ready.forUpdate().skipLocked() : ready).execute()));
  }
  return rows;
}

// Rows of files: how they come, are found, change and wait for their review. What one change is: file-changes.ts.

import type { Kysely, Transaction } from 'kysely';
import type { FileRecord } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import { foldName, topFolderId } from '../tree/folder-record.ts';
import type { WriteNote } from './audit-table.ts';
import type { AddOptions, FileTable, RepeatedRequest } from './database.ts';
import { openWaitingList } from './due-rows.ts';
import { emptyTrash, goneStates } from './empty-trash.ts';
import { change, follow, holdRow } from './file-changes.ts';
import { listFiles, listNamedFiles, placeOf } from './file-lists.ts';
import { chooseName } from './file-names.ts';
import { recordOf, rowOf } from './file-rows.ts';
import { followFolder, readyInTrashedFolders, returnFrom, trashFile } from './file-trash.ts';
import { isInSight, liesWithin, subtreeOf } from './folder-tree.ts';
import { lockFreeRows } from './lock-rows.ts';
import { addJobs } from './outbox.ts';
import type { Schema } from './schema.ts';
import { indexWords } from './search-table.ts';
import type { LockedTransaction, SqlScope } from './sql-scope.ts';
import { requireRoom, requireUserRoom, settleUsage } from './usage-totals.ts';

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

    repeated: (request) => scope.read(request, (query) => findRepeated(query, request)),

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
          // There is one: read from the end of its index, however many were before it.
          .orderBy('files.versionNumber', 'desc')
          .limit(1)
          .executeTakeFirst(),
      );
      if (row === undefined) return undefined;
      const { folderTrashedAtMs: nowMs, ...file } = row;
      if (nowMs === null || file.state !== 'ready') return recordOf(file);
      // Its folder is in the trash, and the worker has not come to it: it goes there now, as whoever asks is to see it.
      return scope.write({ tenantId }, (transaction) =>
        followFolder(transaction, recordOf(file), {
          nowMs,
          purgeAtMs: nowMs + trashRetentionMs,
          newId,
          dialect: scope.dialect,
        }),
      );
    },

    versions: ({ tenantId, id }, limit) =>
      scope.read({ tenantId }, async (query) => {
        const rows = await query
          .selectFrom('files')
          .selectAll()
          .where('lineId', '=', id)
          .where('tenantId', '=', tenantId)
          .orderBy('versionNumber', 'desc')
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
          const changed = await trashFile(transaction, recordOf(row), { ...options, newId, dialect: scope.dialect });
          if (changed !== undefined) trashed.push(changed);
        }
        return trashed;
      }),

    list: (options) => scope.read(options, (query) => listFiles(query, options, scope.dialect)),

    listNamed: (options) => scope.read(options, (query) => listNamedFiles(query, options, scope.dialect)),

    reviews: openWaitingList(scope, 'review'),

    takeDue: (ids, { nowMs, leaseMs }) =>
      scope.write('service', async (transaction) => {
        const due = transaction
          .selectFrom('files')
          .selectAll()
          .where('id', 'in', [...ids])
          .where('reviewAtMs', '<=', nowMs)
          .orderBy('reviewAtMs');
        const rows = await lockFreeRows(due, scope.dialect).execute();
        if (rows.length === 0) return [];
        await transaction
          .updateTable('files')
          .set({ reviewAtMs: nowMs + leaseMs })
          .where(
            'id',
            'in',
            rows.map(({ id }) => id),
          )
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

async function add(
  transaction: LockedTransaction,
  file: FileRecord,
  { idempotency, onConflict = 'keep-both', userQuotaBytes }: AddOptions,
): Promise<FileRecord> {
  // Alone with the tenant: of two announcements at once with one key, the second finds the row of the first.
  if (idempotency !== undefined) {
    const known = await findRepeated(transaction, {
      ...idempotency,
      tenantId: file.tenantId,
      nowMs: file.createdAtMs,
    });
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
  query: Kysely<Schema>,
  { tenantId, key, requestHash, nowMs }: RepeatedRequest,
): Promise<FileRecord | undefined> {
  const known = await query
    .selectFrom('idempotencyKeys')
    .selectAll()
    .where('tenantId', '=', tenantId)
    .where('key', '=', key)
    .where('expiresAtMs', '>', nowMs)
    .executeTakeFirst();
  if (known === undefined) return undefined;
  if (known.requestHash !== requestHash) {
    throw new FilesError('idempotency-conflict', {
      detail: 'This Idempotency-Key came with another request before. Use a new key for a new request.',
    });
  }
  const row = await query.selectFrom('files').selectAll().where('id', '=', known.fileId).executeTakeFirstOrThrow();
  return recordOf(row);
}

// Rows of files. A change is one UPDATE … WHERE id AND fence, with what it takes up and the jobs it makes necessary in the same
// transaction.

import type { FileState } from '@stowage/contract';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { FileChanges, FileRecord } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import { foldName, topFolderId } from '../tree/folder-record.ts';
import type { WriteNote } from './audit-table.ts';
import type { AddOptions, FileTable, IdempotencyKey, ListOptions, ListPlace, SortColumn } from './database.ts';
import { chooseName, lockTenant } from './file-names.ts';
import { recordOf, rowOf } from './file-rows.ts';
import { restoreFolders } from './folder-table.ts';
import { subtreeOf, subtreesOf } from './folder-tree.ts';
import { addJobs } from './outbox.ts';
import type { FileRow, Schema } from './schema.ts';
import { indexWords } from './search-table.ts';
import type { SqlScope } from './sql-scope.ts';
import { requireRoom, requireUserRoom, settleUsage } from './usage-totals.ts';
import { tellWebhooks } from './webhook-table.ts';

const sortColumns = { name: 'nameFolded', createdAt: 'createdAtMs', sizeBytes: 'sizeBytes' } as const satisfies Record<
  SortColumn,
  keyof FileRow
>;

interface FileTableOptions {
  readonly newId: () => string;
  readonly writeNote: WriteNote;
}

export function openFileTable(scope: SqlScope, { newId, writeNote }: FileTableOptions): FileTable {
  return {
    add: (file, options = {}) =>
      scope.write(file, async (transaction) => {
        const added = await add(transaction, file, options);
        if (added.id === file.id) await addJobs(transaction, file.id, options.jobs ?? [], newId);
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

    current: ({ tenantId, id }) =>
      scope.read({ tenantId }, async (query) => {
        const row = await query
          .selectFrom('files')
          .selectAll()
          .where('lineId', '=', id)
          .where('role', '=', 'current')
          .where('tenantId', '=', tenantId)
          .executeTakeFirst();
        return row === undefined ? undefined : recordOf(row);
      }),

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

    change: (file, changes, jobs = [], note) =>
      scope.write(file, async (transaction) => {
        const changed = await change(transaction, file, changes);
        if (changed !== undefined) {
          await addJobs(transaction, file.id, jobs, newId);
          await tellWebhooks(transaction, { before: file, after: changed, newId });
          if (note !== undefined) await writeNote(transaction, note);
        }
        return changed;
      }),

    relocate: (file, changes, { onConflict, jobs = [] }) =>
      scope.write(file, async (transaction) => {
        await lockTenant(transaction, file.tenantId);
        const place =
          changes.state === 'ready' && file.state === 'trashed' ? await returnFrom(transaction, file, changes) : {};
        const name = await chooseName(transaction, { ...file, ...changes, ...place }, onConflict);
        const changed = await change(transaction, file, { ...changes, ...place, name });
        if (changed !== undefined) {
          await addJobs(transaction, file.id, jobs, newId);
          await tellWebhooks(transaction, { before: file, after: changed, newId });
        }
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
          .orderBy('folderId')
          .orderBy('nameFolded')
          .orderBy('id')
          .limit(limit);
        if (folderId !== topFolderId) rows = rows.where('folderId', 'in', subtreeOf(tenantId, folderId));
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

    emptyTrash: ({ tenantId, nowMs, within, note }) =>
      scope.write({ tenantId }, async (transaction) => {
        let rows = transaction
          .updateTable('files')
          .set(({ eb }) => ({ purgeAtMs: nowMs, reviewAtMs: nowMs, fence: eb('fence', '+', 1) }))
          .where('tenantId', '=', tenantId)
          .where('shelf', '=', 'trash')
          .where(({ exists, not, selectFrom }) =>
            not(
              exists(
                selectFrom('files as versions')
                  .select('versions.id')
                  .where('versions.tenantId', '=', tenantId)
                  .whereRef('versions.lineId', '=', 'files.lineId')
                  .where('versions.retainUntilMs', '>', nowMs)
                  .where('versions.state', 'not in', goneStates),
              ),
            ),
          );
        if (within !== undefined) rows = rows.where('folderId', 'in', subtreesOf(tenantId, within));
        const { numUpdatedRows } = await rows.executeTakeFirstOrThrow();
        const count = Number(numUpdatedRows);
        await writeNote(transaction, { ...note, details: { ...note.details, files: count } });
        return count;
      }),

    trashWithin: (options) => scope.write('service', (transaction) => trashWithin(transaction, { ...options, newId })),

    list: (options) => scope.read(options, (query) => list(query, options)),

    takeDue: ({ nowMs, leaseMs, limit }) =>
      scope.write('service', async (transaction) => {
        const due = transaction
          .selectFrom('files')
          .selectAll()
          .where('reviewAtMs', 'is not', null)
          .where('reviewAtMs', '<=', nowMs)
          .orderBy('reviewAtMs')
          .limit(limit);
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

    count: () =>
      scope.read('service', async (query) => {
        const rows = await query
          .selectFrom('files')
          .select(({ fn }) => ['state', fn.countAll<number | string>().as('count')])
          .groupBy('state')
          .execute();
        return rows.map(({ state, count }) => ({ state, count: Number(count) }));
      }),

    placeOf,
  };
}

/** Of what is in them, nothing is left to be kept. */
const goneStates = ['purging', 'purged'] as const satisfies readonly FileState[];

async function add(
  transaction: Transaction<Schema>,
  file: FileRecord,
  { idempotency, onConflict = 'keep-both', userQuotaBytes }: AddOptions,
): Promise<FileRecord> {
  // First of all: of two announcements at once with one key, the second must find the row of the first.
  await lockTenant(transaction, file.tenantId);
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
    .set(rowOf(changed))
    .where('id', '=', file.id)
    .where('fence', '=', file.fence)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows === 0n) {
    // What was taken over is given back with the transaction.
    if (becomesCurrent && place.role !== 'version')
      throw new FilesError('wrong-state', { detail: busyDetail, retryAfterSeconds: 1 });
    return undefined;
  }
  await settleUsage(transaction, file, changed);
  await indexWords(transaction, file, changed);
  return changed;
}

const busyDetail = 'The file is changing too fast; try again.';

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
    .set(rowOf({ ...current, role: 'version', fence: current.fence + 1 }))
    .where('id', '=', current.id)
    .where('fence', '=', current.fence)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows === 0n) throw new FilesError('wrong-state', { detail: busyDetail, retryAfterSeconds: 1 });
  await indexWords(transaction, current, { ...current, role: 'version' });
  const { name, folderId, tags, metadata } = current;
  return { name, folderId, tags, metadata };
}

/** The place of a file that comes out of the trash: its folder may be there too, and comes back with it. */
async function returnFrom(
  transaction: Transaction<Schema>,
  { tenantId, folderId, updatedAtMs }: FileRecord,
  changes: FileChanges,
): Promise<FileChanges> {
  const nowMs = changes.updatedAtMs ?? updatedAtMs;
  return { folderId: await restoreFolders(transaction, { tenantId, folderId, nowMs }) };
}

async function trashWithin(
  transaction: Transaction<Schema>,
  { nowMs, purgeAtMs, limit, newId }: Parameters<FileTable['trashWithin']>[0] & { readonly newId: () => string },
): Promise<readonly FileRecord[]> {
  const rows = await transaction
    .selectFrom('files')
    .innerJoin('folders', 'folders.id', 'files.folderId')
    .selectAll('files')
    .where('folders.trashedAtMs', 'is not', null)
    .where('files.shelf', '=', 'files')
    .where('files.state', '=', 'ready')
    .limit(limit)
    .execute();
  const trashed: FileRecord[] = [];
  for (const row of rows) {
    const changes = {
      state: 'trashed',
      trashedAtMs: nowMs,
      purgeAtMs,
      reviewAtMs: purgeAtMs,
      updatedAtMs: nowMs,
    } as const;
    const before = recordOf(row);
    const changed = await change(transaction, before, changes);
    if (changed === undefined) continue;
    await tellWebhooks(transaction, { before, after: changed, newId });
    trashed.push(changed);
  }
  return trashed;
}

async function list(query: Kysely<Schema>, options: ListOptions): Promise<readonly FileRecord[]> {
  const column = sortColumns[options.sort];
  const direction = options.descending ? 'desc' : 'asc';
  let rows = query
    .selectFrom('files')
    .selectAll()
    .where('tenantId', '=', options.tenantId)
    .where('shelf', '=', options.shelf)
    .orderBy(column, direction)
    .orderBy('id', direction)
    .limit(options.limit);
  if (options.folderId !== undefined) rows = rows.where('folderId', '=', options.folderId);
  if (options.within !== undefined) rows = rows.where('folderId', 'in', subtreesOf(options.tenantId, options.within));
  if (options.userId !== undefined) rows = rows.where('userId', '=', options.userId);
  if (options.name !== undefined && options.name !== '') {
    const pattern = `%${foldName(options.name).replace(/[\\%_]/g, (character) => `\\${character}`)}%`;
    rows = rows.where(sql<boolean>`name_folded like ${pattern} escape '\\'`);
  }
  const { after } = options;
  if (after !== undefined) {
    const past = options.descending ? '<' : '>';
    // As one comparison of rows: both databases then begin to read there. Of an OR they read all that comes before.
    rows = rows.where(({ eb, refTuple, tuple }) => eb(refTuple(column, 'id'), past, tuple(after.value, after.id)));
  }
  return (await rows.execute()).map(recordOf);
}

function placeOf(file: FileRecord, sort: SortColumn): ListPlace {
  return { value: rowOf(file)[sortColumns[sort]], id: file.id };
}

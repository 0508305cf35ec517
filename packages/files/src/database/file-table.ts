// Rows of files. A change is one UPDATE … WHERE id AND fence, with the jobs it makes necessary in the same transaction.

import type { PreviewPreset } from '@stowage/contract';
import { type Kysely, sql, type Transaction } from 'kysely';
import { type FileChanges, type FileRecord, shelves } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import type { NewJob } from '../job.ts';
import type { FileTable, IdempotencyKey, ListOptions, ListPlace, SortColumn } from './database.ts';
import type { FileRow, Schema } from './schema.ts';

const sortColumns = { name: 'nameFolded', createdAt: 'createdAtMs', sizeBytes: 'sizeBytes' } as const satisfies Record<
  SortColumn,
  keyof FileRow
>;

export function openFileTable(database: Kysely<Schema>, { newId }: { readonly newId: () => string }): FileTable {
  return {
    add: (file, idempotency) => database.transaction().execute((transaction) => add(transaction, file, idempotency)),

    get: async (tenantId, id) => {
      const row = await database
        .selectFrom('files')
        .selectAll()
        .where('id', '=', id)
        .where('tenantId', '=', tenantId)
        .executeTakeFirst();
      return row === undefined ? undefined : recordOf(row);
    },

    find: async (id) => {
      const row = await database.selectFrom('files').selectAll().where('id', '=', id).executeTakeFirst();
      return row === undefined ? undefined : recordOf(row);
    },

    change: (file, changes, jobs = []) =>
      database.transaction().execute(async (transaction) => {
        const changed = await change(transaction, file, changes);
        if (changed !== undefined) await addJobs(transaction, file.id, jobs, newId);
        return changed;
      }),

    list: (options) => list(database, options),

    due: async (nowMs, limit) => {
      const rows = await database
        .selectFrom('files')
        .selectAll()
        .where('reviewAtMs', 'is not', null)
        .where('reviewAtMs', '<=', nowMs)
        .orderBy('reviewAtMs')
        .limit(limit)
        .execute();
      return rows.map(recordOf);
    },

    count: async () => {
      const rows = await database
        .selectFrom('files')
        .select(({ fn }) => ['state', fn.countAll<number | string>().as('count')])
        .groupBy('state')
        .execute();
      return rows.map(({ state, count }) => ({ state, count: Number(count) }));
    },

    placeOf,
  };
}

async function add(
  transaction: Transaction<Schema>,
  file: FileRecord,
  idempotency: IdempotencyKey | undefined,
): Promise<FileRecord> {
  if (idempotency !== undefined) {
    const known = await transaction
      .selectFrom('idempotencyKeys')
      .selectAll()
      .where('tenantId', '=', file.tenantId)
      .where('key', '=', idempotency.key)
      .where('expiresAtMs', '>', file.createdAtMs)
      .executeTakeFirst();
    if (known !== undefined) {
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
  }
  await transaction.insertInto('files').values(rowOf(file)).execute();
  if (idempotency !== undefined) {
    const row = { tenantId: file.tenantId, ...idempotency, fileId: file.id };
    await transaction
      .insertInto('idempotencyKeys')
      .values(row)
      .onConflict((conflict) => conflict.columns(['tenantId', 'key']).doUpdateSet(row))
      .execute();
  }
  return file;
}

async function change(
  transaction: Transaction<Schema>,
  file: FileRecord,
  changes: FileChanges,
): Promise<FileRecord | undefined> {
  const changed: FileRecord = { ...file, ...changes, fence: file.fence + 1 };
  const { numUpdatedRows } = await transaction
    .updateTable('files')
    .set(rowOf(changed))
    .where('id', '=', file.id)
    .where('fence', '=', file.fence)
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n ? changed : undefined;
}

/** A job of the same kind that waits already is enough; it is done at the earlier of both times. */
async function addJobs(
  transaction: Transaction<Schema>,
  fileId: string,
  jobs: readonly NewJob[],
  newId: () => string,
): Promise<void> {
  for (const job of jobs) {
    const waiting = await transaction
      .selectFrom('outbox')
      .select(['id', 'dueAtMs'])
      .where('fileId', '=', fileId)
      .where('kind', '=', job.kind)
      .where('leasedUntilMs', '=', 0)
      .executeTakeFirst();
    if (waiting === undefined) {
      const row = { id: newId(), ...job, fileId, attempts: 0, leasedUntilMs: 0, lastError: null };
      await transaction.insertInto('outbox').values(row).execute();
    } else if (waiting.dueAtMs > job.dueAtMs) {
      await transaction.updateTable('outbox').set({ dueAtMs: job.dueAtMs }).where('id', '=', waiting.id).execute();
    }
  }
}

async function list(database: Kysely<Schema>, options: ListOptions): Promise<readonly FileRecord[]> {
  const column = sortColumns[options.sort];
  const direction = options.descending ? 'desc' : 'asc';
  let query = database
    .selectFrom('files')
    .selectAll()
    .where('tenantId', '=', options.tenantId)
    .where('shelf', '=', options.shelf)
    .orderBy(column, direction)
    .orderBy('id', direction)
    .limit(options.limit);
  if (options.name !== undefined && options.name !== '') {
    const pattern = `%${fold(options.name).replace(/[\\%_]/g, (character) => `\\${character}`)}%`;
    query = query.where(sql<boolean>`name_folded like ${pattern} escape '\\'`);
  }
  const { after } = options;
  if (after !== undefined) {
    const past = options.descending ? '<' : '>';
    query = query.where(({ eb, and, or }) =>
      or([eb(column, past, after.value), and([eb(column, '=', after.value), eb('id', past, after.id)])]),
    );
  }
  return (await query.execute()).map(recordOf);
}

function placeOf(file: FileRecord, sort: SortColumn): ListPlace {
  return { value: rowOf(file)[sortColumns[sort]], id: file.id };
}

/** Names that differ in case, or in how their accents are put together, sort and are found together. */
function fold(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

function rowOf(file: FileRecord): FileRow {
  return {
    ...file,
    folder: JSON.stringify(file.folder),
    previews: JSON.stringify(file.previews),
    nameFolded: fold(file.name),
    shelf: shelves[file.state],
  };
}

function recordOf(row: FileRow): FileRecord {
  const { nameFolded: _nameFolded, shelf: _shelf, folder, previews, ...rest } = row;
  // Both columns are written by rowOf alone.
  return { ...rest, folder: JSON.parse(folder) as string[], previews: JSON.parse(previews) as PreviewPreset[] };
}

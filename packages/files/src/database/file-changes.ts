// One change of a file's row is one UPDATE … WHERE id AND fence. In the same transaction goes what follows from it: sums, words, the
// version whose place it takes, jobs, and who is told.

import type { Transaction } from 'kysely';
import type { FileChanges, FileRecord } from '../file-record.ts';
import type { NewJob } from '../lifecycle/job.ts';
import { tooFast } from '../lifecycle/move-file.ts';
import { columnsOf, recordOf } from './file-rows.ts';
import { lockRows } from './lock-rows.ts';
import type { SqlDialect } from './migrations/migration.ts';
import { type AddJobsOptions, addJobs } from './outbox.ts';
import type { Schema } from './schema.ts';
import { indexWords } from './search-table.ts';
import { settleUsage } from './usage-totals.ts';
import { tellWebhooks } from './webhook-table.ts';

/** `undefined` when the row has moved on. */
export async function change(
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
export async function follow(
  transaction: Transaction<Schema>,
  before: FileRecord,
  after: FileRecord,
  { jobs, ...options }: AddJobsOptions & { readonly jobs: readonly NewJob[] },
): Promise<void> {
  await addJobs(transaction, after.id, jobs, options);
  await tellWebhooks(transaction, { before, after, ...options });
}

/** Has nobody else write the row until the transaction ends. `false` when it has moved on. */
export async function holdRow(
  transaction: Transaction<Schema>,
  { id, fence }: FileRecord,
  dialect: SqlDialect,
): Promise<boolean> {
  const row = transaction.selectFrom('files').select('id').where('id', '=', id).where('fence', '=', fence);
  return (await lockRows(row, dialect).executeTakeFirst()) !== undefined;
}

/**
 * Takes the place of the file's current version: its name, folder, tags and metadata, and the next number. Where the current one is not
 * `ready` (it is in the trash, or going), it stays the current one, and the version stands before it in their order.
 */
async function takeOver(transaction: Transaction<Schema>, version: FileRecord): Promise<FileChanges> {
  const row = await transaction
    .selectFrom('files')
    .selectAll()
    .where('lineId', '=', version.lineId)
    .where('role', '=', 'current')
    .orderBy('versionNumber', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (row === undefined) return {};
  const current = recordOf(row);
  const { name, folderId, tags, metadata, versionNumber } = current;
  const givesWay = current.state === 'ready';
  await renumber(
    transaction,
    current,
    givesWay ? { role: 'version', fence: current.fence + 1 } : { versionNumber: versionNumber + 1 },
  );
  if (!givesWay) return { role: 'version', versionNumber };
  await indexWords(transaction, current, { ...current, role: 'version' });
  return { name, folderId, tags, metadata, versionNumber: versionNumber + 1 };
}

/** Writes the current version's row if it still is as it was read: of two versions that come at once, each gets a number of its own. */
async function renumber(
  transaction: Transaction<Schema>,
  current: FileRecord,
  changes: Pick<FileChanges, 'role' | 'versionNumber'> & { readonly fence?: number },
): Promise<void> {
  const { numUpdatedRows } = await transaction
    .updateTable('files')
    .set(columnsOf({ ...current, ...changes }, changes))
    .where('id', '=', current.id)
    .where('fence', '=', current.fence)
    .where('versionNumber', '=', current.versionNumber)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows === 0n) throw tooFast();
}

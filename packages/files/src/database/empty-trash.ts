// Empties a tenant's trash, a slice a transaction: however much lies there, nobody waits for long, and no transaction fails because it
// took too much. What it is told of is one entry in the audit log, with the last slice or, when one fails, with what was done by then.

import type { FileState } from '@stowage/contract';
import type { WriteNote } from './audit-table.ts';
import type { EmptyTrashOptions, ListPlace } from './database.ts';
import { subtreesOf } from './folder-tree.ts';
import { lockRows } from './lock-rows.ts';
import type { LockedTransaction, SqlScope } from './sql-scope.ts';

/** Files that are looked at in one transaction. */
const defaultSliceSize = 1_000;
/** Of what is in them, nothing is left to be kept. */
export const goneStates = ['purging', 'purged'] as const satisfies readonly FileState[];

interface Slice {
  readonly count: number;
  /** Where the next one begins. `undefined`: that was all. */
  readonly after: ListPlace | undefined;
}

/** Answers how many files go. Each is looked at once: what is thrown away meanwhile may stay. */
export async function emptyTrash(
  scope: SqlScope,
  writeNote: WriteNote,
  { sliceSize = defaultSliceSize, ...options }: EmptyTrashOptions,
): Promise<number> {
  const { tenantId, note } = options;
  const write = (transaction: LockedTransaction, files: number): Promise<void> =>
    writeNote(transaction, { ...note, details: { ...note.details, files } });
  let count = 0;
  let after: ListPlace | undefined;
  try {
    do {
      const slice: Slice = await scope.writeLocked({ tenantId }, async (transaction) => {
        const taken = await emptySlice(transaction, { ...options, sliceSize, after, dialect: scope.dialect });
        if (taken.after === undefined) await write(transaction, count + taken.count);
        return taken;
      });
      count += slice.count;
      after = slice.after;
    } while (after !== undefined);
    return count;
  } catch (error) {
    if (count > 0) await scope.writeLocked({ tenantId }, (transaction) => write(transaction, count));
    throw error;
  }
}

interface SliceOptions extends Required<Pick<EmptyTrashOptions, 'tenantId' | 'nowMs' | 'sliceSize'>> {
  readonly within?: readonly string[] | undefined;
  readonly after: ListPlace | undefined;
  readonly dialect: SqlScope['dialect'];
}

async function emptySlice(
  transaction: LockedTransaction,
  { tenantId, nowMs, within, sliceSize, after, dialect }: SliceOptions,
): Promise<Slice> {
  // By creation, which an index answers, however much lies there.
  let looked = transaction
    .selectFrom('files')
    .select(['id', 'createdAtMs'])
    .where('tenantId', '=', tenantId)
    .where('shelf', '=', 'trash')
    .orderBy('createdAtMs')
    .orderBy('id')
    .limit(sliceSize);
  if (within !== undefined) looked = looked.where('folderId', 'in', subtreesOf(tenantId, within));
  if (after !== undefined)
    looked = looked.where(({ eb, refTuple, tuple }) =>
      eb(refTuple('createdAtMs', 'id'), '>', tuple(Number(after.value), after.id)),
    );
  const rows = await lockRows(looked, dialect).execute();
  const last = rows.at(-1);
  if (last === undefined) return { count: 0, after: undefined };
  const { numUpdatedRows } = await transaction
    .updateTable('files')
    .set(({ eb }) => ({ purgeAtMs: nowMs, reviewAtMs: nowMs, fence: eb('fence', '+', 1) }))
    .where(
      'id',
      'in',
      rows.map(({ id }) => id),
    )
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
    )
    .executeTakeFirstOrThrow();
  const isLast = rows.length < sliceSize;
  return { count: Number(numUpdatedRows), after: isLast ? undefined : { value: last.createdAtMs, id: last.id } };
}

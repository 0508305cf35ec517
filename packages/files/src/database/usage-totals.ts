// What each user's files take up and what was promised to their uploads, kept in the transactions that change either. So the
// sums equal the rows at every commit, and a reservation settles exactly once: with the change of state that settles it.
// Design §6, invariant 9.

import type { Transaction } from 'kysely';
import { chargeOf, type FileRecord } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import type { Schema, UsageTotalsRow } from './schema.ts';
import type { LockedTransaction } from './sql-scope.ts';
import { addUsageDay, dayOf } from './usage-day-table.ts';

type Sums = Omit<UsageTotalsRow, 'tenantId' | 'userId'>;

const nothing: Sums = { usedBytes: 0, usedFiles: 0, reservedBytes: 0, reservedFiles: 0 };

/** Notes that a file was added, changed or both; does nothing where it takes the same as before. */
export async function settleUsage(
  transaction: Transaction<Schema>,
  before: FileRecord | undefined,
  after: FileRecord,
): Promise<void> {
  const was = before === undefined ? nothing : sumsOf(before);
  const is = sumsOf(after);
  const differs = (Object.keys(nothing) as (keyof Sums)[]).some((name) => was[name] !== is[name]);
  if (!differs) return;
  const { tenantId, userId } = after;
  await transaction
    .insertInto('usageTotals')
    .values({ tenantId, userId, ...nothing })
    .onConflict((conflict) => conflict.columns(['tenantId', 'userId']).doNothing())
    .execute();
  await transaction
    .updateTable('usageTotals')
    .set(({ eb }) => ({
      usedBytes: eb('usedBytes', '+', is.usedBytes - was.usedBytes),
      usedFiles: eb('usedFiles', '+', is.usedFiles - was.usedFiles),
      reservedBytes: eb('reservedBytes', '+', is.reservedBytes - was.reservedBytes),
      reservedFiles: eb('reservedFiles', '+', is.reservedFiles - was.reservedFiles),
    }))
    .where('tenantId', '=', tenantId)
    .where('userId', '=', userId)
    .execute();
  await holdInCategory(transaction, after, heldBytes(is) - heldBytes(was));
  await countDay(transaction, {
    day: dayOf(after.updatedAtMs),
    was,
    is,
    tenantId,
    // Bytes that the bucket copied came from no client.
    hasArrived: is.usedFiles > was.usedFiles && after.strategy !== 'copy',
  });
}

/** What its user holds in the file's category, kept as the sums are: a quota asks for it with every upload. */
async function holdInCategory(
  transaction: Transaction<Schema>,
  { tenantId, userId, category }: FileRecord,
  changeBytes: number,
): Promise<void> {
  if (changeBytes === 0) return;
  await transaction
    .insertInto('categoryTotals')
    .values({ tenantId, userId, category, heldBytes: changeBytes })
    .onConflict((conflict) =>
      conflict
        .columns(['tenantId', 'userId', 'category'])
        .doUpdateSet(({ eb, ref }) => ({ heldBytes: eb(ref('categoryTotals.heldBytes'), '+', changeBytes) })),
    )
    .execute();
}

/** The books of the day, in the same transaction: so they are as exact as the sums. */
async function countDay(
  transaction: Transaction<Schema>,
  change: {
    readonly tenantId: string;
    readonly day: string;
    readonly was: Sums;
    readonly is: Sums;
    readonly hasArrived: boolean;
  },
): Promise<void> {
  const { tenantId, day, was, is, hasArrived } = change;
  if (is.usedBytes === was.usedBytes && is.usedFiles === was.usedFiles) return;
  await addUsageDay(transaction, {
    tenantId,
    day,
    storedBytesChange: is.usedBytes - was.usedBytes,
    storedFilesChange: is.usedFiles - was.usedFiles,
    uploads: hasArrived ? 1 : 0,
    uploadedBytes: hasArrived ? is.usedBytes : 0,
  });
}

/**
 * Throws `quota-exceeded` when the tenant has not enough room for one more file. To be called before the file is added, alone
 * with the tenant: two uploads at once must not both take the last room.
 */
export async function requireRoom(transaction: LockedTransaction, file: FileRecord): Promise<void> {
  const tenant = await transaction
    .selectFrom('tenants')
    .select(['quotaBytes', 'quotaFiles'])
    .where('id', '=', file.tenantId)
    .executeTakeFirstOrThrow();
  if (tenant.quotaBytes === null && tenant.quotaFiles === null) return;
  const taken = await tenantSums(transaction, file.tenantId);
  const bytes = taken.usedBytes + taken.reservedBytes + file.sizeBytes;
  if (tenant.quotaBytes !== null && bytes > tenant.quotaBytes) {
    throw new FilesError('quota-exceeded', {
      detail: `The file has ${file.sizeBytes} bytes, and ${Math.max(0, tenant.quotaBytes - bytes + file.sizeBytes)} of ${tenant.quotaBytes} are left. Delete files for good, or ask for more room.`,
    });
  }
  const files = taken.usedFiles + taken.reservedFiles + 1;
  if (tenant.quotaFiles !== null && files > tenant.quotaFiles) {
    throw new FilesError('quota-exceeded', {
      detail: `There are ${files - 1} files, of at most ${tenant.quotaFiles}. Delete files for good, or ask for more room.`,
    });
  }
}

/** Throws `quota-exceeded` when one user would hold more than this in the file's category. To be called as `requireRoom` is. */
export async function requireUserRoom(
  transaction: LockedTransaction,
  { tenantId, userId, category, sizeBytes }: FileRecord,
  quotaBytes: number,
): Promise<void> {
  const row = await transaction
    .selectFrom('categoryTotals')
    .select('heldBytes')
    .where('tenantId', '=', tenantId)
    .where('userId', '=', userId)
    .where('category', '=', category)
    .executeTakeFirst();
  const held = row?.heldBytes ?? 0;
  if (held + sizeBytes <= quotaBytes) return;
  throw new FilesError('quota-exceeded', {
    detail: `The file has ${sizeBytes} bytes, and ${Math.max(0, quotaBytes - held)} of your ${quotaBytes} for ${category} are left. Delete files of yours for good, or ask for more room.`,
  });
}

/** The sums of all of a tenant's users. */
export async function tenantSums(
  transaction: Pick<Transaction<Schema>, 'selectFrom'>,
  tenantId: string,
): Promise<Sums> {
  const row = await transaction
    .selectFrom('usageTotals')
    .select(({ fn }) => [
      fn.sum<number | string | null>('usedBytes').as('usedBytes'),
      fn.sum<number | string | null>('usedFiles').as('usedFiles'),
      fn.sum<number | string | null>('reservedBytes').as('reservedBytes'),
      fn.sum<number | string | null>('reservedFiles').as('reservedFiles'),
    ])
    .where('tenantId', '=', tenantId)
    .executeTakeFirst();
  return {
    usedBytes: Number(row?.usedBytes ?? 0),
    usedFiles: Number(row?.usedFiles ?? 0),
    reservedBytes: Number(row?.reservedBytes ?? 0),
    reservedFiles: Number(row?.reservedFiles ?? 0),
  };
}

function sumsOf(file: FileRecord): Sums {
  const charge = chargeOf(file);
  if (charge === 'used') return { ...nothing, usedBytes: file.sizeBytes, usedFiles: 1 };
  if (charge === 'reserved') return { ...nothing, reservedBytes: file.sizeBytes, reservedFiles: 1 };
  return nothing;
}

function heldBytes({ usedBytes, reservedBytes }: Sums): number {
  return usedBytes + reservedBytes;
}

// What is due, taken without a choice: as one does who is alone with the database. For tests.

import type { Database } from '../database/database.ts';
import type { LeaseOptions } from '../database/work-tables.ts';
import type { FileRecord } from '../file-record.ts';
import type { Job } from '../lifecycle/job.ts';

interface TakeOptions extends LeaseOptions {
  readonly limit: number;
}

/** Jobs of all kinds. */
export async function takeJobs(
  { outbox }: Pick<Database, 'outbox'>,
  { nowMs, leaseMs, limit }: TakeOptions,
): Promise<readonly Job[]> {
  const lists = [outbox.waiting('job'), outbox.waiting('preview')];
  const due = (await Promise.all(lists.map((list) => list.listDue({ nowMs, limit })))).flatMap(({ items }) => items);
  const first = due.toSorted((one, other) => one.dueAtMs - other.dueAtMs).slice(0, limit);
  if (first.length === 0) return [];
  return outbox.take(
    first.map(({ id }) => id),
    { nowMs, leaseMs },
  );
}

export async function takeReviews(
  { files }: Pick<Database, 'files'>,
  { nowMs, leaseMs, limit }: TakeOptions,
): Promise<readonly FileRecord[]> {
  const { items } = await files.reviews.listDue({ nowMs, limit });
  if (items.length === 0) return [];
  return files.takeDue(
    items.map(({ id }) => id),
    { nowMs, leaseMs },
  );
}

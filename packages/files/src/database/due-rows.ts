// What is due, and whose: read off indexes, so that of a backlog only as much is read as is asked for. The first that are due stand at the
// beginning of one index. Behind the backlog of one owner the others are found by another one, which leads from owner to owner: each is
// a queue, of which the first is read. Neither what is not due yet nor what somebody holds is found. Nothing is taken here.

import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Schema } from './schema.ts';
import type { SqlScope } from './sql-scope.ts';
import type { QueueHeadsOptions, Waiting, WaitingList } from './work-tables.ts';

/** What somebody comes for. */
type WaitingKind = 'review' | 'job' | 'preview' | 'delivery';

interface DueOptions {
  readonly nowMs: number;
  readonly limit: number;
}

/** A queue that somebody looked at: what is the longest due of it, if anything is. */
type QueueHead = Waiting | { readonly queueId: string; readonly id: null; readonly dueAtMs: null };

/** How the rows of a kind lie, in SQL's own names. Two indexes belong to each: by `order`, and by `queue` and then `order`. */
interface WaitingRows {
  readonly table: string;
  readonly queue: string;
  readonly due: string;
  readonly order: string;
  /** Which rows are in the indexes, in the words of these. */
  readonly waits: string;
  /** What is held is passed over: no more than is done at the same time. Absent where who takes a row moves the time it is due at. */
  readonly lease?: string;
}

const outboxRows = {
  table: 'outbox',
  queue: 'tenant_id',
  due: 'due_at_ms',
  order: 'due_at_ms, id',
  lease: 'leased_until_ms',
} as const;

const waitingRows: Readonly<Record<WaitingKind, WaitingRows>> = {
  review: {
    table: 'files',
    queue: 'tenant_id',
    due: 'review_at_ms',
    order: 'review_at_ms',
    waits: 'review_at_ms IS NOT NULL',
  },
  job: { ...outboxRows, waits: "kind <> 'preview'" },
  preview: { ...outboxRows, waits: "kind = 'preview'" },
  delivery: {
    table: 'webhook_deliveries',
    queue: 'webhook_id',
    due: 'due_at_ms',
    order: 'due_at_ms, id',
    waits: 'due_at_ms IS NOT NULL',
  },
};

/** What waits of a kind. */
export function openWaitingList(scope: SqlScope, kind: WaitingKind): WaitingList {
  return openDescribedList(scope, kind, (_query, rows) => Promise.resolve(rows));
}

/** The same, with what else has to be known of each; `describe` may leave some out. */
export function openDescribedList<Item extends Waiting>(
  scope: SqlScope,
  kind: WaitingKind,
  describe: (query: Kysely<Schema>, rows: readonly Waiting[]) => Promise<readonly Item[]>,
): WaitingList<Item> {
  return {
    listDue: (options) =>
      scope.read('service', async (query) => {
        const { rows } = await dueRows(kind, options).execute(query);
        return { items: await describe(query, rows), isWhole: rows.length < options.limit };
      }),

    listHeads: (options) =>
      scope.read('service', async (query) => {
        const { rows } = await queueHeads(kind, options).execute(query);
        const heads = rows.filter((row) => row.id !== null).toSorted((one, other) => one.dueAtMs - other.dueAtMs);
        const lastQueueId = rows.length < options.limit ? undefined : rows.at(-1)?.queueId;
        return { items: await describe(query, heads), lastQueueId };
      }),
  };
}

/** The first that are due, the longest due first. */
export function dueRows(kind: WaitingKind, { nowMs, limit }: DueOptions): RawBuilder<Waiting> {
  const { table, queue, due, order, waits } = rawOf(waitingRows[kind]);
  return sql<Waiting>`
    SELECT id, ${queue} AS queue_id, ${due} AS due_at_ms FROM ${table}
    WHERE ${waits} AND ${isDue(kind, nowMs)} ORDER BY ${order} LIMIT ${limit}`;
}

/** The first of each of so many queues. */
export function queueHeads(
  kind: WaitingKind,
  { nowMs, afterQueueId, limit }: QueueHeadsOptions,
): RawBuilder<QueueHead> {
  const { table, queue, due, order, waits } = rawOf(waitingRows[kind]);
  const next = (before: RawBuilder<unknown>): RawBuilder<unknown> =>
    sql`(SELECT ${queue} FROM ${table} WHERE ${waits} AND ${queue} > ${before} ORDER BY ${queue} LIMIT 1)`;
  return sql<QueueHead>`
    WITH RECURSIVE queues (queue_id, place) AS (
      SELECT ${next(sql`${afterQueueId}`)}, 1
      UNION ALL
      SELECT ${next(sql`queues.queue_id`)}, place + 1 FROM queues WHERE queue_id IS NOT NULL AND place < ${limit}
    ), heads (queue_id, id) AS MATERIALIZED (
      SELECT queue_id, (
        SELECT id FROM ${table}
        WHERE ${waits} AND ${queue} = queues.queue_id AND ${isDue(kind, nowMs)} ORDER BY ${order} LIMIT 1
      )
      FROM queues WHERE queue_id IS NOT NULL
    )
    SELECT queue_id, id, (SELECT ${due} FROM ${table} WHERE ${table}.id = heads.id) AS due_at_ms
    FROM heads ORDER BY queue_id`;
}

/** How much is due, what is held included, and since when. */
export function dueBacklog(
  kind: WaitingKind,
  nowMs: number,
): RawBuilder<{ readonly count: number | string; readonly oldestMs: number | string | null }> {
  const { table, due, waits } = rawOf(waitingRows[kind]);
  return sql`SELECT count(*) AS count, min(${due}) AS oldest_ms FROM ${table} WHERE ${waits} AND ${due} <= ${nowMs}`;
}

function isDue(kind: WaitingKind, nowMs: number): RawBuilder<unknown> {
  const { due, lease } = waitingRows[kind];
  const isTime = sql`${sql.raw(due)} <= ${nowMs}`;
  return lease === undefined ? isTime : sql`${isTime} AND ${sql.raw(lease)} <= ${nowMs}`;
}

type Raw = Readonly<Record<'table' | 'queue' | 'due' | 'order' | 'waits', RawBuilder<unknown>>>;

/** Constants of this file. */
function rawOf({ table, queue, due, order, waits }: WaitingRows): Raw {
  return {
    table: sql.raw(table),
    queue: sql.raw(queue),
    due: sql.raw(due),
    order: sql.raw(order),
    waits: sql.raw(waits),
  };
}

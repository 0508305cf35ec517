// Rows of webhooks and their deliveries. A delivery is written in the transaction of the change that it tells of (design §6,
// invariant 7), and taken by one process at a time.

import type { WebhookEvent, WebhookEventType } from '@stowage/contract';
import type { Kysely, Selectable, Transaction } from 'kysely';
import { type FileRecord, isoDate } from '../file-record.ts';
import type { DeliveryRecord, WebhookRecord } from '../webhooks/webhook-record.ts';
import type { WriteNote } from './audit-table.ts';
import { openDescribedList } from './due-rows.ts';
import { hasRoom } from './has-room.ts';
import { keepRows, lockFreeRows } from './lock-rows.ts';
import type { SqlDialect } from './migrations/migration.ts';
import type { Schema, WebhookRow } from './schema.ts';
import type { SqlScope } from './sql-scope.ts';
import type { DueDelivery, Waiting, WebhookTable } from './work-tables.ts';

/** In place of an answer. */
const disabledAnswer = 'Not sent: the webhook is disabled.';

export function openWebhookTable(scope: SqlScope, writeNote: WriteNote): WebhookTable {
  return {
    add: (webhook, note, atMost) =>
      scope.writeLocked(webhook, async (transaction) => {
        if (!(await hasRoom(transaction, 'webhooks', { tenantId: webhook.tenantId, atMost }))) return false;
        await transaction.insertInto('webhooks').values(rowOf(webhook)).execute();
        await writeNote(transaction, note);
        return true;
      }),

    list: (tenantId) =>
      scope.read({ tenantId }, async (query) => {
        const rows = await query
          .selectFrom('webhooks')
          .selectAll()
          .where('tenantId', '=', tenantId)
          .orderBy('id')
          .execute();
        return rows.map(recordOf);
      }),

    get: ({ tenantId, id }) =>
      scope.read({ tenantId }, async (query) => {
        const row = await query
          .selectFrom('webhooks')
          .selectAll()
          .where('id', '=', id)
          .where('tenantId', '=', tenantId)
          .executeTakeFirst();
        return row === undefined ? undefined : recordOf(row);
      }),

    change: ({ tenantId, id, ifSecret }, changes, note) =>
      scope.writeLocked({ tenantId }, async (transaction) => {
        const rows = transaction
          .updateTable('webhooks')
          .set(columnsOf(changes))
          .where('id', '=', id)
          .where('tenantId', '=', tenantId);
        const { numUpdatedRows } = await (ifSecret === undefined
          ? rows
          : rows.where('secretSealed', '=', ifSecret)
        ).executeTakeFirstOrThrow();
        if (numUpdatedRows !== 1n) return undefined;
        await writeNote(transaction, note);
        return recordOf(
          await transaction.selectFrom('webhooks').selectAll().where('id', '=', id).executeTakeFirstOrThrow(),
        );
      }),

    removeDeliveries: ({ tenantId, id }, limit) =>
      scope.write({ tenantId }, async (transaction) => {
        const { numDeletedRows } = await transaction
          .deleteFrom('webhookDeliveries')
          .where('id', 'in', ({ selectFrom }) =>
            selectFrom('webhookDeliveries')
              .select('id')
              .where('webhookId', '=', id)
              .where('tenantId', '=', tenantId)
              .orderBy('id')
              .limit(limit),
          )
          .executeTakeFirstOrThrow();
        return Number(numDeletedRows);
      }),

    remove: ({ tenantId, id }, note) =>
      scope.writeLocked({ tenantId }, async (transaction) => {
        const { numDeletedRows } = await transaction
          .deleteFrom('webhooks')
          .where('id', '=', id)
          .where('tenantId', '=', tenantId)
          .executeTakeFirstOrThrow();
        if (numDeletedRows !== 1n) return false;
        await writeNote(transaction, note);
        return true;
      }),

    addDelivery: (delivery) =>
      scope.write(delivery, async (transaction) => {
        const { tenantId, webhookId } = delivery;
        const webhook = transaction
          .selectFrom('webhooks')
          .select('id')
          .where('id', '=', webhookId)
          .where('tenantId', '=', tenantId);
        if ((await keepRows(webhook, scope.dialect).executeTakeFirst()) === undefined) return false;
        await transaction.insertInto('webhookDeliveries').values(delivery).execute();
        return true;
      }),

    getDelivery: ({ tenantId, webhookId, id }) =>
      scope.read({ tenantId }, (query) =>
        query
          .selectFrom('webhookDeliveries')
          .selectAll()
          .where('id', '=', id)
          .where('webhookId', '=', webhookId)
          .where('tenantId', '=', tenantId)
          .executeTakeFirst(),
      ),

    listDeliveries: ({ tenantId, webhookId, limit, beforeId }) =>
      scope.read({ tenantId }, (query) => {
        const rows = query
          .selectFrom('webhookDeliveries')
          .selectAll()
          .where('tenantId', '=', tenantId)
          .where('webhookId', '=', webhookId)
          .orderBy('id', 'desc')
          .limit(limit);
        return (beforeId === undefined ? rows : rows.where('id', '<', beforeId)).execute();
      }),

    waiting: openDescribedList(scope, 'delivery', describeDue),

    take: (ids, { nowMs, leaseMs }) =>
      scope.write('service', async (transaction) => {
        const due = transaction
          .selectFrom('webhookDeliveries')
          .selectAll()
          .where('id', 'in', [...ids])
          .where('dueAtMs', '<=', nowMs)
          .orderBy('dueAtMs')
          .orderBy('id');
        const taken = await lockFreeRows(due, scope.dialect).execute();
        if (taken.length === 0) return [];
        const dueAtMs = nowMs + leaseMs;
        await transaction
          .updateTable('webhookDeliveries')
          .set(({ eb }) => ({ dueAtMs, attempts: eb('attempts', '+', 1) }))
          .where(
            'id',
            'in',
            taken.map(({ id }) => id),
          )
          .execute();
        return taken.map((delivery) => ({ ...delivery, dueAtMs, attempts: delivery.attempts + 1 }));
      }),

    giveBack: async (deliveries, nowMs) => {
      // One by one: their webhook, and with it all of them in whatever order, may just be removed.
      for (const { id, attempts } of deliveries) {
        await scope.write('service', (transaction) =>
          transaction
            .updateTable('webhookDeliveries')
            .set({ dueAtMs: nowMs, attempts: attempts - 1 })
            .where('id', '=', id)
            .where('attempts', '=', attempts)
            .where('state', '=', 'waiting')
            .execute(),
        );
      }
    },

    settle: async ({ id, attempts }, outcome) => {
      await scope.write('service', (transaction) => {
        const rows = transaction
          .updateTable('webhookDeliveries')
          .set(outcome)
          .where('id', '=', id)
          .where('attempts', '=', attempts);
        // One that was made a dead letter while it was sent stays one, unless it was taken after all.
        return (
          outcome.state === 'delivered' ? rows.where('state', '<>', 'delivered') : rows.where('state', '=', 'waiting')
        ).execute();
      });
    },

    endDisabled: (limit) =>
      scope.write('service', async (transaction) => {
        const { numUpdatedRows } = await transaction
          .updateTable('webhookDeliveries')
          .set({ state: 'dead', dueAtMs: null, lastAnswer: disabledAnswer })
          .where('id', 'in', ({ selectFrom }) =>
            selectFrom('webhooks')
              .innerJoin('webhookDeliveries as waiting', 'waiting.webhookId', 'webhooks.id')
              .select('waiting.id')
              .where('webhooks.enabled', '=', 0)
              .where('waiting.state', '=', 'waiting')
              .limit(limit),
          )
          // Asked of the row itself too: it may have been delivered while it was waited for.
          .where('state', '=', 'waiting')
          .executeTakeFirstOrThrow();
        return Number(numUpdatedRows);
      }),

    disable: async ({ tenantId, id, url }, reason) => {
      await scope.write({ tenantId }, (transaction) =>
        transaction
          .updateTable('webhooks')
          .set({ enabled: 0, disabledReason: reason })
          .where('id', '=', id)
          .where('url', '=', url)
          .execute(),
      );
    },

    countDeliveries: () =>
      scope.read('service', async (query) => {
        const rows = await query
          .selectFrom('webhookDeliveries')
          .select(({ fn }) => ['state', fn.countAll<number | string>().as('count')])
          .groupBy('state')
          .execute();
        return rows.map(({ state, count }) => ({ state, count: Number(count) }));
      }),

    removeSettled: (beforeMs, limit) =>
      scope.write('service', async (transaction) => {
        const { numDeletedRows } = await transaction
          .deleteFrom('webhookDeliveries')
          .where('id', 'in', ({ selectFrom }) =>
            selectFrom('webhookDeliveries')
              .select('id')
              .where('state', '<>', 'waiting')
              .where('createdAtMs', '<', beforeMs)
              .orderBy('id')
              .limit(limit),
          )
          .executeTakeFirstOrThrow();
        return Number(numDeletedRows);
      }),
  };
}

interface TellOptions {
  readonly before: FileRecord;
  readonly after: FileRecord;
  readonly newId: () => string;
  readonly dialect: SqlDialect;
}

/** Where deliveries lead, of webhooks that are enabled. */
async function describeDue(query: Kysely<Schema>, rows: readonly Waiting[]): Promise<readonly DueDelivery[]> {
  const webhookIds = new Set(rows.map(({ queueId }) => queueId));
  if (webhookIds.size === 0) return [];
  const webhooks = await query
    .selectFrom('webhooks')
    .select(['id', 'tenantId', 'url'])
    .where('id', 'in', [...webhookIds])
    .where('enabled', '=', 1)
    .execute();
  const known = new Map(webhooks.map(({ id, ...webhook }) => [id, webhook]));
  return rows.flatMap((row) => {
    const webhook = known.get(row.queueId);
    return webhook === undefined ? [] : [{ ...row, ...webhook }];
  });
}

/** Writes what a change of a file has to be told, for each webhook that wants to know. */
export async function tellWebhooks(
  transaction: Transaction<Schema>,
  { before, after, newId, dialect }: TellOptions,
): Promise<void> {
  const type = eventTypes[after.state];
  if (type === undefined || before.state === after.state) return;
  const known = transaction
    .selectFrom('webhooks')
    .select(['id', 'events', 'enabled'])
    .where('tenantId', '=', after.tenantId);
  // One that is just removed is waited for: a delivery to what is gone would be refused, and the change of the file with it.
  const webhooks = await keepRows(known, dialect).execute();
  const event: WebhookEvent = { type, timestamp: isoDate(after.updatedAtMs), data: describe(after) };
  const eventId = newId();
  for (const { id: webhookId, events, enabled } of webhooks) {
    if (!readEvents(events).includes(type)) continue;
    // Of one that is disabled it is a dead letter from the first: nothing piles up, and it can be replayed as long as those are kept.
    const isSent = enabled === 1;
    const delivery: DeliveryRecord = {
      id: newId(),
      tenantId: after.tenantId,
      webhookId,
      eventId,
      type,
      body: JSON.stringify(event),
      state: isSent ? 'waiting' : 'dead',
      attempts: 0,
      dueAtMs: isSent ? after.updatedAtMs : null,
      createdAtMs: after.updatedAtMs,
      deliveredAtMs: null,
      lastAnswer: isSent ? null : disabledAnswer,
    };
    await transaction.insertInto('webhookDeliveries').values(delivery).execute();
  }
}

const eventTypes: Partial<Record<FileRecord['state'], WebhookEventType>> = {
  aborted: 'upload.aborted',
  expired: 'upload.expired',
  uploaded: 'file.uploaded',
  rejected: 'file.rejected',
  quarantined: 'file.quarantined',
  'scan-failed': 'file.scan-failed',
  ready: 'file.ready',
  trashed: 'file.trashed',
  purged: 'file.purged',
};

function describe(file: FileRecord): WebhookEvent['data'] {
  const { lineId: fileId, id: versionId, name, folderId, sizeBytes, contentType, state, reason } = file;
  return { fileId, versionId, name, folderId, sizeBytes, contentType, state, ...(reason === null ? {} : { reason }) };
}

function rowOf(webhook: WebhookRecord): WebhookRow {
  return { ...webhook, events: JSON.stringify(webhook.events), enabled: webhook.enabled ? 1 : 0 };
}

/** As `rowOf`, of some columns. */
function columnsOf({ events, enabled, ...rest }: Partial<WebhookRecord>): Partial<WebhookRow> {
  return {
    ...rest,
    ...(events === undefined ? {} : { events: JSON.stringify(events) }),
    ...(enabled === undefined ? {} : { enabled: enabled ? 1 : 0 }),
  };
}

function recordOf(row: Selectable<WebhookRow>): WebhookRecord {
  return { ...row, events: readEvents(row.events), enabled: row.enabled === 1 };
}

/** Written by rowOf alone. */
function readEvents(events: string): readonly WebhookEventType[] {
  return JSON.parse(events) as WebhookEventType[];
}

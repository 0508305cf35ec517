// What another transaction commits between two statements of one, on PostgreSQL: what was decided by the first is asked again by the
// second, or held until it has come. Each test has a transaction of its own hold what the second statement waits for.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import { monotonicFactory } from 'ulid';
import { serviceNote } from '../../packages/files/src/accounts/audit-note.ts';
import type { Database } from '../../packages/files/src/database/database.ts';
import { openDatabase } from '../../packages/files/src/database/open-database.ts';
import type { FileRecord } from '../../packages/files/src/file-record.ts';
import { aFile } from '../../packages/files/src/testing/a-file.ts';
import type { DeliveryRecord, WebhookRecord } from '../../packages/files/src/webhooks/webhook-record.ts';
import { until } from '../../packages/store/src/testing/until.ts';
import { startPostgres } from '../servers/postgres-server.ts';

const postgres = await startPostgres();
const newId = monotonicFactory();

function suite(url: string): void {
  let database: Database;
  let other: pg.Client;
  let watcher: pg.Client;
  let count = 0;

  before(async () => {
    const secret = new Uint8Array(32);
    database = await openDatabase({ settings: { url }, clock: () => 1_000, newId: () => newId(), secret });
    other = new pg.Client({ connectionString: url });
    watcher = new pg.Client({ connectionString: url });
    await Promise.all([other.connect(), watcher.connect()]);
    await other.query(`SELECT set_config('stowage.tenant', '*', false)`);
  });
  after(async () => {
    await Promise.all([database.close(), other.end(), watcher.end()]);
  });

  async function add(over: Partial<FileRecord>): Promise<FileRecord> {
    count++;
    return database.files.add(aFile({ id: newId(), objectKey: `between-${count}`, name: `${count}.txt`, ...over }));
  }

  async function addFolder(): Promise<string> {
    const path = { tenantId: 'main', userId: 'owner', parentId: '', names: [`folder ${++count}`], nowMs: 1 };
    return database.folders.ensure(path);
  }

  async function throwAway(folderId: string): Promise<void> {
    const folder = await database.folders.get({ tenantId: 'main', id: folderId });
    assert.ok(folder && (await database.folders.trash(folder, 5)));
  }

  async function addWebhook(): Promise<string> {
    const webhook: WebhookRecord = {
      id: newId(),
      tenantId: 'main',
      url: 'https://hooks.example.com/',
      events: ['file.ready'],
      secretSealed: 'sealed',
      oldSecretSealed: null,
      oldSecretUntilMs: null,
      enabled: true,
      disabledReason: null,
      createdAtMs: 1,
    };
    const subject = { kind: 'webhook', id: webhook.id } as const;
    await database.webhooks.add(webhook, serviceNote({ tenantId: 'main', action: 'webhook.created', subject }), 100);
    return webhook.id;
  }

  function aDelivery(webhookId: string): DeliveryRecord {
    return {
      id: newId(),
      tenantId: 'main',
      webhookId,
      eventId: newId(),
      type: 'file.ready',
      body: '{}',
      state: 'waiting',
      attempts: 1,
      dueAtMs: 100,
      createdAtMs: 1,
      deliveredAtMs: null,
      lastAnswer: null,
    };
  }

  /** Runs `work` until it waits for what `statements` hold; these are committed then, and `work` goes on. */
  async function acrossCommitOf<Result>(
    statements: readonly (readonly [sql: string, ...values: string[]])[],
    work: () => Promise<Result>,
  ): Promise<Result> {
    await other.query('BEGIN');
    for (const [sql, ...values] of statements) await other.query(sql, values);
    const working = work();
    await until(async () => {
      const { rows } = await watcher.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      return rows.length > 0;
    });
    await other.query('COMMIT');
    return working;
  }

  /** Lets everybody read, and nobody lock a row or write. */
  const readersOnly = ['LOCK TABLE files IN EXCLUSIVE MODE'] as const;
  const bringBack = 'UPDATE folders SET trashed_at_ms = NULL, fence = fence + 1 WHERE id = $1';

  test('a file that comes back with its folder does not follow it into the trash', async () => {
    const folderId = await addFolder();
    const mine = await add({ folderId, state: 'trashed' });
    const left = await add({ folderId, state: 'ready' });
    await throwAway(folderId);
    const restore: readonly (readonly [string, ...string[]])[] = [
      readersOnly,
      [bringBack, folderId],
      [`UPDATE files SET state = 'ready', shelf = 'files', fence = fence + 1 WHERE id = $1`, mine.id],
      [`UPDATE files SET state = 'trashed', shelf = 'trash', fence = fence + 1 WHERE id = $1`, left.id],
    ];
    const sweep = { nowMs: 6, purgeAtMs: 9, limit: 50 };
    assert.deepEqual(await acrossCommitOf(restore, () => database.files.trashWithin(sweep)), []);
    assert.equal((await database.files.find(mine.id))?.state, 'ready');
  });

  test('nor does one that is asked for just then', async () => {
    const folderId = await addFolder();
    const file = await add({ folderId, state: 'ready' });
    await throwAway(folderId);
    const ask = (): Promise<FileRecord | undefined> => database.files.current({ tenantId: 'main', id: file.id });
    const seen = await acrossCommitOf([readersOnly, [bringBack, folderId]], ask);
    assert.deepEqual(seen, file);
    assert.deepEqual(await database.files.find(file.id), file);
  });

  test('a change of a file is not refused because a webhook is just removed', async () => {
    const id = await addWebhook();
    const file = await add({ state: 'scanning' });
    const change = (): Promise<FileRecord | undefined> => database.files.change(file, { state: 'ready' });
    const changed = await acrossCommitOf([['DELETE FROM webhooks WHERE id = $1', id]], change);
    assert.equal(changed?.state, 'ready');
  });

  test('nothing is to be delivered to a webhook that is just removed', async () => {
    const id = await addWebhook();
    const deliver = (): Promise<boolean> => database.webhooks.addDelivery(aDelivery(id));
    assert.equal(await acrossCommitOf([['DELETE FROM webhooks WHERE id = $1', id]], deliver), false);
  });

  test('what was delivered is no dead letter because its webhook was disabled', async () => {
    const webhookId = await addWebhook();
    const delivery = aDelivery(webhookId);
    assert.equal(await database.webhooks.addDelivery(delivery), true);
    await other.query('UPDATE webhooks SET enabled = 0 WHERE id = $1', [webhookId]);
    const settle = `UPDATE webhook_deliveries SET state = 'delivered', due_at_ms = NULL WHERE id = $1`;
    assert.equal(await acrossCommitOf([[settle, delivery.id]], () => database.webhooks.endDisabled(10)), 0);
    assert.equal((await database.webhooks.getDelivery(delivery))?.state, 'delivered');
  });
}

if (postgres.found) {
  const url = await postgres.createDatabase();
  describe('between two statements on PostgreSQL', { timeout: 60_000 }, () => suite(url));
} else {
  test('between two statements on PostgreSQL', { skip: postgres.reason }, () => undefined);
}

// What was used, by tenant and day: exact where it is counted with what it counts, on both databases, over days on which nothing
// happens; told to the tenant itself, and of all to who runs the service.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { UsageDay } from '@stowage/contract';
import { startPostgres } from '../servers/postgres-server.ts';
import { dayMs, minuteMs, ServiceFixture } from './service-fixture.ts';

type Counts = Omit<UsageDay, 'tenantId' | 'day'>;

const nothing: Counts = {
  storedBytes: 0,
  storedFiles: 0,
  uploads: 0,
  uploadedBytes: 0,
  downloads: 0,
  downloadBytes: 0,
  requests: 0,
};

async function counted(t: TestContext, options: Parameters<typeof ServiceFixture.open>[1]): Promise<void> {
  const files = await ServiceFixture.open(t, options);
  const dayOf = (): string => new Date(files.nowMs).toISOString().slice(0, 10);
  const first = dayOf();
  const upload = await files.upload('a.txt', 'text/plain', Buffer.from('0123456789'));
  await files.announce({ sizeBytes: 1_000 });
  await Promise.all(Array.from({ length: 5 }, () => files.contentUrl(upload.fileId)));
  await files.call('createLink', { id: upload.fileId, body: {} });
  await files.call('copyFile', { id: upload.fileId, body: {} });
  await files.tick();
  await (await files.respond('getArchive', { query: { files: upload.fileId } })).arrayBuffer();
  await files.call('createShare', { body: { fileId: upload.fileId } }).then(async ({ url }) => {
    const address = new URL(url, 'http://files.test');
    const answer = await files.send(new Request(`${address.href}/files/${upload.fileId}`));
    assert.equal(answer.status, 302);
  });

  files.advance(3 * dayMs);
  await files.call('deleteFile', { id: upload.fileId });
  await files.call('purgeFile', { id: upload.fileId });
  await files.tick();
  const last = dayOf();

  const { days } = await files.call('getUsage', { query: { from: first, until: last } });
  assert.deepEqual(
    days.map(({ requests: _requests, tenantId: _tenant, ...rest }) => rest),
    [
      // One file, and a copy that came from nobody.
      { day: first, storedBytes: 20, storedFiles: 2, uploads: 1, uploadedBytes: 10, downloads: 8, downloadBytes: 80 },
      ...[1, 2].map((after) => {
        const { requests: _requests, ...quiet } = { ...nothing, storedBytes: 20, storedFiles: 2 };
        return { day: new Date(Date.parse(first) + after * dayMs).toISOString().slice(0, 10), ...quiet };
      }),
      { day: last, storedBytes: 10, storedFiles: 1, uploads: 0, uploadedBytes: 0, downloads: 0, downloadBytes: 0 },
    ],
  );
  // The sums and the books agree.
  const { usage } = await files.call('getQuotas');
  assert.equal(usage.usedBytes, days.at(-1)?.storedBytes);
  assert.equal(usage.usedFiles, days.at(-1)?.storedFiles);

  // Requests are counted at the latest when the service ends.
  await files.restart();
  const again = await files.call('getAllUsage', { query: { from: first, until: last } });
  const requests = again.days.reduce((sum, day) => sum + day.requests, 0);
  assert.ok(requests >= 14, `${requests} requests`);

  const table = await files.respond('getAllUsageTable', { query: { from: first, until: last } });
  assert.equal(table.headers.get('content-type'), 'text/csv');
  const lines = (await table.text()).trimEnd().split('\r\n');
  assert.equal(lines[0], 'tenantId,day,storedBytes,storedFiles,uploads,uploadedBytes,downloads,downloadBytes,requests');
  assert.match(lines[1] ?? '', new RegExp(`^main,${first},20,2,1,10,8,80,\\d+$`));
  assert.equal(lines.length, 5);
  const own = await (await files.respond('getUsageTable', { query: { from: last } })).text();
  assert.match(own, new RegExp(`\r\nmain,${last},10,1,`));

  await files.refused('invalid-request', 'getUsage', { query: { from: last, until: first } });
  await files.refused('invalid-request', 'getUsage', { query: { from: '2020-01-01', until: last } });
  await files.refused('invalid-request', 'getUsage', { query: { from: 'yesterday' } });
}

test('usage is counted by day: SQLite', (t) => counted(t, {}));

test('usage is counted by day: PostgreSQL', async (t) => {
  const postgres = await startPostgres();
  if (!postgres.found) return t.skip(postgres.reason);
  await counted(t, { database: { url: await postgres.createDatabase() } });
});

test('a tenant is told of itself alone, and pages of tenants hold each once', async (t) => {
  const files = await ServiceFixture.open(t);
  const cookies: string[] = [];
  for (const id of ['aye', 'bee', 'cee']) {
    const { owner } = await files.call('createTenant', { body: { id, name: id, owner: { name: id } } });
    const as = await files.signInBy(owner.invitation.url);
    cookies.push(as);
    await files.call('createKey', { as, body: { name: 'k' } });
    const upload = await files.call('createUpload', { as, body: { name: id, sizeBytes: 0 } });
    assert.ok(upload.request);
    const { method, url, headers } = upload.request;
    await fetch(url, { method, headers });
    await files.call('completeUpload', { as, id: upload.id });
  }
  const [as] = cookies;
  assert.ok(as);
  const own = await files.call('getUsage', { as });
  assert.deepEqual([...new Set(own.days.map(({ tenantId }) => tenantId))], ['aye']);
  await files.refused('forbidden', 'getAllUsage', { as });
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await files.call('getAllUsage', { query: { limit: 1, ...(cursor === undefined ? {} : { cursor }) } });
    seen.push(...page.days.map(({ tenantId }) => tenantId));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  assert.deepEqual(seen, ['aye', 'bee', 'cee']);
  const one = await files.call('getAllUsage', { query: { tenantId: 'bee' } });
  assert.deepEqual(
    one.days.map(({ tenantId, uploads }) => ({ tenantId, uploads })),
    [{ tenantId: 'bee', uploads: 1 }],
  );
});

test('an upload that was given up takes no room again when it is removed, and was no upload', async (t) => {
  const files = await ServiceFixture.open(t);
  await files.call('changeTenant', { id: 'main', body: { quotaBytes: 100 } });
  const given = await files.announce({ sizeBytes: 100 });
  await files.call('abortUpload', { id: given.id });
  await files.upload('b.txt', 'text/plain', Buffer.alloc(100, 'x'));
  const usedBytes = async (): Promise<number> => (await files.call('getQuotas')).usage.usedBytes;
  const day = new Date(files.nowMs).toISOString().slice(0, 10);
  // Removed when no URL can write any more: while its row is on the way out it must not count, nor after.
  const seen = new Set<string>();
  for (let minutes = 0; minutes < 60; minutes += 5) {
    files.advance(5 * minuteMs);
    await files.tick();
    seen.add(files.row(given.id).state);
    assert.equal(await usedBytes(), 100, `the upload is ${files.row(given.id).state}`);
  }
  assert.ok(seen.has('purged'), [...seen].join(', '));
  const { days } = await files.call('getUsage', { query: { from: day, until: day } });
  assert.deepEqual([days[0]?.uploads, days[0]?.uploadedBytes, days[0]?.storedBytes], [1, 100, 100]);
});

// What the model proof has found in the service, each as the shortest sequence that showed it.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startPostgres } from '../servers/postgres-server.ts';
import { assertInvariants } from './invariants.ts';
import { type Caller, ProofWorld } from './proof-world.ts';

const dayMs = 24 * 60 * 60 * 1000;
const postgres = await startPostgres();

function found(kind: string, open: () => Promise<ProofWorld>): void {
  describe(`what the model has found, on ${kind}`, { timeout: 120_000 }, () => {
    let world: ProofWorld;
    let owner: Caller;
    before(async () => {
      world = await open();
      owner = await world.addTenant();
    });
    after(() => world.close());

    async function store(text: string, over: { readonly versionOf?: string } = {}): Promise<string> {
      const body = { name: 'notes.txt', sizeBytes: text.length, contentType: 'text/plain', ...over };
      const { id, request } = await world.call('createUpload', owner, { body });
      assert.ok(request);
      assert.equal((await fetch(request.url, { method: 'PUT', headers: request.headers, body: text })).status, 200);
      await world.call('completeUpload', owner, { params: { id } });
      return id;
    }

    async function stateOf(id: string): Promise<unknown> {
      return (await world.database.rows('SELECT state FROM files WHERE id = ?', [id]))[0]?.state;
    }

    test('a version that is judged after its file was purged goes with it', async () => {
      const file = await store('the first');
      await world.tick();
      world.scanner.isUp = false;
      const version = await store('the second', { versionOf: file });
      await world.tick();
      await world.call('deleteFile', owner, { params: { id: file } });
      await world.call('purgeFile', owner, { params: { id: file } });
      world.advance(31 * dayMs);
      await world.tick();
      assert.deepEqual([await stateOf(file), await stateOf(version)], ['purged', 'scanning']);
      world.scanner.isUp = true;
      for (let round = 0; round < 2; round++) {
        world.advance(31 * dayMs);
        await world.tick();
      }
      assert.equal(await stateOf(version), 'purged');
      const { database, bucket, secret, nowMs } = world;
      await assertInvariants({ database, bucket, secret, nowMs, settled: true });
    });

    test('of two announcements at once with one Idempotency-Key there is one upload', async () => {
      for (let round = 0; round < 10; round++) {
        const body = { name: `twice ${round}.txt`, sizeBytes: 1, contentType: 'text/plain' };
        const headers = { 'idempotency-key': `twice-${round}` };
        const twins = [0, 1].map((instance) => world.call('createUpload', owner, { body, headers, instance }));
        const [one, other] = await Promise.all(twins);
        assert.equal(one?.id, other?.id);
      }
    });
  });
}

found('SQLite', () => ProofWorld.open());
if (postgres.found) {
  found('PostgreSQL', async () =>
    ProofWorld.open({ database: { url: await postgres.createDatabase() }, instances: 2 }),
  );
} else {
  test('what the model has found, on PostgreSQL', { skip: postgres.reason }, () => undefined);
}

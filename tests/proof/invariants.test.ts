// The checker of the invariants, held against real violations: each invariant is broken by hand, in a real database or a real bucket,
// and must be reported by its number. What is whole must pass. On both databases.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { type AnnouncedAlgorithm, announcedChecksums, type CreateUploadRequest, type Upload } from '@stowage/contract';
import { type ChecksumAlgorithm, digestOf } from '@stowage/s3';
import { startPostgres } from '../servers/postgres-server.ts';
import type { Doors, Witnesses } from './invariants/examination.ts';
import { History } from './invariants/history.ts';
import { type CheckOptions, checkInvariants, renderViolation } from './invariants.ts';
import { type Caller, ProofWorld } from './proof-world.ts';
import { infectionMark } from './scanner-server.ts';
import { openDoors } from './service-doors.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
/** A key in the shape of ours, with a MAC that nobody made. */
const foreignKey = 'files/main/owner/text/01ABC.00000000000000000000000000000000';

/** One tenant with a file in each state that matters here. */
class Stage {
  readonly world: ProofWorld;
  readonly owner: Caller;
  readonly stranger: Caller;

  private constructor(world: ProofWorld, owner: Caller, stranger: Caller) {
    this.world = world;
    this.owner = owner;
    this.stranger = stranger;
  }

  static async open(world: ProofWorld): Promise<Stage> {
    return new Stage(world, await world.addTenant(), await world.addTenant());
  }

  async announce(text: string, over: Partial<CreateUploadRequest> = {}): Promise<Upload> {
    const body = { name: 'notes.txt', sizeBytes: text.length, contentType: 'text/plain', ...over };
    return this.world.call('createUpload', this.owner, { body });
  }

  /** Announced, sent and completed; looked at by nobody yet. */
  async store(text: string, over: Partial<CreateUploadRequest> = {}): Promise<string> {
    const { id, request } = await this.announce(text, over);
    assert.ok(request);
    const sent = await fetch(request.url, { method: 'PUT', headers: request.headers, body: text });
    assert.equal(sent.status, 200);
    await this.world.call('completeUpload', this.owner, { params: { id } });
    return id;
  }

  async ready(text = 'some words', over: Partial<CreateUploadRequest> = {}): Promise<string> {
    const id = await this.store(text, over);
    await this.world.tick();
    return id;
  }

  async purged(): Promise<string> {
    const id = await this.ready();
    await this.world.call('deleteFile', this.owner, { params: { id } });
    await this.world.call('purgeFile', this.owner, { params: { id } });
    this.world.advance(dayMs);
    await this.world.tick();
    return id;
  }

  async row(id: string): Promise<Readonly<Record<string, unknown>>> {
    const [row] = await this.world.database.rows('SELECT * FROM files WHERE id = ?', [id]);
    assert.ok(row);
    return row;
  }

  async set(id: string, assignment: string): Promise<void> {
    assert.equal(await this.world.database.run(`UPDATE files SET ${assignment} WHERE id = ?`, [id]), 1);
  }

  async put(key: string, body: string): Promise<string> {
    const { bucket } = this.world;
    return (await bucket.client.send(new PutObjectCommand({ Bucket: bucket.name, Key: key, Body: body }))).ETag ?? '';
  }

  async remove(key: string): Promise<void> {
    const { bucket } = this.world;
    await bucket.client.send(new DeleteObjectCommand({ Bucket: bucket.name, Key: key }));
  }

  async check(witnesses: Witnesses = {}, over: Partial<CheckOptions> = {}): Promise<readonly string[]> {
    const { database, bucket, secret, nowMs, scanner } = this.world;
    const violations = await checkInvariants({
      database,
      bucket,
      secret,
      nowMs,
      tenantId: this.owner.tenantId,
      settled: true,
      witnesses: { verdictOn: scanner.verdictOn, doors: this.doors(), ...witnesses },
      ...over,
    });
    return violations.map(renderViolation);
  }

  doors(): Doors {
    return openDoors({ world: this.world, owner: this.owner, stranger: this.stranger, shares: new Map() });
  }

  /** Fails unless this invariant is reported broken. */
  async breaks(invariant: number, witnesses: Witnesses = {}, over: Partial<CheckOptions> = {}): Promise<void> {
    const reported = await this.check(witnesses, over);
    assert.ok(
      reported.some((line) => line.startsWith(`Invariant ${invariant} `)),
      `Invariant ${invariant} was broken; reported was: ${reported.join('\n') || 'nothing'}`,
    );
  }
}

const algorithmNames: Readonly<Record<AnnouncedAlgorithm, ChecksumAlgorithm>> = {
  crc32: 'CRC32',
  crc64nvme: 'CRC64NVME',
  sha256: 'SHA256',
};

function checksumOf(algorithm: ChecksumAlgorithm, text: string): string {
  return Buffer.from(digestOf(algorithm, Buffer.from(text))).toString('base64');
}

function invariantTests(kind: string, open: () => Promise<ProofWorld>): void {
  describe(`the checker of the invariants on ${kind}`, { timeout: 120_000 }, () => {
    let world: ProofWorld;
    before(async () => {
      world = await open();
    });
    after(() => world.close());
    const broken = (name: string, work: (stage: Stage) => Promise<void>): void => {
      test(name, async () => work(await Stage.open(world)));
    };

    broken('finds nothing where nothing is broken', async (stage) => {
      const history = new History();
      const file = await stage.ready();
      await stage.ready('the second of them', { versionOf: file });
      await stage.ready(`a third, and ${infectionMark}`, { versionOf: file });
      await stage.ready(`it is ${infectionMark}`);
      await stage.ready('\x7fELF, said to be text');
      await stage.announce('never sent');
      const trashed = await stage.ready('in the trash');
      await stage.world.call('deleteFile', stage.owner, { params: { id: trashed } });
      const foreign = [{ key: foreignKey, etag: await stage.put(foreignKey, 'foreign') }];
      assert.deepEqual(await stage.check({ foreign }, { history }), []);
      await stage.purged();
      assert.deepEqual(await stage.check({ foreign }, { history }), []);
    });

    broken('1: the object of a ready file is gone', async (stage) => {
      const { objectKey } = await stage.row(await stage.ready());
      await stage.remove(String(objectKey));
      await stage.breaks(1);
    });

    broken('1: the object of a ready file holds other bytes', async (stage) => {
      const { objectKey } = await stage.row(await stage.ready('as they came'));
      await stage.put(String(objectKey), 'other bytes!');
      await stage.breaks(1);
    });

    broken('1: the checksum of a row is not that of the bytes', async (stage) => {
      const sha256 = { algorithm: 'sha256', value: checksumOf('SHA256', 'as they came') } as const;
      const id = await stage.ready('as they came', { checksum: sha256 });
      // As the bucket told it: of what a row does not hold nothing could be compared.
      assert.equal((await stage.row(id)).checksumAlgorithm, 'SHA256');
      for (const algorithm of ['SHA256', 'CRC64NVME', 'CRC32C', 'CRC32', 'SHA1'] as const) {
        const say = (text: string): Promise<void> =>
          stage.set(id, `checksum_algorithm = '${algorithm}', checksum_value = '${checksumOf(algorithm, text)}'`);
        await say('as they came');
        assert.deepEqual(await stage.check(), []);
        await say('other bytes!');
        await stage.breaks(1);
      }
      await stage.set(id, `checksum_algorithm = 'sha256', checksum_value = '${sha256.value}'`);
      await stage.breaks(1);
    });

    broken('1: the checksum of parts', async (stage) => {
      const id = await stage.ready('as they came');
      const parts = ['as th', 'ey ca', 'me'].map((part) => digestOf('SHA256', Buffer.from(part)));
      const value = Buffer.from(digestOf('SHA256', Buffer.concat(parts))).toString('base64');
      await stage.set(id, `part_size_bytes = 5, checksum_algorithm = 'SHA256', checksum_value = '${value}-3'`);
      assert.deepEqual(await stage.check(), []);
      await stage.set(id, 'part_size_bytes = 6');
      await stage.breaks(1);
    });

    broken('1: the bytes are not the announced ones', async (stage) => {
      for (const algorithm of Object.keys(announcedChecksums) as AnnouncedAlgorithm[]) {
        const name = algorithmNames[algorithm];
        const value = checksumOf(name, 'as they came');
        const id = await stage.ready('as they came', { checksum: { algorithm, value } });
        assert.deepEqual(await stage.check(), []);
        await stage.set(id, `announced_value = '${checksumOf(name, 'other bytes!')}'`);
        await stage.breaks(1);
        await stage.set(id, `announced_value = '${value}'`);
      }
    });

    broken('1: a file is ready that was never before the scanner', async (stage) => {
      const id = await stage.store('not seen by anybody');
      await stage.set(id, `state = 'ready', scan_policy = 'clamd Proof 1/1', review_at_ms = NULL`);
      await stage.breaks(1);
    });

    broken('2: a preview of what is not ready', async (stage) => {
      const id = await stage.ready('\x7fELF, said to be text');
      await stage.set(id, `previews = '["thumbnail"]'`);
      await stage.breaks(2);
    });

    broken('2: an earlier version that is not ready, and is given out', async (stage) => {
      const file = await stage.ready();
      await stage.ready('the second', { versionOf: file });
      await stage.set(file, `state = 'quarantined'`);
      assert.ok(!(await stage.check()).some((line) => line.startsWith('Invariant 2 ')));
      const doors: Doors = {
        ...stage.doors(),
        // The service is made to take it for ready.
        asOwner: async (row) => {
          await stage.set(row.id, `state = 'ready'`);
          const answers = await stage.doors().asOwner(row);
          await stage.set(row.id, `state = 'quarantined'`);
          return answers;
        },
      };
      await stage.breaks(2, { doors });
    });

    broken('2: a door that opens', async (stage) => {
      await stage.announce('never sent');
      const doors: Doors = {
        ...stage.doors(),
        asOwner: async () => [{ door: 'getContent', status: 302, opened: true }],
      };
      await stage.breaks(2, { doors });
    });

    broken('3: an object of ours without a row', async (stage) => {
      const id = await stage.ready();
      const { objectKey } = await stage.row(id);
      await stage.world.database.run('DELETE FROM outbox WHERE file_id = ?', [id]);
      await stage.world.database.run('DELETE FROM search_documents WHERE file_id = ?', [id]);
      await stage.world.database.run('DELETE FROM files WHERE id = ?', [id]);
      assert.ok(objectKey);
      await stage.breaks(3);
    });

    broken('3: a URL that the row does not know of', async (stage) => {
      const { id } = await stage.announce('never sent');
      const { objectKey } = await stage.row(id);
      const handedOut = [{ key: String(objectKey), expiresAtMs: stage.world.nowMs + dayMs }];
      await stage.breaks(3, { handedOut });
    });

    broken('4: a key of two rows', async (stage) => {
      const { objectKey } = await stage.row(await stage.ready());
      await stage.set(await stage.ready('another'), `staging_key = '${objectKey}'`);
      await stage.breaks(4);
    });

    broken('4: a key without a MAC', async (stage) => {
      await stage.set(await stage.ready(), `object_key = 'files/somewhere'`);
      await stage.breaks(4);
    });

    broken('4: a foreign object is gone', async (stage) => {
      const foreign = [{ key: foreignKey, etag: await stage.put(foreignKey, 'foreign') }];
      await stage.remove(foreignKey);
      await stage.breaks(4, { foreign });
    });

    broken('5: a row that only a hint would move', async (stage) => {
      await stage.set((await stage.announce('never sent')).id, 'review_at_ms = NULL');
      await stage.breaks(5);
    });

    broken('5: two current versions of one file', async (stage) => {
      const file = await stage.ready();
      await stage.ready('the second', { versionOf: file });
      await stage.set(file, `role = 'current'`);
      await stage.breaks(5);
    });

    broken('6: success without an object', async (stage) => {
      const { id } = await stage.announce('never sent');
      await stage.set(id, `state = 'uploaded', shelf = 'files', object_etag = '"x"'`);
      await stage.breaks(6);
    });

    broken('7: an effect that nothing holds', async (stage) => {
      const id = await stage.store('to be looked at');
      await stage.world.database.run('DELETE FROM outbox WHERE file_id = ?', [id]);
      await stage.set(id, 'review_at_ms = NULL');
      await stage.breaks(7);
    });

    broken('7: a webhook that was not told', async (stage) => {
      const { id } = await stage.world.call('createWebhook', stage.owner, {
        body: { url: 'https://hooks.example.com/a' },
      });
      // Told is written down all the same, and nobody is called.
      await stage.world.call('changeWebhook', stage.owner, { params: { id }, body: { enabled: false } });
      await stage.store('told of it');
      assert.deepEqual(await stage.check({}, { settled: false }), []);
      await stage.world.database.run('DELETE FROM webhook_deliveries WHERE tenant_id = ?', [stage.owner.tenantId]);
      await stage.breaks(7);
    });

    broken('8: bytes of a purged file', async (stage) => {
      const { objectKey } = await stage.row(await stage.purged());
      await stage.put(String(objectKey), 'back again');
      await stage.breaks(8);
    });

    broken('8: a version that outlives its purged file', async (stage) => {
      const file = await stage.purged();
      const other = await stage.ready();
      await stage.set(other, `line_id = '${file}', role = 'version'`);
      await stage.breaks(8);
    });

    broken('8: a file that is purged before its time', async (stage) => {
      const file = await stage.purged();
      await stage.set(file, `purge_at_ms = ${stage.world.nowMs + dayMs}`);
      await stage.breaks(8);
    });

    broken('9: a sum that is not the sum', async (stage) => {
      await stage.ready();
      const { tenantId } = stage.owner;
      await stage.world.database.run('UPDATE usage_totals SET used_bytes = used_bytes + 1 WHERE tenant_id = ?', [
        tenantId,
      ]);
      await stage.breaks(9);
    });

    broken('9: a reservation that settled twice', async (stage) => {
      await stage.announce('never sent');
      const { tenantId } = stage.owner;
      await stage.world.database.run('UPDATE usage_totals SET reserved_files = 0 WHERE tenant_id = ?', [tenantId]);
      await stage.breaks(9);
    });

    broken('9: what a user holds in a category that is not what their files there take', async (stage) => {
      await stage.ready();
      const { tenantId } = stage.owner;
      await stage.world.database.run('UPDATE category_totals SET held_bytes = held_bytes - 1 WHERE tenant_id = ?', [
        tenantId,
      ]);
      await stage.breaks(9);
    });

    broken('9: files of a state that were counted wrongly', async (stage) => {
      await stage.ready();
      const { database } = stage.world;
      // Of all tenants: others are not to find it so.
      await database.run("INSERT INTO file_counts (state, shard, files) VALUES ('ready', 999, 1)");
      await stage.breaks(9);
      await database.run('DELETE FROM file_counts WHERE shard = 999');
    });

    broken('10: malware that is ready', async (stage) => {
      const id = await stage.ready(`it is ${infectionMark}`);
      await stage.set(id, `state = 'ready', review_at_ms = NULL`);
      await stage.breaks(10);
    });

    broken('10: a state that changed without a fence', async (stage) => {
      const history = new History();
      const id = await stage.ready();
      assert.deepEqual(await stage.check({}, { history }), []);
      await stage.set(
        id,
        `state = 'trashed', shelf = 'trash', trashed_at_ms = 0, review_at_ms = ${stage.world.nowMs + dayMs}`,
      );
      await stage.breaks(10, {}, { history });
    });

    broken('10: a way that the table of states does not know', async (stage) => {
      const history = new History();
      const id = await stage.ready();
      await stage.check({}, { history });
      await stage.set(id, `state = 'uploading', fence = fence + 1, review_at_ms = ${stage.world.nowMs + dayMs}`);
      await stage.breaks(10, {}, { history });
    });

    broken('11: a key of another tenant', async (stage) => {
      const other = await Stage.open(stage.world);
      const theirs = await other.ready();
      await stage.set(theirs, `tenant_id = '${stage.owner.tenantId}'`);
      await stage.breaks(11);
    });

    broken('11: a file in another tenant’s folder', async (stage) => {
      const folder = await stage.world.call('createFolder', stage.stranger, { body: { name: 'Theirs' } });
      await stage.set(await stage.ready(), `folder_id = '${folder.id}'`);
      await stage.breaks(11);
    });

    broken('11: a door that opens to a stranger', async (stage) => {
      await stage.ready();
      const doors: Doors = {
        ...stage.doors(),
        asStranger: async () => [{ door: 'getFile', status: 200, opened: false }],
      };
      await stage.breaks(11, { doors });
    });
  });
}

invariantTests('SQLite', () => ProofWorld.open());

const postgres = await startPostgres();
if (postgres.found) {
  invariantTests('PostgreSQL', async () =>
    ProofWorld.open({ database: { url: await postgres.createDatabase() }, instances: 2 }),
  );
} else {
  test('the checker of the invariants on PostgreSQL', { skip: postgres.reason }, () => undefined);
}

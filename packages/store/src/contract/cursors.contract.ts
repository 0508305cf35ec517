// Contract suite: cursors on the changes of a store. What only a journal on disk can show (restarts, crashes, damage, pinned
// segments) is in cursors/journal-cursors.test.ts.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Change, ChangeCursor, FollowedStore } from '../cursors/change-cursor.ts';
import {
  completionOf,
  createBucket,
  largeSizeBytes,
  listKeys,
  patternBytes,
  plainAttributes,
  put,
  putPart,
  type StoreUnderTest,
  storeError,
} from './store-under-test.ts';

const patienceMs = 5000;

/** Opens an empty store for one test, as `OpenStoreUnderTest` does. */
type OpenFollowedStore = (clock: () => number) => Promise<StoreUnderTest & { readonly store: FollowedStore }>;

export function testCursors(name: string, open: OpenFollowedStore): void {
  describe(`${name}: cursors`, () => {
    let subject: Awaited<ReturnType<OpenFollowedStore>>;
    let store: FollowedStore;
    let nowMs = 1_700_000_000_000;
    before(async () => {
      subject = await open(() => nowMs);
      store = subject.store;
      await createBucket(store);
    });
    after(() => subject.close());

    it('tells of every kind of change, in order, with what stands there afterwards or stood there before', async () => {
      const cursor = await store.openCursor('kinds', { start: 'now' });
      nowMs += 1000;
      const settings = await store.createBucket({ name: 'told', owner: 'owner-1', region: 'eu-central-1' });
      await store.putBucketConfiguration('told', 'cors', ['rule']);
      const configured = store.getBucket('told');
      const first = await put(store, 'a/ü', 'content', { bucket: 'told', attributes: { userMetadata: { x: 'y' } } });
      const large = await put(store, 'large', patternBytes(largeSizeBytes), { bucket: 'told' });
      const source = { bucket: 'told', key: 'a/ü', sequence: first.sequence };
      const copied = await store.copyObject({ bucket: 'told', key: 'copy', source, attributes: plainAttributes });
      const create = { bucket: 'told', key: 'parts', attributes: plainAttributes, initiator: 'i' };
      const upload = await store.createUpload(create);
      const part = await putPart(store, upload, 1, patternBytes(400));
      const completed = await store.completeUpload(completionOf(upload, [part]));
      const aborted = await store.createUpload({ ...create, key: 'given up' });
      await store.abortUpload(aborted);
      for (const key of ['a/ü', 'large', 'copy', 'parts']) await store.deleteObject({ bucket: 'told', key });
      await store.deleteObject({ bucket: 'told', key: 'was never there' });
      await store.deleteBucket('told');

      const changes = await readChanges(cursor, 14);
      const { parts: _parts, ...withoutParts } = completed;
      const object = (key: string) => ({ bucket: 'told', key });
      const expected = [
        { type: 'bucketCreated', bucket: 'told', settings },
        { type: 'bucketConfigured', bucket: 'told', settings: configured },
        { type: 'objectCreated', by: 'put', ...object('a/ü'), version: first },
        { type: 'objectCreated', by: 'put', ...object('large'), version: large },
        { type: 'objectCreated', by: 'copy', ...object('copy'), version: copied },
        { type: 'uploadCreated', ...object('parts'), upload },
        { type: 'objectCreated', by: 'complete', ...object('parts'), version: completed },
        { type: 'uploadCreated', ...object('given up'), upload: aborted },
        { type: 'uploadAborted', ...object('given up'), upload: aborted },
        { type: 'objectRemoved', ...object('a/ü'), version: first },
        { type: 'objectRemoved', ...object('large'), version: large },
        { type: 'objectRemoved', ...object('copy'), version: copied },
        { type: 'objectRemoved', ...object('parts'), version: withoutParts },
        { type: 'bucketRemoved', bucket: 'told', settings: configured },
      ];
      assert.deepEqual(
        changes.map(({ sequence: _sequence, atMs: _atMs, ...said }) => said),
        expected,
      );
      assert.ok(changes.every(({ atMs }) => atMs === nowMs));
      assertRising(changes);
      for (const change of changes) {
        if (change.type === 'objectCreated') assert.equal(change.version.sequence, change.sequence);
      }
      await cursor.remove();
    });

    it('waits for the next change, and loses none when the waiting is ended', async () => {
      const cursor = await store.openCursor('waits', { start: 'now' });
      const stop = new AbortController();
      const given = cursor.read({ limit: 10, signal: stop.signal });
      const reason = new Error('enough');
      stop.abort(reason);
      await assert.rejects(given, reason);
      await assert.rejects(cursor.read({ limit: 10, signal: stop.signal }), reason);
      const waiting = cursor.read({ limit: 10 });
      await assert.rejects(cursor.read({ limit: 10 }), storeError('CursorInUse'));
      await put(store, 'waited for', 'x');
      assert.deepEqual(keysOf(await waiting), ['waited for']);
      await cursor.remove();
    });

    it('delivers again what was not acknowledged, and nothing that was', async () => {
      let cursor = await store.openCursor('again', { start: 'now' });
      for (let index = 0; index < 10; index += 1) await put(store, `again/${index}`, 'x');
      const all = await readChanges(cursor, 10, 4);
      assert.deepEqual(keysOf(all), keys('again', 0, 10));
      await cursor.close();

      cursor = await store.openCursor('again', { start: 'now' });
      assert.deepEqual(await readChanges(cursor, 10, 10), all);
      await cursor.acknowledge(all[4]?.sequence ?? 0);
      await cursor.acknowledge(all[2]?.sequence ?? 0); // was acknowledged before
      await assert.rejects(cursor.acknowledge((all[9]?.sequence ?? 0) + 1), RangeError);
      await cursor.close();
      await assert.rejects(cursor.acknowledge(all[9]?.sequence ?? 0), storeError('Closed'));
      await assert.rejects(cursor.read({ limit: 1 }), storeError('Closed'));

      cursor = await store.openCursor('again', { start: 'oldest' });
      const rest = await readChanges(cursor, 5);
      assert.deepEqual(rest, all.slice(5));
      await Promise.all(rest.map(({ sequence }) => cursor.acknowledge(sequence)));
      await cursor.close();

      cursor = await store.openCursor('again', { start: 'oldest' });
      await put(store, 'again/after', 'x');
      assert.deepEqual(keysOf(await readChanges(cursor, 1)), ['again/after']);
      await cursor.remove();
    });

    it('says how far a consumer is behind, open or not', async () => {
      const cursor = await store.openCursor('lag', { start: 'now' });
      assert.deepEqual(cursor.lag(), { changes: 0, bytes: 0 });
      nowMs += 5000;
      const oldestAtMs = nowMs;
      await put(store, 'lag/0', 'x'.repeat(5000));
      nowMs += 5000;
      await put(store, 'lag/1', 'x');
      await put(store, 'lag/2', 'x');
      const { bytes, ...lag } = cursor.lag();
      assert.deepEqual(lag, { changes: 3, oldestAtMs });
      assert.ok(bytes > 100, `${bytes} bytes`);
      const [change] = await readChanges(cursor, 3);
      assert.equal(cursor.lag().changes, 3);
      await cursor.acknowledge(change?.sequence ?? 0);
      assert.deepEqual({ ...cursor.lag(), bytes: 0 }, { changes: 2, bytes: 0, oldestAtMs: nowMs });
      assert.ok(cursor.lag().bytes < bytes);
      const shown = store.listCursors().find((one) => one.name === 'lag');
      assert.deepEqual(shown, { name: 'lag', open: true, acknowledged: change?.sequence, ...cursor.lag() });
      assert.deepEqual(store.health().cursors, store.listCursors());
      await cursor.close();
      assert.deepEqual(store.listCursors(), [{ ...shown, open: false }]);
      const again = await store.openCursor('lag', { start: 'now' });
      const rest = await readChanges(again, 2);
      await again.acknowledge(rest[1]?.sequence ?? 0);
      assert.deepEqual(again.lag(), { changes: 0, bytes: 0 });
      await again.remove();
      assert.deepEqual(store.listCursors(), []);
    });

    it('refuses what it cannot do, and says why', async () => {
      for (const wrong of ['', ' ', '-a', 'ä', 'a'.repeat(201)]) {
        await assert.rejects(store.openCursor(wrong, { start: 'now' }), /no name of a cursor/, wrong);
      }
      const opening = store.openCursor('events/one:1', { start: 'now' });
      await assert.rejects(store.openCursor('events/one:1', { start: 'now' }), storeError('CursorInUse'));
      const cursor = await opening;
      await assert.rejects(store.openCursor('events/one:1', { start: 'now' }), storeError('CursorInUse'));
      for (const limit of [0, 1001, 1.5]) await assert.rejects(cursor.read({ limit }), /1 to 1000/);
      await cursor.close();
      await cursor.close();
      await cursor.remove();
      await assert.rejects(cursor.remove(), storeError('NoSuchCursor'));
      const many = await Promise.all(
        Array.from({ length: 256 }, (_, index) => store.openCursor(`many/${index}`, { start: 'now' })),
      );
      await assert.rejects(store.openCursor('one-too-many', { start: 'now' }), storeError('TooManyCursors'));
      await Promise.all(many.map((one) => one.remove()));
      await (await store.openCursor('one-too-many', { start: 'now' })).remove();
    });

    it('forgets a cursor that is removed: one of its name is a new one', async () => {
      const cursor = await store.openCursor('removed', { start: 'now' });
      await put(store, 'removed/0', 'x');
      await cursor.remove();
      const again = await store.openCursor('removed', { start: 'now' });
      await put(store, 'removed/1', 'x');
      assert.deepEqual(keysOf(await readChanges(again, 1)), ['removed/1']);
      await again.remove();
    });

    it('lets several consumers follow, each at its own pace', async () => {
      const cursors = await Promise.all(['a', 'b'].map((one) => store.openCursor(one, { start: 'now' })));
      const [quick, slow] = cursors;
      assert.ok(quick !== undefined && slow !== undefined);
      for (let index = 0; index < 6; index += 1) await put(store, `pace/${index}`, 'x');
      const changes = await readChanges(quick, 6);
      await quick.acknowledge(changes[5]?.sequence ?? 0);
      assert.deepEqual(await readChanges(slow, 6, 1), changes);
      assert.deepEqual([quick.lag().changes, slow.lag().changes], [0, 6]);
      await Promise.all(cursors.map((cursor) => cursor.remove()));
    });

    it('misses nothing and repeats nothing while many write, and keeps the order of each key', async () => {
      const cursor = await store.openCursor('load', { start: 'now' });
      const writers = 16;
      const writes = 40;
      const writing = Promise.all(
        Array.from({ length: writers }, async (_, writer) => {
          for (let count = 0; count < writes; count += 1) {
            await put(store, `load/${writer}`, `${count}`, { attributes: { userMetadata: { count: `${count}` } } });
          }
        }),
      );
      const changes: Change[] = [];
      while (changes.length < writers * writes) {
        const page = await cursor.read({ limit: 37, signal: AbortSignal.timeout(patienceMs) });
        changes.push(...page);
        if (changes.length % 3 === 0) await cursor.acknowledge(page.at(-1)?.sequence ?? 0);
      }
      await writing;
      assertRising(changes);
      for (let writer = 0; writer < writers; writer += 1) {
        const counts = changes.flatMap((change) =>
          change.type === 'objectCreated' && change.key === `load/${writer}` ? [change.version.userMetadata.count] : [],
        );
        assert.deepEqual(
          counts,
          Array.from({ length: writes }, (_, count) => String(count)),
        );
      }
      await cursor.remove();
    });

    it('has what is told be visible', async () => {
      const cursor = await store.openCursor('visible', { start: 'now' });
      const writing = Promise.all(Array.from({ length: 50 }, (_, index) => put(store, `visible/${index}`, 'x')));
      for (let seen = 0; seen < 50; ) {
        const page = await cursor.read({ limit: 5, signal: AbortSignal.timeout(patienceMs) });
        const listed = listKeys(store);
        for (const key of keysOf(page)) assert.ok(listed.includes(key), key);
        seen += page.length;
      }
      await writing;
      await cursor.remove();
    });
  });

  describe(`${name}: cursors at closing`, () => {
    it('ends the waiting with the store', async () => {
      const { store, close } = await open(Date.now);
      const cursor = await store.openCursor('waits', { start: 'now' });
      const waiting = assert.rejects(cursor.read({ limit: 1 }), storeError('Closed'));
      await store.close();
      await waiting;
      await assert.rejects(store.openCursor('late', { start: 'now' }), storeError('Closed'));
      await cursor.close();
      await close();
    });
  });
}

/** So many changes, by pages of `limit`. */
export async function readChanges(cursor: ChangeCursor, count: number, limit = 1000): Promise<Change[]> {
  const changes: Change[] = [];
  while (changes.length < count) {
    changes.push(...(await cursor.read({ limit, signal: AbortSignal.timeout(patienceMs) })));
  }
  assert.equal(changes.length, count);
  return changes;
}

export function keysOf(changes: readonly Change[]): string[] {
  return changes.map((change) => ('key' in change ? change.key : change.type));
}

function keys(prefix: string, from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `${prefix}/${from + index}`);
}

function assertRising(changes: readonly Change[]): void {
  for (const [index, change] of changes.entries()) {
    assert.ok(index === 0 || change.sequence > (changes[index - 1]?.sequence ?? 0), `change ${index}`);
  }
}

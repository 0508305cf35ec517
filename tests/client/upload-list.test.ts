// Many uploads as one list, against a server that speaks the contract.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, it } from 'node:test';
import {
  createClient,
  createUploadList,
  type FileHandle,
  type ResumableUpload,
  type UploadList,
} from '@stowage/client';
import { pause } from './fake-bucket.ts';
import { type FakeService, startFakeService } from './fake-service.ts';

const kib = 1024;
const mib = 1024 * kib;

describe('an upload list', () => {
  let service: FakeService;
  let list: UploadList;

  beforeEach(async () => {
    service = await startFakeService();
    list = createUploadList(createClient({ baseUrl: service.origin, random: () => 0.1 }), { maxRunning: 2 });
  });
  afterEach(() => service.close());

  function file(name: string, sizeBytes = 100 * kib, lastModified = 1000): File {
    return new File([randomBytes(sizeBytes)], name, { lastModified });
  }

  function states(): string {
    return list
      .getSnapshot()
      .items.map(({ state }) => state)
      .join();
  }

  async function until(condition: () => boolean): Promise<void> {
    for (const endMs = Date.now() + 5000; !condition(); ) {
      assert.ok(Date.now() < endMs, `waited too long: ${states()}`);
      await pause(5);
    }
  }

  function keyOf(name: string): string {
    return list.getSnapshot().items.find((item) => item.name === name)?.key ?? '';
  }

  it('runs a few at a time, in the order they came, and sums them up', async () => {
    let most = 0;
    list.subscribe(() => {
      const running = list.getSnapshot().items.filter(({ state }) => state === 'starting' || state === 'sending');
      most = Math.max(most, running.length);
    });
    const heard: string[] = [];
    list.onEvent(({ kind, item }) => heard.push(`${item.name} ${kind}`));
    list.add(['a', 'b', 'c', 'd', 'e'].map((name) => ({ file: file(name), folder: ['x'] })));
    assert.equal(states(), 'starting,starting,queued,queued,queued');
    await until(() => list.getSnapshot().totals.ready === 5);
    assert.equal(most, 2);
    const { totals } = list.getSnapshot();
    assert.deepEqual([totals.sentBytes, totals.totalBytes, totals.active], [500 * kib, 500 * kib, 0]);
    assert.equal(heard.filter((event) => event.endsWith(' ready')).length, 5);
    assert.equal(heard.filter((event) => event.endsWith(' stored')).length, 5);
    list.clearFinished();
    assert.deepEqual(list.getSnapshot().items, []);
  });

  it('keeps a snapshot until something changes', () => {
    const before = list.getSnapshot();
    assert.equal(list.getSnapshot(), before);
    list.add([{ file: file('a') }]);
    assert.notEqual(list.getSnapshot(), before);
    list.pauseAll();
  });

  it('lets the next one start when one is paused, cancelled or fails', async () => {
    service.bucket.bytesPerSecond = 200 * kib;
    list.add(['a', 'b', 'c', 'd'].map((name) => ({ file: file(name) })));
    list.pause(keyOf('a'));
    assert.equal(states(), 'paused,starting,starting,queued');
    list.cancel(keyOf('b'));
    assert.equal(states(), 'paused,starting,starting');
    service.bucket.bytesPerSecond = undefined;
    list.resume(keyOf('a'));
    await until(() => list.getSnapshot().totals.ready === 3);
  });

  it('pauses all, and resumes them in turn', async () => {
    list.add(['a', 'b', 'c', 'd'].map((name) => ({ file: file(name) })));
    list.pauseAll();
    assert.equal(states(), 'paused,paused,paused,paused');
    assert.equal(list.getSnapshot().totals.paused, 4);
    list.resumeAll();
    assert.equal(states(), 'starting,starting,queued,queued');
    await until(() => list.getSnapshot().totals.ready === 4);
  });

  it('tries a failed one again, and gives it up at the service when it is taken out', async () => {
    service.bucket.fault = () => ({ status: 400, code: 'InvalidRequest' });
    list.add([{ file: file('a') }, { file: file('b') }]);
    await until(() => list.getSnapshot().totals.failed === 2);
    service.bucket.fault = () => undefined;
    list.resume(keyOf('a'));
    await until(() => list.getSnapshot().totals.ready === 1);
    list.remove(keyOf('b'));
    await until(() => [...service.rows.values()].some(({ upload }) => upload.state === 'aborted'));
    assert.equal(states(), 'ready');
  });

  it('does not offer its own, stopped before the announcement was answered', async () => {
    const own = file('a', 600 * kib);
    // The service knows of the upload, but cuts the connection before it says so.
    service.answerFault = (route) => (route === 'createUpload' ? 0 : undefined);
    list.add([{ file: own }]);
    await until(() => service.rows.size === 1);
    list.pauseAll();
    await list.findResumable();
    assert.deepEqual(list.getSnapshot().resumable, []);

    service.answerFault = () => undefined;
    list.resumeAll();
    await until(() => list.getSnapshot().totals.ready === 1);
    assert.equal(service.rows.size, 1, 'none was begun anew');
  });

  it('takes up uploads of an earlier page when their files come again, by choice or by drop', async () => {
    service.bucket.fault = () => ({ status: 500 });
    const [first, second] = [file('a', 600 * kib), file('b', 600 * kib)];
    list.add([{ file: first, folder: ['deep'] }, { file: second }]);
    await until(() => service.rows.size === 2);
    list.pauseAll();
    await list.findResumable();
    assert.deepEqual(list.getSnapshot().resumable, [], 'its own are not offered');

    service.bucket.fault = () => undefined;
    const later = createUploadList(createClient({ baseUrl: service.origin }));
    await later.findResumable();
    assert.equal(later.getSnapshot().resumable.length, 2);
    const misfits = later.resumeWith([{ file: file('other', 5) }]);
    assert.equal(misfits[0]?.error.code, 'wrong-file');
    assert.deepEqual(later.resumeWith([{ file: first }]), []);
    later.add([{ file: second }]);
    assert.deepEqual(later.getSnapshot().resumable, []);
    for (const endMs = Date.now() + 5000; later.getSnapshot().totals.ready < 2; ) {
      assert.ok(Date.now() < endMs, 'waited too long');
      await pause(5);
    }
    assert.equal(service.rows.size, 2, 'none was begun anew');
    assert.deepEqual(later.getSnapshot().items[0]?.folder, ['deep']);
  });

  it('says of each unfinished upload why its file could not be had again', async () => {
    service.bucket.fault = () => ({ status: 500 });
    const earlier = createUploadList(createClient({ baseUrl: service.origin }), { maxRunning: 4 });
    for (const name of ['denied', 'gone', 'changed', 'unknown']) earlier.add([{ file: file(name, 600 * kib) }]);
    await until(() => service.rows.size === 4);
    earlier.pauseAll();
    const handleOf = (getFile: () => Promise<File>, permission: PermissionState = 'granted'): FileHandle => ({
      kind: 'file',
      getFile,
      queryPermission: async () => permission,
    });
    const gone = async (): Promise<File> => Promise.reject(new DOMException('It is gone.', 'NotFoundError'));
    const handles: Readonly<Record<string, FileHandle>> = {
      denied: handleOf(gone, 'denied'),
      gone: handleOf(gone),
      changed: handleOf(async () => file('changed', 5)),
    };
    // What a browser would remember; there is none here.
    const client = createClient({ baseUrl: service.origin });
    const resumable = async (): Promise<readonly ResumableUpload[]> => {
      const found = await client.resumable();
      return found.map(({ upload }) => {
        const handle = handles[upload.name];
        return { upload, remembered: handle === undefined ? undefined : { uploadId: upload.id, handle } };
      });
    };
    const later = createUploadList({ ...client, resumable });
    await later.findResumable();
    const missed = await later.resumeRemembered({ ask: false });
    assert.deepEqual(Object.fromEntries(missed.map(({ upload, reason }) => [upload.name, reason])), {
      denied: 'not-allowed',
      gone: 'not-found',
      changed: 'changed',
      unknown: 'not-remembered',
    });
    assert.equal(later.getSnapshot().resumable.length, 4, 'they are offered still');
  });

  it('counts no speed for what waits for the connection', async () => {
    service.bucket.bytesPerSecond = mib;
    list.add([{ file: file('a', 4 * mib) }]);
    await until(() => (list.getSnapshot().totals.bytesPerSecond ?? 0) > 0);
    service.bucket.fault = () => ({ status: 500 });
    await until(() => list.getSnapshot().items[0]?.trouble !== undefined);
    assert.equal(list.getSnapshot().totals.bytesPerSecond, undefined);
    list.cancelAll();
    await until(() => [...service.rows.values()].every(({ upload }) => upload.state === 'aborted'));
  });
});

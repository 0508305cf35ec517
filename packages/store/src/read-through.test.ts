import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createBucket, patternBytes, put } from './contract/store-under-test.ts';
import { nodeDisk } from './disk/node-disk.ts';
import { openDiskStore } from './disk-store.ts';
import { withDataFolder } from './testing/data-folder.ts';
import { faultyDisk } from './testing/faulty-disk.ts';
import { until } from './testing/until.ts';

const mib = 1024 * 1024;

it('reads a blob through once when ranges of it are asked here and there, and not when it is read in order', () =>
  withDataFolder(async (directory) => {
    let pieces = 0;
    const disk = faultyDisk(nodeDisk, ({ kind, path, sizeBytes }) => {
      if (kind === 'read' && path.includes('blobs') && sizeBytes === mib) pieces += 1;
      return undefined;
    });
    const store = await openDiskStore({ directory, disk, durability: { level: 'memory' } });
    await createBucket(store);
    const body = patternBytes(6 * mib);
    await put(store, 'large', body);
    const read = async (start: number, end: number): Promise<Buffer> => {
      const open = store.openObject({ bucket: 'bucket', key: 'large' });
      assert.ok(open);
      try {
        return Buffer.from(await open.bytes({ start, end: end - 1 }));
      } finally {
        open.close();
      }
    };
    for (let at = 0; at < body.length; at += 512 * 1024) await read(at, at + 512 * 1024);
    assert.equal(pieces, 0);
    for (const at of [5, 1, 4, 2, 3, 5, 1, 4]) {
      const start = at * mib + 1000;
      assert.deepEqual(await read(start, start + 65_536), body.subarray(start, start + 65_536));
    }
    await until(() => pieces >= 6, 'it is read through');
    await read(4 * mib, 4 * mib + 65_536);
    await store.close();
    assert.equal(pieces, 6);
  }));

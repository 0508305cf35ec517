// A real file system of 64 MiB that an engine fills up, over HTTP: puts are refused with 507, deletes and reads work, and puts
// are taken again when there is room. Mounting one needs root; where that is not permitted, this is skipped, loudly.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ServerProcess, startServer } from '../../../scripts/serving/start-server.ts';
import { HttpBucket } from '../http-bucket.ts';
import { bytesOf } from '../power-loss/contents.ts';
import { type Mount, mount, mountTmpfs, withSmallDisk } from './small-file-system.ts';

const sizeMebibytes = 64;
const largeBytes = 500_000 * 4;
const smallBytes = 60_000;
/** Room comes back in the background: deleted bodies are removed, the journal is compacted. */
const roomTimeoutMs = 30_000;

const fileSystems: Readonly<Record<string, Mount>> = {
  tmpfs: mountTmpfs(sizeMebibytes),
  'ext4 in a file': async (root, folder) => {
    const image = join(root, 'image');
    await writeFile(image, Buffer.alloc(sizeMebibytes * 1024 * 1024));
    try {
      execFileSync('mkfs.ext4', ['-q', '-m', '0', image], { stdio: 'ignore' });
    } catch {
      return false; // the program is not there
    }
    return mount('-o', 'loop', image, folder);
  },
};

async function open(directory: string): Promise<{ server: ServerProcess; bucket: HttpBucket }> {
  const server = await startServer({ args: ['engine', '--port', '0', '--data', directory] });
  const { endpoint, credentials } = server;
  return { server, bucket: new HttpBucket({ endpoint, credentials, name: 'bucket' }) };
}

function contentOf(key: string): Buffer {
  const number = Number(key.split('/')[1]);
  if (key.startsWith('small')) return bytesOf([{ number, sizeBytes: smallBytes }]);
  return Buffer.concat(
    [0, 1, 2, 3].map((part) => bytesOf([{ number: 1000 + number * 4 + part, sizeBytes: largeBytes / 4 }])),
  );
}

/** Puts until one is refused for lack of room; answers the keys that were taken. */
async function fillUp(bucket: HttpBucket, kind: 'large' | 'small'): Promise<string[]> {
  const kept: string[] = [];
  for (let count = 0; ; count += 1) {
    const key = `${kind}/${count}`;
    const answer = await bucket.put(key, contentOf(key));
    if (answer.status !== 200) {
      assert.equal(answer.status, 507, answer.code);
      assert.equal(answer.code, 'InsufficientStorage');
      return kept;
    }
    kept.push(key);
  }
}

async function requireAll(bucket: HttpBucket, keys: readonly string[]): Promise<void> {
  assert.deepEqual((await bucket.keys()).sort(), keys.toSorted());
  for (const key of keys) {
    const answer = await bucket.get(key);
    assert.equal(answer.status, 200, key);
    assert.ok(answer.body.equals(contentOf(key)), key);
  }
}

async function untilTaken(bucket: HttpBucket, key: string): Promise<void> {
  const endMs = performance.now() + roomTimeoutMs;
  for (;;) {
    const { status, code } = await bucket.put(key, contentOf(key));
    if (status === 200) return;
    assert.equal(code, 'InsufficientStorage');
    assert.ok(performance.now() < endMs, `there is room, and ${key} is refused all the same`);
    await sleep(250);
  }
}

describe('an engine on a small disk', () => {
  for (const [name, mountAt] of Object.entries(fileSystems)) {
    it(`refuses puts when ${name} is full, and loses nothing`, async (context) => {
      await withSmallDisk(context, mountAt, async (directory) => {
        let { server, bucket } = await open(directory);
        try {
          assert.equal((await bucket.create()).status, 200);
          const kept = [...(await fillUp(bucket, 'large')), ...(await fillUp(bucket, 'small'))];
          await requireAll(bucket, kept);
          // Killed while it is full: it opens again, with all that was acknowledged.
          server.child.kill('SIGKILL');
          await server.ended;
          ({ server, bucket } = await open(directory));
          await requireAll(bucket, kept);
          const staying = kept.filter((key) => key.endsWith('/0'));
          for (const key of kept) if (!staying.includes(key)) assert.equal((await bucket.delete(key)).status, 204, key);
          await requireAll(bucket, staying);
          const again = ['large/1', 'small/1', 'large/2', 'small/2'];
          for (const key of again) await untilTaken(bucket, key);
          await requireAll(bucket, [...staying, ...again]);
          await server.stop();
          ({ server, bucket } = await open(directory));
          await requireAll(bucket, [...staying, ...again]);
        } finally {
          await server.stop();
        }
      });
    });
  }
});

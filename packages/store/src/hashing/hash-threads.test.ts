import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { digestOf } from '@stowage/s3';
import { blockChecksums } from '../blobs/block-checksums.ts';
import { PiecePool, pieceSizeBytes } from '../blobs/piece-pool.ts';
import { patternBytes } from '../contract/store-under-test.ts';
import { until } from '../testing/until.ts';
import type { BodySums } from './body-hashes.ts';
import { type BodyHasher, HashThreads } from './hash-threads.ts';

const algorithms = ['MD5', 'CRC32', 'CRC64NVME', 'SHA256'] as const;

/** Sends a body through pieces of the pool, each filled to a length of its own. */
async function hashBody(pool: PiecePool, hasher: BodyHasher, body: Buffer, step: number): Promise<BodySums> {
  for (let at = 0; at < body.length; at += step) {
    const piece = await pool.wait();
    const bytes = body.subarray(at, at + step);
    piece.bytes.set(bytes);
    hasher.update(piece, bytes.length, () => pool.giveBack(piece));
  }
  return hasher.finish();
}

function assertSums(sums: BodySums, body: Buffer): void {
  for (const algorithm of algorithms) {
    assert.deepEqual(
      Buffer.from(sums.digests.get(algorithm) ?? []),
      Buffer.from(digestOf(algorithm, body)),
      `${algorithm} of ${body.length} bytes`,
    );
  }
  assert.deepEqual(Buffer.from(sums.checksums), blockChecksums(body));
}

describe('hashing threads', () => {
  const pool = new PiecePool(4 * pieceSizeBytes);
  const errors: unknown[] = [];
  const threads = new HashThreads({
    maxThreads: 2,
    memory: () => pool.memory,
    onError: (cause) => errors.push(cause),
  });
  const isLocal = (hasher: BodyHasher): boolean => hasher.constructor.name === 'LocalHasher';

  /** A body that goes to a thread: the first ones do not, until one is ready. */
  const beginThere = async (there = threads): Promise<BodyHasher> => {
    let hasher = there.begin(algorithms);
    await until(() => {
      if (!isLocal(hasher)) return true;
      hasher.discard();
      hasher = there.begin(algorithms);
      return false;
    }, 'a thread is ready');
    return hasher;
  };

  before(async () => {
    const first = threads.begin(algorithms);
    assert.ok(isLocal(first), 'nobody waits for a thread to start');
    const body = patternBytes(100_000);
    assertSums(await hashBody(pool, first, body, pieceSizeBytes), body);
  });
  after(() => threads.close());

  it('computes what the main thread does, of bodies of any size cut anywhere', async () => {
    for (const [sizeBytes, step] of [
      [0, 1],
      [1, 1],
      [32_768, 1000],
      [100_001, 32_769],
      [1_500_000, pieceSizeBytes],
    ] as const) {
      const body = patternBytes(sizeBytes, sizeBytes);
      assertSums(await hashBody(pool, await beginThere(), body, step), body);
    }
  });

  it('keeps many bodies apart', async () => {
    await beginThere().then((hasher) => hasher.discard());
    await Promise.all(
      Array.from({ length: 12 }, async (_, index) => {
        const body = patternBytes(300_000 + index, index);
        assertSums(await hashBody(pool, await beginThere(), body, 70_000 + index), body);
      }),
    );
  });

  it('gives the pieces of a discarded body back', async () => {
    const hasher = await beginThere();
    let lent = 0;
    for (let count = 0; count < 3; count += 1) {
      const piece = await pool.wait();
      lent += 1;
      hasher.update(piece, pieceSizeBytes, () => {
        pool.giveBack(piece);
        lent -= 1;
      });
    }
    hasher.discard();
    await until(() => lent === 0, 'the pieces are back');
  });

  it('hashes here when it needs no digest, or no thread is wanted', () => {
    assert.ok(isLocal(threads.begin([])));
    const none = new HashThreads({ maxThreads: 0, memory: () => pool.memory, onError: (cause) => errors.push(cause) });
    assert.ok(isLocal(none.begin(['MD5'])));
    assert.deepEqual(errors, []);
  });

  it('lets the bodies of a thread that ends fail, with their pieces given back', async () => {
    const dying = new HashThreads({ maxThreads: 1, memory: () => pool.memory, onError: (cause) => errors.push(cause) });
    const hasher = await beginThere(dying);
    const piece = await pool.wait();
    let isBack = false;
    hasher.update(piece, pieceSizeBytes, () => {
      pool.giveBack(piece);
      isBack = true;
    });
    const closed = dying.close();
    const unfinished = dying.begin(['MD5']);
    await assert.rejects(unfinished.finish(), /hashing thread ended with 0/, 'by itself: one ended by force says 1');
    await closed;
    assert.ok(isBack);
    assert.ok(isLocal(dying.begin(['MD5'])), 'and no new one is started after closing');
  });

  it('may be closed at any moment of a thread’s start', async () => {
    // To end a thread by force while it loads its modules may end the whole process.
    for (let delayMs = 0; delayMs < 200; delayMs += 25) {
      const starting = new HashThreads({
        maxThreads: 1,
        memory: () => pool.memory,
        onError: (cause) => errors.push(cause),
      });
      assert.ok(isLocal(starting.begin(['MD5'])));
      await delay(delayMs);
      await starting.close();
    }
    assert.deepEqual(errors, []);
  });
});

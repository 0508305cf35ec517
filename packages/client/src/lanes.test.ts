import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLanes } from './lanes.ts';

const signal = new AbortController().signal;

/** Runs a minute against a link whose throughput depends on how many requests share it. */
async function settle(bytesPerMs: (lanes: number) => number): Promise<number[]> {
  let nowMs = 0;
  const lanes = createLanes({ min: 2, max: 6, now: () => nowMs });
  const limits: number[] = [];
  // More are always waiting.
  for (let index = 0; index < 50; index += 1) void lanes.acquire(signal);
  for (; nowMs < 60_000; nowMs += 100) {
    lanes.sent(bytesPerMs(lanes.limit) * 100);
    limits.push(lanes.limit);
  }
  return limits.slice(limits.length / 2);
}

describe('lanes', () => {
  it('climb to the most allowed while each brings more', async () => {
    const limits = await settle((lanes) => lanes * 100);
    assert.ok(limits.filter((limit) => limit >= 5).length > limits.length * 0.6, limits.join());
  });

  it('stay few when more bring nothing, and within bounds always', async () => {
    const limits = await settle(() => 500);
    assert.ok(Math.max(...limits) <= 6 && Math.min(...limits) >= 2);
    const average = limits.reduce((sum, limit) => sum + limit, 0) / limits.length;
    assert.ok(average < 4, String(average));
  });

  it('are given first come, first served, and given back', async () => {
    const lanes = createLanes({ min: 1, max: 1, now: () => 0 });
    const order: number[] = [];
    const release = await lanes.acquire(signal);
    const second = lanes.acquire(signal).then((free) => {
      order.push(2);
      free();
    });
    const third = lanes.acquire(signal).then((free) => {
      order.push(3);
      free();
    });
    release();
    // Giving back twice frees nothing twice.
    release();
    await Promise.all([second, third]);
    assert.deepEqual(order, [2, 3]);
  });

  it('are not held by those who stopped waiting', async () => {
    const lanes = createLanes({ min: 1, max: 1, now: () => 0 });
    const release = await lanes.acquire(signal);
    const gone = new AbortController();
    const waiting = lanes.acquire(gone.signal);
    gone.abort(new Error('gone'));
    await assert.rejects(waiting, /gone/);
    release();
    (await lanes.acquire(signal))();
  });

  it('halve on a fault', async () => {
    let nowMs = 0;
    const lanes = createLanes({ min: 2, max: 6, now: () => nowMs });
    for (let index = 0; index < 50; index += 1) void lanes.acquire(signal);
    for (; lanes.limit < 6; nowMs += 100) lanes.sent(lanes.limit * lanes.limit * 1000);
    lanes.fault();
    assert.equal(lanes.limit, 3);
    lanes.fault();
    assert.equal(lanes.limit, 2);
  });
});

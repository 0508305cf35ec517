import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { openLane } from './lane.ts';

/** A lane over a list of numbers; each runs until it is let go. */
function openCounting(atOnce: number, due: number[]) {
  const gates = new Map<number, PromiseWithResolvers<void>>();
  const errors: unknown[] = [];
  const given: number[] = [];
  let takes: Promise<void> = Promise.resolve();
  const lane = openLane<number>({
    atOnce,
    take: async (limit) => {
      await takes;
      return due.splice(0, limit);
    },
    run: (item) => {
      const gate = Promise.withResolvers<void>();
      gates.set(item, gate);
      return gate.promise;
    },
    giveBack: async (items) => void given.push(...items),
    onChange: () => undefined,
    onError: (error) => errors.push(error),
  });
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 5; turn++) await nextTurn();
  };
  return {
    lane,
    errors,
    given,
    settle,
    letGo: async (item: number, error?: Error) => {
      if (error === undefined) gates.get(item)?.resolve();
      else gates.get(item)?.reject(error);
      await settle();
    },
    holdTakes: (until: Promise<void>) => {
      takes = until;
    },
  };
}

test('a place that is free takes the next at once, whatever the others do', async () => {
  const { lane, settle, letGo } = openCounting(2, [1, 2, 3, 4]);
  lane.wake();
  await settle();
  assert.deepEqual(lane.running(), [1, 2]);
  await letGo(2);
  await letGo(3);
  assert.deepEqual(lane.running(), [1, 4], 'the first is slow, and holds up nobody');
  assert.equal(lane.isIdle(), false);
  await letGo(4);
  await letGo(1);
  assert.equal(lane.isIdle(), true);
  assert.equal(lane.takenCount(), 4);
});

test('one that fails is told, and its place goes on', async () => {
  const { lane, errors, settle, letGo } = openCounting(1, [1, 2]);
  lane.wake();
  await settle();
  await letGo(1, new Error('It broke.'));
  assert.equal(errors.length, 1);
  assert.deepEqual(lane.running(), [2]);
  await letGo(2);
});

test('closing waits for what runs, also beside one that failed, and gives back what was only taken', async () => {
  const due = [1, 2];
  const { lane, given, settle, letGo, holdTakes } = openCounting(3, due);
  lane.wake();
  await settle();
  const gate = Promise.withResolvers<void>();
  holdTakes(gate.promise);
  due.push(3);
  lane.wake();
  let closed = false;
  const closing = lane.close().then(() => {
    closed = true;
  });
  await letGo(1, new Error('It broke.'));
  assert.equal(closed, false, 'another runs yet');
  gate.resolve();
  await settle();
  assert.deepEqual(given, [3]);
  assert.equal(closed, false);
  await letGo(2);
  await closing;
  assert.deepEqual(lane.running(), []);
});

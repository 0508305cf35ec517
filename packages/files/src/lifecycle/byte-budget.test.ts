import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as soon } from 'node:timers/promises';
import { type ByteBudget, openByteBudget } from './byte-budget.ts';

/** Work that goes on until it is told to end. */
function begin(budget: ByteBudget, sizeBytes: number): { readonly running: () => boolean; end(): Promise<void> } {
  const told = Promise.withResolvers<void>();
  let running = false;
  const held = budget.hold(sizeBytes, async () => {
    running = true;
    await told.promise;
    running = false;
  });
  return {
    running: () => running,
    end: async () => {
      told.resolve();
      await held;
      await soon();
    },
  };
}

test('no more bytes are held at once than there are, and who came first begins first', async () => {
  const budget = openByteBudget(100);
  const works = [60, 40, 100, 1].map((sizeBytes) => begin(budget, sizeBytes));
  const [sixty, forty, all, one] = works;
  assert.ok(sixty && forty && all && one);
  const running = (): readonly boolean[] => works.map((work) => work.running());
  await soon();
  assert.deepEqual(running(), [true, true, false, false]);
  await forty.end();
  assert.deepEqual(running(), [true, false, false, false], 'a small one does not pass a large one');
  await sixty.end();
  assert.deepEqual(running(), [false, false, true, false]);
  await all.end();
  assert.deepEqual(running(), [false, false, false, true]);
  await one.end();
});

test('what is larger than all there is works alone, and what fails gives back what it held', async () => {
  const budget = openByteBudget(100);
  const large = begin(budget, 1_000);
  const next = begin(budget, 1);
  await soon();
  assert.deepEqual([large.running(), next.running()], [true, false]);
  await large.end();
  assert.ok(next.running());
  await next.end();
  await assert.rejects(
    budget.hold(100, () => Promise.reject(new Error('broken'))),
    /broken/,
  );
  assert.equal(await budget.hold(100, () => Promise.resolve('held')), 'held');
});

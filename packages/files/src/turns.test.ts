import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFilesError } from './files-error.ts';
import { openTurns } from './turns.ts';

test('a long queue holds up no other, and there are never more turns than were given', async () => {
  const first = openTurns({ atOnce: 2, maxWaiting: 3 });
  const second = first.queue();
  const order: string[] = [];
  let running = 0;
  const work = async (turns: typeof first, name: string): Promise<void> => {
    const release = await turns.take();
    running += 1;
    assert.ok(running <= 2);
    order.push(name);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    release();
  };
  const begun = ['a', 'b', 'c', 'd', 'e'].map((name) => work(first, name));
  const refused = work(first, 'f').catch((error: unknown) => error);
  begun.push(work(second, 'x'), work(second, 'y'));
  const refusal = await refused;
  assert.ok(isFilesError(refusal) && refusal.code === 'too-many-requests');
  await Promise.all(begun);
  assert.deepEqual(order, ['a', 'b', 'x', 'c', 'y', 'd', 'e']);
  assert.ok(await first.take(), 'all turns were given back');
  assert.ok(await second.take());
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStateWatch } from './state-watch.ts';

test('a change wakes those who wait for that file, and nobody else', async () => {
  const watch = openStateWatch({ maxWaiting: 10 });
  let other = false;
  const waits = [watch.wait('a', 10_000), watch.wait('a', 10_000)];
  const third = watch.wait('b', 10_000).then(() => {
    other = true;
  });
  watch.changed('a');
  assert.deepEqual(await Promise.all(waits), [true, true]);
  assert.equal(other, false);
  watch.close();
  await third;
  assert.equal(await watch.wait('a', 10_000), false, 'a closed watch lets nobody wait');
});

test('a wait ends by time, by its signal, and at once when too many wait', async () => {
  const watch = openStateWatch({ maxWaiting: 1 });
  assert.equal(await watch.wait('a', 5), true);
  const stop = new AbortController();
  const waiting = watch.wait('a', 10_000, stop.signal);
  assert.equal(await watch.wait('b', 10_000), false);
  stop.abort();
  assert.equal(await waiting, true);
  assert.equal(await watch.wait('a', 10_000, stop.signal), false);
});

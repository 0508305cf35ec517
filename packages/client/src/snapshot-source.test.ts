// What a listener throws is the application's error, not the end of what it listens to.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { it } from 'node:test';
import { createSnapshotSource } from './snapshot-source.ts';

it('a listener is given the snapshot', () => {
  let count = 0;
  const source = createSnapshotSource(() => ({ count }));
  const heard: number[] = [];
  const stop = source.subscribe((now) => heard.push(now.count));
  for (count of [1, 2]) source.publish();
  stop();
  source.publish();
  assert.deepEqual(heard, [1, 2]);
});

it('a listener that throws is reported as an uncaught error, and the others are told all the same', () => {
  // A process of its own: an uncaught error would be taken for a failure of this test.
  const program = `
    import { createSnapshotSource } from ${JSON.stringify(new URL('./snapshot-source.ts', import.meta.url))};
    process.on('uncaughtException', (error) => console.log('uncaught', error.message));
    const source = createSnapshotSource(() => 'now');
    source.subscribe(() => { throw new Error('mine'); });
    source.subscribe((now) => console.log('told', now));
    source.publish();
    globalThis.reportError = (error) => console.log('reported', error.message);
    source.publish();`;
  const ran = spawnSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' });
  assert.equal(ran.stderr, '');
  assert.equal(ran.stdout, 'told now\nreported mine\ntold now\nuncaught mine\n');
});

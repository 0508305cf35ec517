import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ReaderEpochs } from './reader-epochs.ts';

describe('reader epochs', () => {
  it('drain when the readers of before have left, not those of after', async () => {
    const readers = new ReaderEpochs();
    await readers.drain();
    const first = readers.enter();
    const second = readers.enter();
    const done: string[] = [];
    const drained = readers.drain().then(() => done.push('first'));
    const later = readers.enter();
    const drainedLater = readers.drain().then(() => done.push('second'));
    first.leave();
    later.leave();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(done, [], 'the second reader is still there');
    assert.ok(readers.waitedMs > 0);
    second.leave();
    await Promise.all([drained, drainedLater]);
    assert.deepEqual(done, ['first', 'second']);
    assert.equal(readers.waitedMs, 0);
  });
});

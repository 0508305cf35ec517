import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RowCache } from './row-cache.ts';

describe('row cache', () => {
  it('never holds anything but what the index holds', () => {
    const name = fc.integer({ min: 0, max: 200 }).map(String);
    const read = fc.record({ read: name });
    const change = fc.tuple(name, fc.option(fc.integer({ min: 1, max: 200_000 }), { nil: undefined }));
    const applied = fc.record({ apply: fc.array(change, { maxLength: 20 }) });
    fc.assert(
      fc.property(fc.array(fc.oneof(read, applied), { maxLength: 500 }), (steps) => {
        const index = new Map<string, Buffer>();
        const cache = new RowCache();
        for (const step of steps) {
          if ('read' in step) {
            const row = index.get(step.read);
            const kept = cache.get(step.read);
            if (kept !== undefined) assert.equal(kept, row);
            else if (row !== undefined) cache.add(step.read, row);
            continue;
          }
          const changes = step.apply.map(([name, size]) => {
            const value = size === undefined ? undefined : Buffer.alloc(size);
            if (value === undefined) index.delete(name);
            else index.set(name, value);
            return [name, { key: Buffer.from(name, 'latin1'), value }] as const;
          });
          cache.renew(new Map(changes));
        }
      }),
    );
  });

  it('keeps a row that is asked for again and again', () => {
    const cache = new RowCache();
    const row = Buffer.from('row');
    cache.add('often', row);
    for (let count = 0; count < 1000; count += 1) {
      assert.equal(cache.get('often'), row);
      cache.add(`once ${count}`, Buffer.alloc(1));
    }
    assert.equal(cache.get('once 0'), undefined);
  });

  it('keeps no long rows', () => {
    const cache = new RowCache();
    cache.add('long', Buffer.alloc(512 * 1024 + 1));
    assert.equal(cache.get('long'), undefined);
  });

  it('keeps the configuration of a bucket with a hundred rules, and no more than 2 MiB in all', () => {
    const cache = new RowCache();
    const configuration = Buffer.alloc(100 * 1024);
    cache.add('bucket', configuration);
    assert.equal(cache.get('bucket'), configuration);
    for (let count = 0; count < 40; count += 1) cache.add(`row ${count}`, Buffer.alloc(200 * 1024));
    const kept = Array.from({ length: 40 }, (_, count) => cache.get(`row ${count}`)?.length ?? 0);
    assert.ok(kept.reduce((a, b) => a + b) <= 2 * 1024 * 1024);
  });
});

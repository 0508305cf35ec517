import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MemoryIndex } from './memory-index.ts';
import { PendingView } from './pending-view.ts';

const change = fc.record({
  key: fc.integer({ min: 0, max: 30 }),
  value: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
});

describe('pending view', () => {
  it('is what the index will be', () => {
    fc.assert(
      fc.property(
        fc.array(change),
        fc.array(change),
        fc.nat(30),
        fc.nat(30),
        fc.nat(12),
        (before, changes, from, to, limit) => {
          const index = new MemoryIndex();
          for (const { key, value } of before) if (value !== undefined) index.put(Buffer.of(key), Buffer.of(value));
          const view = new PendingView(index);
          for (const { key, value } of changes) {
            if (value === undefined) view.delete(Buffer.of(key));
            else view.put(Buffer.of(key), Buffer.of(value));
          }
          const seen = scan(view, from, to, limit);
          const gotten = Array.from({ length: 31 }, (_, key) => view.get(Buffer.of(key))?.[0]);
          for (const { key, value } of view.changes.values()) {
            if (value === undefined) index.delete(key);
            else index.put(key, value);
          }
          assert.deepEqual(seen, scan(index, from, to, limit));
          assert.deepEqual(
            gotten,
            Array.from({ length: 31 }, (_, key) => index.get(Buffer.of(key))?.[0]),
          );
        },
      ),
    );
  });
});

function scan(index: PendingView | MemoryIndex, from: number, to: number, limit: number): unknown[] {
  const rows: unknown[] = [];
  index.scan({ from: Buffer.of(from), to: Buffer.of(to) }, (key, value) => {
    rows.push([key[0], value[0]]);
    return rows.length < limit;
  });
  return rows;
}

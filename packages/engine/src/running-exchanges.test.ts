import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Exchange } from './exchange.ts';
import { RunningExchanges } from './running-exchanges.ts';

describe('RunningExchanges', () => {
  it('holds what a set would', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(20))), (steps) => {
        // Only `place` is looked at.
        const exchanges = Array.from({ length: 21 }, () => ({ place: -1 }) as Exchange);
        const running = new RunningExchanges();
        const model = new Set<Exchange>();
        for (const [adds, index] of steps) {
          const exchange = exchanges[index];
          if (exchange === undefined) continue;
          if (adds && !model.has(exchange)) {
            model.add(exchange);
            running.add(exchange);
          } else if (!adds) {
            model.delete(exchange);
            running.delete(exchange);
          }
          const seen: Exchange[] = [];
          running.forEach((found) => void seen.push(found));
          assert.equal(running.size, model.size);
          assert.deepEqual(new Set(seen), model);
          assert.equal(running.find((found) => found === exchange) === exchange, model.has(exchange));
        }
      }),
    );
  });

  it('lets each be taken out while all are visited', () => {
    const running = new RunningExchanges();
    const exchanges = Array.from({ length: 10 }, () => ({ place: -1 }) as Exchange);
    for (const exchange of exchanges) running.add(exchange);
    let visited = 0;
    running.forEach((exchange) => {
      visited += 1;
      running.delete(exchange);
    });
    assert.equal(visited, 10);
    assert.equal(running.size, 0);
  });
});

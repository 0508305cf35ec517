import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SeededRandom } from '../../../packages/store/src/testing/seeded-random.ts';
import { checkHistory, type Recorded } from './checker.ts';
import { type RaceCondition, type RaceOperation, raceModel } from './race-model.ts';

const model = raceModel(2);

/** From, to, and what happened; `to` absent: no answer came. */
type Line = readonly [number, number | undefined, RaceOperation];

function holds(...lines: readonly Line[]): boolean {
  const history = lines.map(([invokedAt, respondedAt, operation]) => ({ operation, invokedAt, respondedAt }));
  return checkHistory(history, model).linearizable;
}

function put(etag: string, condition?: RaceCondition, outcome: 'done' | 'refused' | 'missing' = 'done'): RaceOperation {
  return { kind: 'put', client: 0, key: 0, etag, condition, outcome };
}

function remove(condition?: RaceCondition, outcome: 'done' | 'refused' | 'missing' = 'done'): RaceOperation {
  return { kind: 'delete', client: 0, key: 0, condition, outcome };
}

const read = (etag: string): RaceOperation => ({ kind: 'read', client: 0, key: 0, etag });
const list = (...etags: string[]): RaceOperation => ({ kind: 'list', client: 0, etags });
const create = { ifNoneMatch: '*' } as const;

describe('the linearizability checker', () => {
  it('accepts what one order explains', () => {
    assert.ok(holds());
    assert.ok(holds([0, 1, read('')], [2, 3, put('a')], [4, 5, read('a')], [6, 7, remove()], [8, 9, read('')]));
    // While a put is under way, it may be seen, or not.
    assert.ok(holds([0, 10, put('a')], [1, 2, read('')], [3, 4, read('a')], [5, 6, read('a')]));
    // Two at once, in either order.
    assert.ok(holds([0, 10, put('a')], [0, 10, put('b')], [11, 12, read('a')]));
    assert.ok(holds([0, 10, put('a')], [0, 10, put('b')], [11, 12, read('b')]));
    // One of two creations wins, and the refused one may have come first to be answered.
    assert.ok(holds([0, 3, put('a', create, 'refused')], [0, 9, put('b', create)], [10, 11, read('b')]));
    // A deletion between two creations lets both win.
    assert.ok(holds([0, 9, put('a', create)], [0, 9, put('b', create)], [0, 9, remove()], [10, 11, read('b')]));
    // What was overtaken is refused, what is not there is missing.
    assert.ok(
      holds([0, 1, put('a')], [2, 9, put('b', { ifMatch: 'a' })], [2, 9, put('c', { ifMatch: 'a' }, 'refused')]),
    );
    assert.ok(holds([0, 1, put('b', { ifMatch: 'a' }, 'missing')], [2, 3, remove({ ifMatch: 'a' }, 'missing')]));
  });

  it('accepts that what was never answered happened, or did not', () => {
    assert.ok(holds([0, undefined, put('a')], [1, 2, read('')], [3, 4, read('a')]));
    assert.ok(holds([0, undefined, put('a')], [1, 2, read('')], [3, 4, read('')]));
    assert.ok(!holds([0, undefined, put('a')], [1, 2, read('a')], [3, 4, read('')]));
  });

  it('refuses what no order explains', () => {
    // Read before it was written, and after it was removed.
    assert.ok(!holds([0, 1, read('a')], [2, 3, put('a')]));
    assert.ok(!holds([0, 1, put('a')], [2, 3, remove()], [4, 5, read('a')]));
    // An answered write that is not seen.
    assert.ok(!holds([0, 1, put('a')], [2, 3, read('')]));
    assert.ok(!holds([0, 1, put('a')], [2, 3, put('b')], [4, 5, read('a')]));
    // Seen, and not seen again.
    assert.ok(!holds([0, 10, put('a')], [1, 2, read('a')], [3, 4, read('')]));
    assert.ok(!holds([0, 1, put('a')], [2, 10, put('b')], [3, 4, read('b')], [5, 6, read('a')]));
    // Two winners.
    assert.ok(!holds([0, 9, put('a', create)], [0, 9, put('b', create)]));
    assert.ok(!holds([0, 1, put('a')], [2, 9, put('b', { ifMatch: 'a' })], [2, 9, put('c', { ifMatch: 'a' })]));
    assert.ok(!holds([0, 1, put('a')], [2, 9, remove({ ifMatch: 'a' })], [2, 9, put('c', { ifMatch: 'a' })]));
    // No winner.
    assert.ok(!holds([0, 9, put('a', create, 'refused')], [0, 9, put('b', create, 'refused')]));
    assert.ok(!holds([0, 1, put('a')], [2, 3, put('b', { ifMatch: 'a' }, 'refused')]));
  });

  it('sees a listing as one moment of all keys', () => {
    const other: RaceOperation = { kind: 'put', client: 1, key: 1, etag: 'z', condition: undefined, outcome: 'done' };
    assert.ok(holds([0, 1, put('a')], [2, 3, other], [4, 5, list('a', 'z')]));
    assert.ok(holds([0, 9, put('a')], [0, 9, other], [1, 2, list('a', '')], [3, 4, list('a', 'z')]));
    // Each key by itself could be so, but not both.
    assert.ok(!holds([0, 9, put('a')], [0, 9, other], [1, 5, list('a', '')], [1, 5, list('', 'z')]));
    assert.ok(!holds([0, 1, put('a')], [2, 9, other], [3, 4, list('', 'z')]));
  });

  it('says how far it came', () => {
    const history = [put('a'), read('b'), read('a')].map((operation, at) => ({
      operation,
      invokedAt: at * 2,
      respondedAt: at * 2 + 1,
    }));
    assert.deepEqual(checkHistory(history, model), { linearizable: false, order: [put('a')], stuck: [read('b')] });
  });

  it('accepts every history that was made from an order, and none with one wrong answer', () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const random = new SeededRandom(seed);
    for (let round = 0; round < 300; round += 1) {
      const history = madeFromOrder(random, 40);
      assert.ok(checkHistory(history, model).linearizable, `seed ${seed}, round ${round}`);
      // A version that was never written at all cannot have been read.
      const reads = history.flatMap(({ operation }, at) => (operation.kind === 'read' ? [at] : []));
      const at = reads.length === 0 ? undefined : random.pick(reads);
      if (at === undefined) continue;
      const broken = history.map((entry, index) => (index === at ? { ...entry, operation: read('never') } : entry));
      assert.ok(!checkHistory(broken, model).linearizable, `seed ${seed}, round ${round}, broken at ${at}`);
    }
  });
});

/** Operations of eight clients at once that took effect at the times 0, 1, 2 …, each within its interval. */
function madeFromOrder(random: SeededRandom, count: number): Recorded<RaceOperation>[] {
  let etag = '';
  return Array.from({ length: count }, (_, at) => {
    const conditions: readonly RaceCondition[] = [undefined, create, { ifMatch: etag === '' ? 'none' : etag }];
    const condition = conditions[random.below(3)];
    const kind = random.pick(['put', 'delete', 'read'] as const);
    const missing = etag === '' ? 'missing' : 'done';
    const taken = etag === '' ? 'done' : 'refused';
    const outcome = condition === undefined ? 'done' : 'ifMatch' in condition ? missing : taken;
    let operation: RaceOperation;
    if (kind === 'read') operation = read(etag);
    else {
      operation = kind === 'put' ? put(`v${at}`, condition, outcome) : remove(condition, outcome);
      if (outcome === 'done') etag = kind === 'put' ? `v${at}` : '';
    }
    return { operation, invokedAt: at - random.below(4) - 0.25, respondedAt: at + random.below(4) + 0.25 };
  });
}

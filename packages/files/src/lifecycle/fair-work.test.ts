// Who is next when many owners share the places of a lane.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Waiting, WaitingList } from '../database/work-tables.ts';
import { chooseFairly, fairly } from './fair-work.ts';

interface Delivery extends Waiting {
  readonly tenantId: string;
  readonly host: string;
}

const due = (count: number, host: string, tenantId = 'main', dueAtMs = 0): Delivery[] =>
  Array.from({ length: count }, (_, number) => ({
    id: `${host} ${number}`,
    queueId: tenantId,
    tenantId,
    host,
    dueAtMs,
  }));
const sharesOf = ({ tenantId, host }: Delivery) =>
  [
    { holder: `tenant ${tenantId}`, atMost: 5 },
    { holder: `host ${host}`, atMost: 2 },
  ] as const;
const choose = (candidates: readonly Delivery[], { running = [] as readonly Delivery[], free = 10 } = {}) =>
  chooseFairly(candidates, { running, free, sharesOf }).map(({ id }) => id);

test('nothing gets more than each of its shares, and what runs counts', () => {
  assert.deepEqual(choose([...due(3, 'slow'), ...due(1, 'quick')]), ['slow 0', 'slow 1', 'quick 0']);
  assert.deepEqual(choose(due(3, 'slow').slice(2), { running: due(2, 'slow') }), []);
  const many = Array.from({ length: 8 }, (_, number) => due(1, `${number}`)).flat();
  const chosen = choose([...many, ...due(1, 'other', 'other')]);
  assert.equal(chosen.length, 6);
  assert.ok(chosen.includes('other 0'));
});

test('a place goes to who has the fewest, then to what is the longest due; no more are chosen than there is room for', () => {
  const running = due(2, 'a', 'busy');
  const waiting = [...due(2, 'b', 'busy', 1), ...due(1, 'c', 'late', 3), ...due(1, 'd', 'early', 2)];
  assert.deepEqual(choose(waiting, { running, free: 3 }), ['d 0', 'c 0', 'b 0']);
});

/** Queues in memory, read as the database reads its own. */
function openQueues(rows: readonly Waiting[]): WaitingList {
  return {
    listDue: async ({ limit }) => {
      const items = rows.toSorted((one, other) => one.dueAtMs - other.dueAtMs).slice(0, limit);
      return { items, isWhole: items.length < limit };
    },
    listHeads: async ({ afterQueueId, limit }) => {
      const queueIds = [...new Set(rows.map(({ queueId }) => queueId))].sort().filter((id) => id > afterQueueId);
      const page = queueIds.slice(0, limit);
      const items = page.flatMap((queueId) => rows.find((row) => row.queueId === queueId) ?? []);
      return { items, lastQueueId: page.length < limit ? undefined : page.at(-1) };
    },
  };
}

test('behind the backlog of one, the first of each other is found, of however many', async () => {
  const rows = [
    ...Array.from({ length: 100 }, (_, number) => ({ id: `a${number}`, queueId: 'a', dueAtMs: 0 })),
    ...Array.from({ length: 1_200 }, (_, number) => ({ id: `q${number}`, queueId: `q${number}`, dueAtMs: 9 })),
  ];
  const gone = new Set(['q999', 'q3']);
  const work = fairly<Waiting, Waiting>({
    waiting: openQueues(rows),
    places: 4,
    clock: () => 10,
    sharesOf: ({ queueId }) => [{ holder: queueId, atMost: 2 }],
    // Another instance is quicker with some.
    take: async (ids) => rows.filter(({ id }) => ids.includes(id) && !gone.has(id)),
    idOf: ({ id }) => id,
    run: () => Promise.resolve(),
    giveBack: () => Promise.resolve(),
  });
  const taken: Waiting[] = [];
  for (let look = 0; look < 4; look++) taken.push(...(await work.take(4 - taken.length)));
  assert.equal(taken.length, 4);
  assert.equal(new Set(taken.map(({ queueId }) => queueId)).size, 4, 'one of each');
  for (const item of taken) await work.run(item);
  const own = rows.filter(({ queueId }) => queueId === 'a');
  rows.splice(0, rows.length, ...own);
  assert.equal((await work.take(4)).length, 2, 'alone, too, it has no more than its share');
});

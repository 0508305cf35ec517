// Races at a real engine over real sockets, judged by the checker. A thousand and more: `npm run races`.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Engine, startEngine } from '@stowage/engine';
import { type ObjectStore, openMemoryStore, StoreError } from '@stowage/store';
import { checkHistory, type Verdict } from './checker.ts';
import { type RaceHistory, runRace } from './race.ts';
import { type RaceOperation, raceModel } from './race-model.ts';

const bucket = 'races';

function judge({ history, keys }: RaceHistory): Verdict<RaceOperation> {
  return checkHistory(history, raceModel(keys));
}

async function withEngine(workers: number, use: (engine: Engine) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'stowage-races-'));
  const engine = await startEngine({ directory, workers });
  try {
    await engine.store.createBucket({ name: bucket, owner: '000000000000', region: 'us-east-1' });
    await use(engine);
  } finally {
    await engine.close();
    await rm(directory, { recursive: true });
  }
}

describe('races of conditional writes', () => {
  for (const workers of process.platform === 'linux' ? [1, 3] : [1]) {
    it(`are linearizable over ${workers} ${workers === 1 ? 'worker' : 'workers'}, with one winner each`, async (t) => {
      const firstSeed = Math.floor(Math.random() * 1e9);
      t.diagnostic(`seeds from ${firstSeed}`);
      await withEngine(workers, async (engine) => {
        for (let seed = firstSeed; seed < firstSeed + 12 * Math.min(workers, 2); seed += 1) {
          const race = await runRace(engine, { seed, bucket });
          assert.deepEqual(race.winners, [1, 1], `seed ${seed}`);
          assert.deepEqual(judge(race), { linearizable: true }, `seed ${seed}`);
        }
      });
    });
  }

  // Two ways in which a store can be wrong and seem right to any one client.
  const wrongStores: Readonly<Record<string, (store: ObjectStore) => Partial<ObjectStore>>> = {
    'judges preconditions before the commit': (store) => ({
      async putObject({ precondition, ...put }) {
        const current = store.headObject(put)?.etag;
        if (precondition?.ifNoneMatch === '*' && current !== undefined) throw new StoreError('PreconditionFailed');
        if (precondition?.ifMatch !== undefined && current === undefined) throw new StoreError('NoSuchKey');
        if (precondition?.ifMatch !== undefined && current !== precondition.ifMatch) {
          throw new StoreError('PreconditionFailed');
        }
        await sleep(1);
        return store.putObject(put);
      },
    }),
    'answers before a write can be seen': (store) => ({
      async putObject(put) {
        const committed = store.putObject(put);
        if (put.precondition !== undefined) return committed;
        return Promise.race([
          committed,
          sleep(0, { ...put, sizeBytes: 0, versionId: 'null', sequence: 0, lastModifiedMs: 0, ...put.attributes }),
        ]);
      },
    }),
    'reads from a state that is gone': (store) => {
      let listed: { readonly at: number; readonly list: ReturnType<ObjectStore['listObjects']> } | undefined;
      return {
        listObjects(page) {
          if (listed === undefined || performance.now() - listed.at > 20) {
            listed = { at: performance.now(), list: store.listObjects(page) };
          }
          return listed.list;
        },
      };
    },
  };

  for (const [wrong, change] of Object.entries(wrongStores)) {
    it(`show a store that ${wrong}`, async (t) => {
      const seeds = Math.floor(Math.random() * 1e9);
      t.diagnostic(`seeds from ${seeds}`);
      const store = changed(slowed(openMemoryStore()), change);
      const engine = await startEngine({ store });
      try {
        await store.createBucket({ name: bucket, owner: '000000000000', region: 'us-east-1' });
        for (let seed = seeds; seed < seeds + 40; seed += 1) {
          const race = await runRace(engine, { seed, bucket });
          if (!judge(race).linearizable) {
            t.diagnostic(`found by race ${seed - seeds + 1}`);
            return;
          }
        }
        assert.fail('Forty races took it for a right one.');
      } finally {
        await engine.close();
        await store.close();
      }
    });
  }
});

/** A store in memory commits at once; one on a disk takes its time. */
function slowed(store: ObjectStore): ObjectStore {
  return changed(store, () => ({
    async putObject(put) {
      await sleep(2);
      return store.putObject(put);
    },
  }));
}

function changed(store: ObjectStore, change: (store: ObjectStore) => Partial<ObjectStore>): ObjectStore {
  const changes = change(store);
  return new Proxy(store, {
    get(target, name) {
      const own: unknown = Reflect.get(changes, name);
      const value: unknown = own ?? Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

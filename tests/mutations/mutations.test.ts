import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { catchMutation, readCatches } from './catch-mutation.ts';
import { mutate } from './mutation.ts';
import { storeMutations } from './store-mutations.ts';

const root = new URL('../../', import.meta.url);
const invariants = 9;
/** Tried each time; `npm run crash -- --mutations` tries all of them. */
const sampleSize = 5;
/** A change of the store may shift what a seed draws: one of so many histories notices all the same. */
const patience = 60;

describe('mutations of the store', () => {
  it('can still be made', async () => {
    for (const mutation of storeMutations) mutate(await readFile(new URL(mutation.file, root), 'utf8'), mutation);
  });

  it('switch off each of the nine invariants', () => {
    const switchedOff = new Set(storeMutations.map(({ invariant }) => invariant));
    assert.deepEqual(
      [...switchedOff].sort(),
      Array.from({ length: invariants }, (_, index) => index + 1),
    );
  });

  it('were all noticed', async () => {
    const caught = Object.keys(await readCatches());
    assert.deepEqual(
      caught.toSorted(),
      storeMutations.map(({ name }) => name).sort(),
      'run npm run crash -- --mutations',
    );
  });

  it(`are noticed again: ${sampleSize} that are noticed soonest`, async () => {
    const catches = await readCatches();
    const easy = storeMutations
      .flatMap((mutation) => {
        const known = catches[mutation.name];
        return known === undefined ? [] : [{ mutation, known }];
      })
      .toSorted((a, b) => a.known.histories - b.known.histories)
      .slice(0, sampleSize);
    for (const { mutation, known } of easy) {
      const again = await catchMutation(mutation, { firstSeed: known.seed, count: patience });
      assert.ok(again !== undefined, `${mutation.name} went unnoticed from seed ${known.seed} on`);
    }
  });
});

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { catchServiceMutation, readServiceCatches } from './catch-service-mutations.ts';
import { mutate } from './mutation.ts';
import { serviceMutations } from './service-mutations.ts';

const root = new URL('../../', import.meta.url);
/** Tried each time, as it is noticed soonest; `npm run prove -- mutations` tries all. */
const sample = 'name put into a header as it is';

describe('known bugs of others', () => {
  it('can still be put into ours', async () => {
    for (const mutation of serviceMutations) {
      mutate(await readFile(new URL(mutation.file, root), 'utf8'), { ...mutation, invariant: 0 });
    }
  });

  it('were all noticed', async () => {
    assert.deepEqual(
      Object.keys(await readServiceCatches()).toSorted(),
      serviceMutations.map(({ name }) => name).sort(),
      'run npm run prove -- mutations',
    );
  });

  it(`are noticed again: ${sample}`, async () => {
    const mutation = serviceMutations.find(({ name }) => name === sample);
    assert.ok(mutation);
    assert.ok((await catchServiceMutation(mutation)) !== undefined, `${sample} went unnoticed`);
  });
});

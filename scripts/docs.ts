// npm run docs: writes the documents that are made from tables in the code. tests/docs fails when one is stale.
//   npm run docs             writes them
//   npm run docs -- --check  only says which are stale
// docs/performance.md, and the figures in README.md, are made from the results that bench/ has kept; of docs/access.md, the tables are.
// What no table holds, the deliberate differences from AWS, is written by hand in docs/compatibility.notes.md; what endpoints are
// needed for, in docs/endpoints.notes.md; how the store's promise is shown, in docs/durability.notes.md.

import { readFile, writeFile } from 'node:fs/promises';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { clientFaults } from '@stowage/client';
import { actions, problems, roles } from '@stowage/contract';
import { operationStatus } from '@stowage/engine';
import { capabilities, defaultLimits, knownEndpoints } from '@stowage/files';
import { operations, s3Errors } from '@stowage/s3';
import { storeErrors } from '@stowage/store';
import { settings } from 'stowage';
import { keptResults } from '../bench/results.ts';
import { readReachedBy } from '../tests/failpoints/reached-by.ts';
import { unreachable } from '../tests/failpoints/unreachable.ts';
import { readCatches } from '../tests/mutations/catch-mutation.ts';
import { readServiceCatches } from '../tests/mutations/catch-service-mutations.ts';
import { inexpressible, serviceMutations } from '../tests/mutations/service-mutations.ts';
import { storeMutations } from '../tests/mutations/store-mutations.ts';
import { renderCompatibility } from './documents/compatibility.ts';
import { renderConfiguration } from './documents/configuration.ts';
import { renderDurability } from './documents/durability.ts';
import { renderEndpoints } from './documents/endpoints.ts';
import { renderErrors } from './documents/errors.ts';
import { renderPerformance, renderReadme } from './documents/performance.ts';
import { renderProofs } from './documents/proofs.ts';
import { renderAccess } from './documents/rights.ts';
import { readOptions } from './script-options.ts';

const root = new URL('../', import.meta.url);

/** Every generated document's text, by path from the root. */
export async function renderDocuments(): Promise<ReadonlyMap<string, string>> {
  const notes = await readFile(new URL('docs/compatibility.notes.md', root), 'utf8');
  const endpointNotes = await readFile(new URL('docs/endpoints.notes.md', root), 'utf8');
  const kept = keptResults();
  const durabilityNotes = await readFile(new URL('docs/durability.notes.md', root), 'utf8');
  const access = await readFile(new URL('docs/access.md', root), 'utf8');
  return new Map([
    ['docs/access.md', renderAccess(access, { actions, roles })],
    ['docs/compatibility.md', renderCompatibility({ operations, status: operationStatus, notes })],
    ['docs/configuration.md', renderConfiguration({ settings, limits: defaultLimits })],
    [
      'docs/durability.md',
      renderDurability({ mutations: storeMutations, catches: await readCatches(), notes: durabilityNotes }),
    ],
    ['docs/endpoints.md', renderEndpoints({ capabilities, knownEndpoints, notes: endpointNotes })],
    ['docs/errors.md', renderErrors({ s3Errors, storeErrors, problems, clientFaults })],
    ['docs/performance.md', renderPerformance(kept)],
    ['README.md', renderReadme(await readFile(new URL('README.md', root), 'utf8'), kept)],
    [
      'docs/proofs.md',
      renderProofs({
        mutations: serviceMutations,
        caught: await readServiceCatches(),
        inexpressible,
        reached: Object.keys(await readReachedBy()).length,
        unreachable,
      }),
    ],
  ]);
}

/** Paths of generated documents that differ from what the tables say now, or are missing. */
export async function staleDocuments(): Promise<string[]> {
  const stale: string[] = [];
  for (const [path, text] of await renderDocuments()) {
    if ((await readIfThere(new URL(path, root))) !== text) stale.push(path);
  }
  return stale;
}

async function readIfThere(path: URL): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

if (import.meta.main) {
  const { values } = readOptions(import.meta, { check: { type: 'boolean' } });
  const stale = await staleDocuments();
  const documents = await renderDocuments();
  for (const path of stale) {
    if (!values.check) await writeFile(fileURLToPath(new URL(path, root)), documents.get(path) ?? '');
    console.log(`${values.check ? 'stale' : 'written'}: ${path}`);
  }
  if (stale.length === 0) console.log('All generated documents are up to date.');
  process.exitCode = values.check && stale.length > 0 ? 1 : 0;
}

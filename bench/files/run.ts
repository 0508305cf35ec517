// node bench/files/run.ts: what the file service does in a second, in a tenant that grows to a million files, and beside a server that
// bytes go through. Everything on this machine, over a strict engine of its own; ratios within one run are what to trust.
//   --only PARTS       of rates, grown, uploads; default: all
//   --databases NAMES  of sqlite, postgresql; default: all that this machine has
//   --steps N,N        sizes of the tenant; default 1000,100000,1000000
//   --keep             keep the result among bench/results/ (parts that were not run are those of the result before); --out FILE

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { readOptions } from '../../scripts/script-options.ts';
import { type FilesResult, keepResult, keptResults, resultFrame } from '../results.ts';
import { startStowage } from '../servers/stowage-server.ts';
import { benchDatabases } from './databases.ts';
import { measureGrown } from './grown-tenant.ts';
import { measureRates } from './rates.ts';
import { measureUploadPaths } from './upload-path.ts';

const { values } = readOptions(import.meta, {
  only: { type: 'string', default: 'rates,grown,uploads' },
  databases: { type: 'string' },
  steps: { type: 'string', default: '1000,100000,1000000' },
  keep: { type: 'boolean' },
  out: { type: 'string' },
});
const parts = new Set(values.only.split(','));
const directory = await mkdtemp(join(tmpdir(), 'stowage-bench-files-'));
const engine = await startStowage({ directory });
// The engine must not outlive a run that is broken off.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void engine.stop().finally(() => process.exit(1)));
try {
  const databases = await benchDatabases(directory, values.databases?.split(','));
  const [first] = databases;
  if (first === undefined) throw new Error('There is no database of that name: sqlite or postgresql.');
  const grown: FilesResult['grown'][number][] = [];
  const rates = parts.has('rates') ? await measureRates(engine, databases) : undefined;
  const uploads = parts.has('uploads') ? await measureUploadPaths(engine, first) : undefined;
  if (parts.has('grown')) {
    for (const database of databases)
      grown.push(...(await measureGrown(engine, database, values.steps.split(',').map(Number))));
  }
  const before = values.keep ? keptResults().files : undefined;
  const result: FilesResult = {
    ...resultFrame('files'),
    durability: databases.map(({ name, durability }) => ({ database: name, durability })),
    rates: rates ?? before?.rates ?? [],
    grown: parts.has('grown') ? grown : (before?.grown ?? []),
    uploads: uploads ?? before?.uploads ?? [],
  };
  console.log(JSON.stringify(result, undefined, 1));
  if (values.keep || values.out !== undefined) {
    console.log(`Kept in ${await keepResult(result, values.out)}; npm run docs renews docs/performance.md.`);
  }
} finally {
  await engine.stop();
  await rm(directory, { recursive: true, force: true });
}

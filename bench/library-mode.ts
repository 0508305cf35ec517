// node bench/library-mode.ts: Stowage as a library in memory mode beside s3rver, as a test suite meets them: from the import
// to the first PUT answered, and resident memory at rest. Each in a fresh process, in turn; Stowage as it is installed
// (JavaScript from the tarballs) and as it runs in this repository (types stripped on the way).
//   --rounds N    default 9
//   --keep        keep the result among bench/results/

import { execFile, fork } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { presignUrl, SigningKeys } from '@stowage/s3';
import { packAll } from '../scripts/pack.ts';
import { readOptions } from '../scripts/script-options.ts';
import type { FirstPutOrder, FirstPutResult } from './library/first-put.ts';
import { median } from './median.ts';
import { keepResult, type LibraryModeResult, resultFrame } from './results.ts';
import { findFreePort } from './servers/child-server.ts';

const entry = fileURLToPath(new URL('./library/first-put.ts', import.meta.url));
const root = fileURLToPath(new URL('../', import.meta.url));
const installedPackages = ['s3', 'store', 'engine'];
const timeoutMs = 30_000;

interface Library {
  readonly name: string;
  readonly library: FirstPutOrder['library'];
  readonly entry: string;
  readonly credentials: FirstPutOrder['credentials'];
  readonly nodeArgs: readonly string[];
}

async function main(): Promise<void> {
  const { values } = readOptions(import.meta, { rounds: { type: 'number', default: 9 }, keep: { type: 'boolean' } });
  // Under the repository, so that what the packages depend on is found in its node_modules.
  const installed = join(root, '.cache', `library-mode-${process.pid}`);
  const directory = await mkdtemp(join(tmpdir(), 'stowage-library-'));
  try {
    const libraries = await findLibraries(installed);
    const rounds: LibraryModeResult['rounds'][number][] = [];
    for (let round = 0; round <= values.rounds; round += 1) {
      for (const library of round % 2 === 0 ? libraries : libraries.toReversed()) {
        const measured = await measureOnce(library, await mkdtemp(join(directory, 'own-')));
        if (round > 0) rounds.push({ library: library.name, ...measured }); // The first fills the file cache.
      }
    }
    printTable(rounds);
    const result: LibraryModeResult = { ...resultFrame('library-mode'), rounds };
    if (values.keep) console.log(`Kept in ${await keepResult(result)}`);
  } finally {
    await rm(installed, { recursive: true, force: true });
    await rm(directory, { recursive: true, force: true });
  }
}

async function findLibraries(installed: string): Promise<readonly Library[]> {
  const packed = await packAll(join(installed, 'tarballs'), installedPackages);
  for (const name of installedPackages) {
    const tarball = packed.find((each) => each.name === `@stowage/${name}`)?.tarball ?? '';
    const folder = join(installed, 'node_modules', '@stowage', name);
    await mkdir(folder, { recursive: true });
    await promisify(execFile)('tar', ['-xzf', tarball, '-C', folder, '--strip-components=1']);
  }
  const ours = { accessKeyId: 'FIRSTPUT', secretAccessKey: 'first-put-secret' };
  const compiled = join(installed, 'node_modules', '@stowage', 'engine', 'lib', 'index.js');
  const source = join(root, 'packages', 'engine', 'src', 'index.ts');
  const stowage = { library: 'stowage', credentials: ours, nodeArgs: [] } as const;
  return [
    { name: 'stowage', ...stowage, entry: pathToFileURL(compiled).href },
    { name: 'stowage, from source', ...stowage, entry: pathToFileURL(source).href },
    {
      name: 's3rver',
      library: 's3rver',
      entry: createRequire(import.meta.url).resolve('s3rver'),
      credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
      nodeArgs: ['--openssl-legacy-provider', '--no-deprecation'],
    },
  ];
}

async function measureOnce(library: Library, directory: string): Promise<FirstPutResult & { processMs: number }> {
  const port = await findFreePort();
  const signing = { endpoint: `http://127.0.0.1:${port}`, credentials: library.credentials, region: 'us-east-1' };
  const sign = (path: string): string => {
    const times = { nowMs: Date.now(), expiresSeconds: 600, signingKeys: new SigningKeys() };
    return presignUrl({ method: 'PUT', path, ...signing, ...times }).slice(signing.endpoint.length);
  };
  const begun = performance.now();
  const child = fork(entry, { execArgv: [...library.nodeArgs] });
  const targets = { bucketTarget: sign('/library'), objectTarget: sign('/library/object') };
  const order: FirstPutOrder = { ...library, port, directory, ...targets };
  const result = await new Promise<FirstPutResult>((resolve, reject) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    child.on('message', (answer: FirstPutResult | { readonly error: string }) => {
      if (!('error' in answer)) return resolve(answer);
      child.kill('SIGKILL');
      reject(new Error(`${library.name}: ${answer.error}`));
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      reject(new Error(`${library.name} ended with ${code} before it answered.`));
    });
    child.send(order);
  });
  return { ...result, processMs: performance.now() - begun };
}

function printTable(rounds: LibraryModeResult['rounds']): void {
  console.log(
    `${''.padEnd(24)}${['import', 'listening', 'first PUT'].map((title) => `${title} ms`.padStart(14)).join('')}${'idle MB'.padStart(12)}`,
  );
  for (const [library, own] of Map.groupBy(rounds, (each) => each.library)) {
    const times = [
      own.map((each) => each.importMs),
      own.map((each) => each.startedMs),
      own.map((each) => each.firstPutMs),
    ];
    const memory = median(own.map((each) => each.idleBytes)) / 1e6;
    console.log(
      `${library.padEnd(24)}${times.map((each) => median(each).toFixed(0).padStart(14)).join('')}${memory.toFixed(0).padStart(12)}`,
    );
  }
}

await main();

// Runs the tests that must notice each bug of the table on code that has it, and on code that has not.
//   npm run prove -- mutations [--only=TEXT]

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { readOptions } from '../../scripts/script-options.ts';
import { mutatedArguments } from './load-mutated.ts';
import { type ServiceMutation, serviceMutations } from './service-mutations.ts';

/** The test that failed first, by the name of the bug. */
export type ServiceCatches = Readonly<Record<string, { readonly file: string; readonly test: string }>>;

const root = fileURLToPath(new URL('../../', import.meta.url));
const catchesFile = new URL('service-caught-by.json', import.meta.url);
const timeoutMs = 240_000;

export async function readServiceCatches(): Promise<ServiceCatches> {
  // proveMutations wrote it.
  return JSON.parse(await readFile(catchesFile, 'utf8')) as ServiceCatches;
}

export async function proveMutations(args: readonly string[]): Promise<number> {
  const { values } = readOptions(import.meta, { only: { type: 'string', default: '' } }, { args });
  const chosen = serviceMutations.filter(({ name }) => name.includes(values.only));
  const before = await readServiceCatches();
  const found = new Map(Object.entries(before));
  for (const mutation of chosen) found.delete(mutation.name);
  let unnoticed = 0;
  const runs = new Map(
    chosen.flatMap(({ caughtBy, named }) => caughtBy.map((file) => [`${file} ${named}`, { file, named }])),
  );
  for (const { file, named } of runs.values()) {
    const failed = await firstFailure(file, named, []);
    if (failed === undefined) continue;
    console.log(`✖ ${file} fails on the code as it is: ${failed}`);
    return 1;
  }
  for (const mutation of chosen) {
    const caught = await catchServiceMutation(mutation);
    if (caught === undefined) unnoticed += 1;
    else found.set(mutation.name, caught);
    console.log(
      `${caught === undefined ? '✖' : '✔'} ${mutation.name}: ${caught === undefined ? 'unnoticed' : `${caught.file}: ${caught.test}`}`,
    );
  }
  const inOrder = serviceMutations.flatMap(({ name }) => {
    const caught = found.get(name);
    return caught === undefined ? [] : [[name, caught] as const];
  });
  await writeFile(catchesFile, `${JSON.stringify(Object.fromEntries(inOrder), undefined, 2)}\n`);
  console.log(`${chosen.length - unnoticed} of ${chosen.length} bugs were noticed.`);
  return unnoticed === 0 ? 0 : 1;
}

/** The first test that fails with the bug; nothing when it goes unnoticed. */
export async function catchServiceMutation({
  caughtBy,
  named,
  ...mutation
}: ServiceMutation): Promise<ServiceCatches[string] | undefined> {
  for (const file of caughtBy) {
    const test = await firstFailure(file, named, mutatedArguments({ ...mutation, invariant: 0 }));
    if (test !== undefined) return { file, test };
  }
  return undefined;
}

async function firstFailure(
  file: string,
  named: string | undefined,
  nodeArguments: readonly string[],
): Promise<string | undefined> {
  const pattern = named === undefined ? [] : [`--test-name-pattern=${named}`];
  const testArguments = ['--test', '--test-isolation=none', '--test-reporter=tap', ...pattern, file];
  const child = spawn(process.execPath, [...nodeArguments, ...testArguments], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const [code] = await once(child, 'close');
  if (code === 0) return undefined;
  return /^ *not ok \d+ - (.*)$/m.exec(text)?.[1] ?? `ended with ${code}`;
}

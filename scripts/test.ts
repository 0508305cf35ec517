// npm test: finds every *.test.ts under packages/ and tests/, runs them with node:test and sums up.
//   npm test                   everything
//   npm test -- store browser  only files whose path holds one of the words; `unit` means packages/
//   npm test -- --name REGEX   only tests whose name matches
//   npm test -- --verbose      a line for each test
// All of packages/ shares one process (fast: no start per file). Each folder of tests/ has its own: those start servers,
// browsers and clients, and a native crash in one must not take the others along. A test that needs a program which is
// not there skips with its reason, and every skip is printed.

import { availableParallelism } from 'node:os';
import { relative, sep } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { findFiles } from './find-files.ts';
import { readOptions } from './script-options.ts';
import { type GroupOutcome, runGroup, stopGroups } from './testing/run-group.ts';
import { renderGroup, renderSummary } from './testing/summary.ts';

const UNIT_TIMEOUT_MS = 60_000;
const SYSTEM_TIMEOUT_MS = 300_000;
const MAX_LANES = 3;

const root = fileURLToPath(new URL('../', import.meta.url));

interface TestGroup {
  readonly name: string;
  readonly files: readonly string[];
  readonly testTimeoutMs: number;
}

async function main(): Promise<number> {
  const { values, positionals } = readOptions(
    import.meta,
    { name: { type: 'string' }, verbose: { type: 'boolean' } },
    { allowPositionals: true },
  );
  const startedMs = performance.now();
  const groups = await findGroups(positionals);
  if (groups.length === 0) {
    const asked = positionals.length > 0 ? ` whose path holds ${positionals.join(' or ')}` : '';
    console.error(`No *.test.ts file${asked} under packages/ or tests/. Nothing ran.`);
    return 1;
  }
  const outcomes: GroupOutcome[] = [];
  const waiting = [...groups];
  const lane = async (): Promise<void> => {
    for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) {
      const outcome = await runGroup({ ...group, root, namePattern: values.name });
      outcomes.push(outcome);
      console.log(renderGroup(outcome, { root, verbose: values.verbose }));
    }
  };
  await Promise.all(Array.from({ length: Math.min(MAX_LANES, availableParallelism()) }, lane));
  console.log(renderSummary(outcomes, { root, elapsedMs: performance.now() - startedMs }));
  return outcomes.every((outcome) => outcome.passed) ? 0 : 1;
}

async function findGroups(words: readonly string[]): Promise<TestGroup[]> {
  const byGroup = new Map<string, string[]>();
  for (const path of await findFiles(root, { under: ['packages', 'tests'], ending: '.test.ts' })) {
    const parts = relative(root, path).split(sep);
    const unit = parts[0] === 'packages';
    const matches = words.some((word) => (word === 'unit' ? unit : relative(root, path).includes(word)));
    if (words.length > 0 && !matches) continue;
    const name = unit ? 'packages' : parts.slice(0, -1).slice(0, 2).join('/');
    byGroup.set(name, [...(byGroup.get(name) ?? []), path]);
  }
  return [...byGroup].map(([name, files]) => ({
    name,
    files,
    testTimeoutMs: name === 'packages' ? UNIT_TIMEOUT_MS : SYSTEM_TIMEOUT_MS,
  }));
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    stopGroups();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  });
}
process.exitCode = await main();

// Which scenarios reach which failpoint, as the last discovery found it: kept beside the code, so that an await that no scenario
// reaches is noticed without playing them all. Written by `npm run prove -- failpoints`.

import { readFile, writeFile } from 'node:fs/promises';
import { unreachable } from './unreachable.ts';

/** By failpoint, scenarios that reach it: those that reach least come first, as they take least. */
export type ReachedBy = Readonly<Record<string, readonly string[]>>;

const file = new URL('reached-by.json', import.meta.url);
/** Of each failpoint so many are kept. */
const maxScenarios = 3;

export async function readReachedBy(): Promise<ReachedBy> {
  // writeReachedBy wrote it.
  return JSON.parse(await readFile(file, 'utf8')) as ReachedBy;
}

export async function writeReachedBy(reachedBy: ReachedBy): Promise<void> {
  const sorted = Object.entries(reachedBy)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, scenarios]) => [name, scenarios.slice(0, maxScenarios)] as const);
  const lines = sorted.map(
    ([name, scenarios]) => `  ${JSON.stringify(name)}: ${JSON.stringify(scenarios).replaceAll(',', ', ')}`,
  );
  await writeFile(file, `{\n${lines.join(',\n')}\n}\n`);
}

interface Gaps {
  /** In the code, and reached by no scenario. */
  readonly unreached: readonly string[];
  /** In the table, and no longer in the code. */
  readonly stale: readonly string[];
}

/** What the table lacks for these failpoints, which are those of the code. */
export function gapsOf(failpoints: readonly string[], reachedBy: ReachedBy): Gaps {
  const there = new Set(failpoints);
  const known = new Set([...Object.keys(reachedBy), ...Object.keys(unreachable)]);
  return {
    unreached: failpoints.filter((name) => !known.has(name)),
    stale: [...known].filter((name) => !there.has(name)),
  };
}

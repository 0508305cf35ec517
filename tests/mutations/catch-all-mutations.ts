// Looks for a history that notices each of the store's mutations: first the one that did before, then others. What is found
// is written down, and only counts when the same history passes on the code as it is.

import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { runHistories } from '../store/power-loss/run-histories.ts';
import { type Catch, catchesFile, catchMutation, readCatches } from './catch-mutation.ts';
import type { Mutation } from './mutation.ts';
import { storeMutations } from './store-mutations.ts';

/** Histories that are tried before a mutation counts as unnoticed. */
const maxHistories = 6000;
const maxLanes = 4;
const checkTimeoutMs = 60_000;

interface CatchAll {
  readonly firstSeed: number;
  readonly tell: (line: string) => void;
}

/** Answers 0 when all were noticed, 1 otherwise. */
export async function catchAllMutations({ firstSeed, tell }: CatchAll): Promise<number> {
  const before = await readCatches();
  const found = new Map<string, Catch>();
  const waiting = storeMutations.values();
  const lane = async (): Promise<void> => {
    for (const mutation of waiting) {
      const caught = await catchOne(mutation, before[mutation.name], firstSeed);
      if (caught === undefined)
        tell(`✖ ${mutation.invariant} ${mutation.name}: unnoticed in ${maxHistories} histories`);
      else {
        found.set(mutation.name, caught);
        tell(`✔ ${mutation.invariant} ${mutation.name}: seed ${caught.seed} (${caught.histories}): ${caught.fault}`);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(maxLanes, availableParallelism()) }, lane));
  const inOrder = storeMutations.flatMap(({ name }) => {
    const caught = found.get(name);
    return caught === undefined ? [] : [[name, caught] as const];
  });
  await writeFile(catchesFile, `${JSON.stringify(Object.fromEntries(inOrder), undefined, 2)}\n`);
  tell(`${inOrder.length} of ${storeMutations.length} mutations were noticed.`);
  return inOrder.length === storeMutations.length ? 0 : 1;
}

async function catchOne(mutation: Mutation, known: Catch | undefined, firstSeed: number): Promise<Catch | undefined> {
  if (known !== undefined) {
    const again = await catchMutation(mutation, { firstSeed: known.seed, count: 1 });
    if (again !== undefined) return { ...again, histories: known.histories };
  }
  let from = firstSeed;
  while (from < firstSeed + maxHistories) {
    const caught = await catchMutation(mutation, { firstSeed: from, count: firstSeed + maxHistories - from });
    if (caught === undefined) return undefined;
    if (await passesUnchanged(caught.seed)) return { ...caught, histories: caught.seed - firstSeed + 1 };
    from = caught.seed + 1;
  }
  return undefined;
}

async function passesUnchanged(seed: number): Promise<boolean> {
  const { failures } = await runHistories({ firstSeed: seed, count: 1, timeoutMs: checkTimeoutMs });
  return failures.length === 0;
}

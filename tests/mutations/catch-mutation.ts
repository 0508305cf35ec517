// Runs histories of the power-loss simulator on mutated code until one fails.

import { readFile } from 'node:fs/promises';
import { runHistories } from '../store/power-loss/run-histories.ts';
import { mutatedArguments } from './load-mutated.ts';
import type { Mutation } from './mutation.ts';

/** The history that noticed a mutation. */
export interface Catch {
  readonly seed: number;
  /** How many histories were run for it. */
  readonly histories: number;
  readonly kind: string;
  readonly fault: string;
}

/** Where the catches of the store's mutations are kept, by name. */
export const catchesFile: URL = new URL('caught-by.json', import.meta.url);

export async function readCatches(): Promise<Readonly<Record<string, Catch>>> {
  // npm run crash -- --mutations wrote it.
  return JSON.parse(await readFile(catchesFile, 'utf8')) as Record<string, Catch>;
}

const startTimeoutMs = 30_000;
const historyTimeoutMs = 2000;
/** What is kept of a fault: its first line. */
const maxFaultChars = 160;

/** The first of so many histories that fails with the mutation; nothing when it goes unnoticed. */
export async function catchMutation(
  mutation: Mutation,
  { firstSeed, count }: { readonly firstSeed: number; readonly count: number },
): Promise<Catch | undefined> {
  const { failures } = await runHistories({
    firstSeed,
    count,
    stopsAtFailure: true,
    ...(mutation.kind === undefined ? undefined : { kind: mutation.kind }),
    nodeArguments: mutatedArguments(mutation),
    timeoutMs: startTimeoutMs + count * historyTimeoutMs,
  });
  const [first] = failures;
  if (first === undefined) return undefined;
  const { seed, kind, fault } = first;
  const [line = ''] = fault.split('\n');
  return { seed, histories: seed - firstSeed + 1, kind, fault: line.slice(0, maxFaultChars) };
}

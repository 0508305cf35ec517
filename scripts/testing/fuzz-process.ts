// The process in which one *.fuzz.ts file runs: inputs one after another from a seeded generator until the time is over.
// It ends with code 1 at the first input that breaks a property, and says which round of which seed it was.

import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { createRandom } from './fuzz-random.ts';

const MAX_INPUT_MS = 1_000;

interface FuzzOrder {
  readonly file: string;
  readonly name: string;
  readonly seed: number;
  readonly milliseconds: number;
}

// fuzz.ts wrote this argument.
const order = JSON.parse(process.argv[2] ?? '') as FuzzOrder;
const fuzzFile: { fuzz?: unknown } = await import(pathToFileURL(order.file).href);
const { fuzz } = fuzzFile;
if (typeof fuzz !== 'function') throw new Error(`${order.name} exports no function named fuzz.`);

const random = createRandom(order.seed);
const endMs = performance.now() + order.milliseconds;
let round = 0;
try {
  for (; performance.now() < endMs; round += 1) {
    const startedMs = performance.now();
    await fuzz(random);
    const elapsedMs = performance.now() - startedMs;
    if (elapsedMs > MAX_INPUT_MS)
      throw new Error(`One input took ${elapsedMs.toFixed(0)} ms, at most ${MAX_INPUT_MS}.`);
  }
  console.log(`✔ ${order.name}: ${round} inputs, seed ${order.seed}`);
} catch (error) {
  console.error(`✖ ${order.name}: round ${round} of seed ${order.seed}:`, error);
  process.exitCode = 1;
}

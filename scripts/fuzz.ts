// npm run fuzz: runs every *.fuzz.ts for a while, each in a process of its own.
//   npm run fuzz                        ten seconds each, with a fresh seed
//   npm run fuzz -- xml --seconds 300   only files whose path holds the word
//   npm run fuzz -- xml --seed 1234     the inputs of an earlier run again
// A fuzz file exports `fuzz(input)`: it makes one input from the random numbers it is given, feeds it to the code and throws
// when a property does not hold. A refusal with the code's own error is no failure; anything else is, and so is an input
// that takes longer than a second.

import { fork } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { relative } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { findFiles } from './find-files.ts';
import { readOptions } from './script-options.ts';

const DEFAULT_SECONDS = 10;
const MAX_SEED = 2 ** 31;
/** Beyond its time a file gets this long to finish its last input; then it hangs, and its process is ended. */
const GRACE_MS = 10_000;

const root = fileURLToPath(new URL('../', import.meta.url));
const { values, positionals } = readOptions(
  import.meta,
  { seconds: { type: 'number', default: DEFAULT_SECONDS }, seed: { type: 'number' } },
  { allowPositionals: true },
);
const { seconds, seed = randomInt(MAX_SEED) } = values;

const files = (await findFiles(root, { under: ['packages', 'tests'], ending: '.fuzz.ts' })).filter(
  (path) => positionals.length === 0 || positionals.some((word) => relative(root, path).includes(word)),
);
if (files.length === 0) console.log('No *.fuzz.ts file matches. Nothing ran.');
for (const file of files) {
  const failed = !(await runFile(file));
  if (failed) {
    process.exitCode = 1;
    console.error(`✖ ${relative(root, file)}: again with --seed ${seed}`);
  }
}

function runFile(file: string): Promise<boolean> {
  const child = fork(fileURLToPath(new URL('testing/fuzz-process.ts', import.meta.url)), [
    JSON.stringify({ file, name: relative(root, file), seed, milliseconds: seconds * 1000 }),
  ]);
  const limit = setTimeout(
    () => {
      console.error(`${relative(root, file)} hangs on an input; its process is ended.`);
      child.kill('SIGKILL');
    },
    seconds * 1000 + GRACE_MS,
  );
  return new Promise((resolve) => {
    child.on('close', (code) => {
      clearTimeout(limit);
      resolve(code === 0);
    });
  });
}

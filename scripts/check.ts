// npm run check: types (what runs in Node, in browsers, and the latter's tests), lint and format, and the tidy rules, all at once; then one summary.
//   npm run check            reports
//   npm run check -- --fix   lets the formatter and linter mend what they can first
// A check that passes is one line; what a failing one said is shown in full.

import { spawn } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import { commandPath } from './command-path.ts';
import { readOptions } from './script-options.ts';

const root = fileURLToPath(new URL('../', import.meta.url));

interface Check {
  readonly name: string;
  readonly script: string;
  readonly args: readonly string[];
}

interface Outcome {
  readonly check: Check;
  readonly passed: boolean;
  readonly output: string;
  readonly elapsedMs: number;
}

const biome: Check = {
  name: 'lint and format',
  script: commandPath('@biomejs/biome', 'biome'),
  args: ['check', '--colors=off', '--error-on-warnings'],
};

const checks: readonly Check[] = [
  { name: 'types', script: commandPath('typescript', 'tsc'), args: ['-p', 'tsconfig.json'] },
  { name: 'types for browsers', script: commandPath('typescript', 'tsc'), args: ['-p', 'tsconfig.browser.json'] },
  {
    name: 'types of their tests',
    script: commandPath('typescript', 'tsc'),
    args: ['-p', 'tsconfig.browser-tests.json'],
  },
  biome,
  { name: 'tidy', script: 'scripts/test.ts', args: ['tests/tidy/'] },
];

const { values } = readOptions(import.meta, { fix: { type: 'boolean' } });
const startedMs = performance.now();
if (values.fix) await run({ ...biome, args: ['check', '--write', '--colors=off'] });
const outcomes = await Promise.all(checks.map(run));
for (const outcome of outcomes) console.log(render(outcome));
const failed = outcomes.filter(({ passed }) => !passed).map(({ check }) => check.name);
const verdict = failed.length === 0 ? 'all checks passed' : `failed: ${failed.join(', ')}`;
console.log(`\n${verdict} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)`);
process.exitCode = failed.length === 0 ? 0 : 1;

function run(check: Check): Promise<Outcome> {
  const startedMs = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [check.script, ...check.args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    child.on('error', reject);
    child.on('close', (code) =>
      resolve({ check, passed: code === 0, output, elapsedMs: performance.now() - startedMs }),
    );
  });
}

function render({ check, passed, output, elapsedMs }: Outcome): string {
  const mark = styleText(passed ? 'green' : 'red', passed ? '✔' : '✖', { stream: process.stdout });
  const line = `${mark} ${check.name} (${(elapsedMs / 1000).toFixed(1)} s)`;
  const questions = check.name === 'tidy' && passed; // the questions are worth a look even when nothing fails
  return passed && !questions ? line : `${line}\n${output.trimEnd().replace(/^/gm, '  ')}\n`;
}

// npm run conformance [-- -k EXPRESSION]: runs the public suite ceph/s3-tests against a freshly started engine.
// The suite is not part of this repository and is not fetched by it: STOWAGE_S3_TESTS names a checkout. Python packages
// go into .cache/. Results lie in conformance-results/; what may fail, and why, is tests/conformance/expectations.ts.
//   --all            also the suite's tests of IAM, STS, SNS and Select
//   -k EXPRESSION    only tests that match it, as pytest understands it
//   --memory         the in-memory store, instead of the disk store with strict durability

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { judge } from '../tests/conformance/expectations.ts';
import { parseJunit, type TestOutcome } from './conformance/junit.ts';
import { preparePython, runToEnd } from './conformance/python.ts';
import { renderReport } from './conformance/report.ts';
import { suiteAccounts, suiteConfiguration } from './conformance/suite-configuration.ts';
import { readOptions } from './script-options.ts';
import { startServer } from './serving/start-server.ts';

/** One test that takes longer has hung: the longest honest one takes some 20 s. */
const testTimeoutSeconds = 60;
const root = fileURLToPath(new URL('../', import.meta.url));
const results = join(root, 'conformance-results');

async function main(): Promise<number> {
  const { values } = readOptions(import.meta, {
    k: { type: 'string', short: 'k' },
    all: { type: 'boolean' },
    memory: { type: 'boolean' },
  });
  const suite = process.env.STOWAGE_S3_TESTS;
  if (suite === undefined || suite === '') {
    console.error(
      'STOWAGE_S3_TESTS is not set. Clone https://github.com/ceph/s3-tests and run\n' +
        '  STOWAGE_S3_TESTS=/path/to/s3-tests npm run conformance',
    );
    return 2;
  }
  const python = await preparePython({ root, suite });
  const outcomes = await runSuite({ suite, python, expression: values.k, all: values.all, memory: values.memory });
  const report = renderReport(outcomes.map((outcome) => ({ ...outcome, ...judge(outcome) })));
  console.log(report.text);
  await writeFile(join(results, 'report.txt'), report.text);
  return report.unexpected === 0 ? 0 : 1;
}

async function runSuite(run: {
  readonly suite: string;
  readonly python: string;
  readonly expression: string | undefined;
  readonly all: boolean;
  readonly memory: boolean;
}): Promise<readonly TestOutcome[]> {
  const scratch = await mkdtemp(join(tmpdir(), 'stowage-conformance-'));
  const accounts = join(scratch, 'accounts.json');
  await writeFile(accounts, JSON.stringify({ accounts: suiteAccounts }));
  const durability = run.memory ? 'memory' : 'strict';
  const options = ['--data', join(scratch, 'data'), '--durability', durability, '--bucket-defaults', 'legacy'];
  const server = await startServer({ args: ['engine', ...options, '--port', '0', '--accounts', accounts] });
  try {
    const configuration = join(scratch, 's3tests.conf');
    await writeFile(configuration, suiteConfiguration(server.endpoint));
    await mkdir(results, { recursive: true });
    const junit = join(results, 'junit.xml');
    await rm(junit, { force: true });
    const folder = join(run.suite, 's3tests', 'functional');
    const files = run.all ? [folder] : [join(folder, 'test_s3.py'), join(folder, 'test_headers.py')];
    const args = ['-m', 'pytest', '-p', 'no:cacheprovider', '-q', '--tb=short', '-m', 'not fails_on_aws'];
    args.push(`--timeout=${testTimeoutSeconds}`, `--junitxml=${junit}`);
    if (run.expression !== undefined) args.push('-k', run.expression);
    console.log(
      `ceph/s3-tests against ${server.endpoint}, durability ${durability}; output in ${join(results, 'output.txt')}`,
    );
    const environment = { ...process.env, S3TEST_CONF: configuration, PYTHONDONTWRITEBYTECODE: '1' };
    const output = join(results, 'output.txt');
    await runToEnd({ file: run.python, args: [...args, ...files], folder: run.suite, environment, output });
    return parseJunit(await readFile(junit, 'utf8'));
  } finally {
    await server.stop();
    await rm(scratch, { recursive: true, force: true });
  }
}

process.exitCode = await main();

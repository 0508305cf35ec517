// The Python that runs the suite: a virtual environment in .cache/ with the packages that tests/conformance names,
// made once and made again when that list changes.

import { spawn } from 'node:child_process';
import { createWriteStream, existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';

/** The path of its `python`. Rejects with what to do when there is no Python 3 or no suite. */
export async function preparePython(options: { readonly root: string; readonly suite: string }): Promise<string> {
  if (!existsSync(join(options.suite, 's3tests', 'functional', 'test_s3.py'))) {
    throw new Error(
      `STOWAGE_S3_TESTS=${options.suite} is not a checkout of ceph/s3-tests: it has no s3tests/functional.`,
    );
  }
  const folder = join(options.root, '.cache', 's3-tests-python');
  const python = join(folder, 'bin', 'python');
  const requirements = join(options.root, 'tests', 'conformance', 'requirements.txt');
  const wanted = await readFile(requirements, 'utf8');
  const stamp = join(folder, 'installed.txt');
  if (existsSync(stamp) && (await readFile(stamp, 'utf8')) === wanted) return python;
  console.log('Installing the Python packages of the suite into .cache/ …');
  await rm(folder, { recursive: true, force: true });
  await mustSucceed('python3', ['-m', 'venv', folder], options.root);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary', ':all:'];
  await mustSucceed(python, [...pip, '-r', requirements], options.root);
  await writeFile(stamp, wanted);
  return python;
}

/** Runs a program with its output in a file. Answers its exit status. */
export async function runToEnd(options: {
  readonly file: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly output: string;
}): Promise<number> {
  const child = spawn(options.file, options.args, {
    cwd: options.folder,
    env: options.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const file = createWriteStream(options.output);
  for (const stream of [child.stdout, child.stderr]) stream.pipe(file, { end: false });
  const status = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? -1));
  });
  await new Promise<void>((resolve) => file.end(() => resolve()));
  return status;
}

async function mustSucceed(file: string, args: readonly string[], folder: string): Promise<void> {
  const child = spawn(file, args, { cwd: folder, env: process.env, stdio: ['ignore', 'inherit', 'inherit'] });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', (cause) => reject(new Error(`${file} could not be started: install Python 3.`, { cause })));
    child.on('close', resolve);
  });
  if (status !== 0) throw new Error(`${file} ${args.join(' ')} ended with ${status}.`);
}

// The programs that some tests need and that npm cannot install: a browser, the AWS CLI, Python with boto3. Each finder
// answers where the program is, or why there is none, so that a test can skip with that reason:
//   const chromium = await findChromium();
//   if (!chromium.found) return t.skip(chromium.reason);
// Nothing is installed on the system. Where Python and a network are there, boto3 and the AWS CLI are put into a virtual
// environment under .cache/ once, in pinned versions. STOWAGE_TEST_CHROMIUM and STOWAGE_TEST_PYTHON name one's own.

import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

type Program =
  | { readonly found: true; readonly path: string; readonly args: readonly string[] }
  | { readonly found: false; readonly reason: string };

const pythonPackages = ['boto3==1.44.5', 'awscli==1.46.2'];
const PYTHON_SETUP_TIMEOUT_MS = 180_000;
const PYTHON_PROBE_TIMEOUT_MS = 30_000;
/** After a failed set-up (no network, say) other processes of the same run do not try again for this long. */
const PYTHON_RETRY_AFTER_MS = 600_000;

const cache = fileURLToPath(new URL('../.cache/', import.meta.url));
const windows = process.platform === 'win32';
const run = promisify(execFile);

/**
 * A Chromium for playwright-core: an installed one, else the one inside @sparticuz/chromium (Linux on x64).
 * `args` is what it must be started with.
 */
export async function findChromium(): Promise<Program> {
  const asked = process.env.STOWAGE_TEST_CHROMIUM;
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
  const places = [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  ];
  const path = asked ?? (await onPath(names)) ?? (await firstExecutable(places));
  // Chromium's sandbox refuses to work for root, which is what containers run as.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  if (path !== undefined) return { found: true, path, args };
  if (process.platform !== 'linux' || process.arch !== 'x64') return absent('no Chromium or Chrome is installed');
  try {
    const { default: packed } = await import('@sparticuz/chromium');
    // Its own list of arguments is not used: it switches web security off, which the tests are about.
    return { found: true, path: await packed.executablePath(), args: ['--no-sandbox', '--no-zygote', '--disable-gpu'] };
  } catch (error) {
    return absent(`no Chromium is installed, and the one in @sparticuz/chromium cannot be unpacked: ${message(error)}`);
  }
}

/** A Python that can import boto3. */
export async function findPython(): Promise<Program> {
  const asked = process.env.STOWAGE_TEST_PYTHON;
  for (const path of asked === undefined ? [await onPath(['python3']), cachedPython()] : [asked]) {
    if (path !== undefined && (await importsBoto3(path))) return { found: true, path, args: [] };
  }
  if (asked !== undefined) return absent(`STOWAGE_TEST_PYTHON is ${asked}, which cannot import boto3`);
  const failure = await makePythonOnce();
  return failure === undefined ? { found: true, path: cachedPython(), args: [] } : absent(failure);
}

/** The AWS CLI, of version 1 or 2: an installed one, else the one beside the Python with boto3. */
export async function findAwsCli(): Promise<Program> {
  const installed = await onPath(['aws']);
  if (installed !== undefined) return { found: true, path: installed, args: [] };
  const python = await findPython();
  if (!python.found) return absent(`no AWS CLI is installed, and ${python.reason}`);
  const beside = await firstExecutable([join(dirname(python.path), windows ? 'aws.cmd' : 'aws')]);
  return beside === undefined
    ? absent(`no AWS CLI on PATH or beside ${python.path}`)
    : { found: true, path: beside, args: [] };
}

function absent(reason: string): Program {
  return { found: false, reason };
}

function cachedPython(): string {
  return join(cache, 'python', windows ? 'Scripts/python.exe' : 'bin/python');
}

/** Makes the virtual environment; the answer is why that failed, or undefined. */
async function makePythonOnce(): Promise<string | undefined> {
  const python = await onPath(['python3', 'python']);
  if (python === undefined) return 'there is no python3 to make an environment with boto3';
  const notePath = join(cache, 'python-failed');
  const earlier = await recentFailure(notePath);
  if (earlier !== undefined) return earlier;
  // A virtual environment cannot be moved, so each process makes its own and the first one's link wins.
  const own = join(cache, `python-${process.pid}`);
  try {
    await mkdir(cache, { recursive: true });
    await rm(own, { recursive: true, force: true });
    await run(python, ['-m', 'venv', own], { timeout: PYTHON_SETUP_TIMEOUT_MS });
    const pip = ['-m', 'pip', 'install', '--quiet', '--retries', '1', '--timeout', '15', '--disable-pip-version-check'];
    const ownPython = join(own, windows ? 'Scripts/python.exe' : 'bin/python');
    await run(ownPython, [...pip, ...pythonPackages], { timeout: PYTHON_SETUP_TIMEOUT_MS });
    const link = `${own}.link`;
    await rm(link, { force: true });
    await symlink(own, link, 'junction');
    await rename(link, join(cache, 'python'));
    return undefined;
  } catch (error) {
    await rm(own, { recursive: true, force: true });
    const reason = `boto3 could not be installed into a virtual environment: ${message(error)}`;
    await writeFile(notePath, reason);
    return reason;
  }
}

async function recentFailure(notePath: string): Promise<string | undefined> {
  try {
    const { mtimeMs } = await stat(notePath);
    return Date.now() - mtimeMs < PYTHON_RETRY_AFTER_MS ? await readFile(notePath, 'utf8') : undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function importsBoto3(python: string): Promise<boolean> {
  try {
    await run(python, ['-c', 'import boto3'], { timeout: PYTHON_PROBE_TIMEOUT_MS });
    return true;
  } catch {
    return false; // not there, not Python, or without boto3: the caller looks further
  }
}

async function onPath(names: readonly string[]): Promise<string | undefined> {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const suffixes = windows ? ['.exe', '.cmd'] : [''];
  return firstExecutable(
    names.flatMap((name) => folders.flatMap((folder) => suffixes.map((suffix) => join(folder, name + suffix)))),
  );
}

async function firstExecutable(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    try {
      await access(path, constants.X_OK);
      return path;
    } catch {
      // Not here: the next place.
    }
  }
  return undefined;
}

/** The last line that a failed program wrote says most: npm, pip and Chromium all end with the cause. */
function message(error: unknown): string {
  const text = error instanceof Error && 'stderr' in error && error.stderr ? String(error.stderr) : String(error);
  return text.trim().split('\n').at(-1) ?? text;
}

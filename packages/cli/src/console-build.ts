// The console's built pages: where they lie, and building them when their sources have changed since. A packed install
// brings them ready; in a clone they are built by Vite in a process of its own, so that a server does not keep the memory
// of a compiler. The build is made beside the old one and takes its place by rename, so that two starts do not meet.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { CommandError } from './command-error.ts';
import { errorCode } from './durable-file.ts';

/** What the console is made of: its own package and those it imports. */
const sourcePackages = ['console', 'react', 'client', 'contract'];
/** Beside the built pages: the hash of what they were built from. */
const stampName = '.sources';
const maxOutputCharacters = 20_000;

export interface ConsoleBuild {
  /** The folder with `index.html`. */
  readonly directory: string;
  /** How long building took; 0 when it was up to date. */
  readonly builtInMs: number;
}

/** @throws CommandError `console` with Vite's own words when the build fails. */
export async function prepareConsole(options: { readonly onBuilding: () => void }): Promise<ConsoleBuild> {
  const prebuilt = fileURLToPath(new URL('../console/', import.meta.url));
  if (existsSync(join(prebuilt, 'index.html'))) return { directory: prebuilt, builtInMs: 0 };
  const packages = fileURLToPath(new URL('../../', import.meta.url));
  const directory = join(packages, 'console', 'dist');
  const wanted = await hashSources(packages);
  if ((await readStamp(directory)) === wanted) return { directory, builtInMs: 0 };
  options.onBuilding();
  const startedAtMs = performance.now();
  await build(packages, directory, wanted);
  return { directory, builtInMs: performance.now() - startedAtMs };
}

/** SHA-256 over every source's name and content, and over the lockfile, which decides what is bundled with them. */
async function hashSources(packages: string): Promise<string> {
  const hash = createHash('sha256');
  const lockfile = join(packages, '..', 'package-lock.json');
  const files = existsSync(lockfile) ? [lockfile] : [];
  for (const name of sourcePackages) files.push(...(await listSources(join(packages, name))));
  const contents = await Promise.all(files.map((file) => readFile(file)));
  for (const [index, content] of contents.entries()) {
    hash.update(`${(files[index] ?? '').slice(packages.length)}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

async function listSources(folder: string): Promise<string[]> {
  const files: string[] = [];
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (entry.name !== 'node_modules' && entry.name !== 'dist') files.push(...(await listSources(path)));
    } else if (!/\.(test|contract)\.tsx?$/.test(entry.name)) {
      files.push(path);
    }
  }
  return files;
}

async function readStamp(directory: string): Promise<string | undefined> {
  try {
    return await readFile(join(directory, stampName), 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function build(packages: string, directory: string, stamp: string): Promise<void> {
  const root = join(packages, 'console');
  const scratch = join(packages, '..', '.cache', `console-${process.pid}`);
  const made = join(scratch, 'dist');
  await mkdir(scratch, { recursive: true });
  try {
    await runVite(root, made);
    await writeFile(join(made, stampName), stamp);
    await replaceFolder({ old: directory, made, aside: join(scratch, 'old') });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function replaceFolder(options: { old: string; made: string; aside: string }): Promise<void> {
  try {
    await rename(options.old, options.aside);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
  try {
    await rename(options.made, options.old);
  } catch (error) {
    // Another start has put its build there in between, of the same sources.
    if (errorCode(error) !== 'ENOTEMPTY' && errorCode(error) !== 'EEXIST') throw error;
  }
}

async function runVite(root: string, outputFolder: string): Promise<void> {
  const manifest = findVite(root);
  const vite = join(dirname(manifest), 'bin', 'vite.js');
  const args = [vite, 'build', '--outDir', outputFolder, '--emptyOutDir', '--logLevel', 'warn'];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-maxOutputCharacters);
    });
  }
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (status !== 0) {
    throw new CommandError(
      'console',
      `The console could not be built (vite ended with ${status ?? 'a signal'}):\n${output.trimEnd()}`,
    );
  }
}

function findVite(root: string): string {
  try {
    return createRequire(join(root, 'package.json')).resolve('vite/package.json');
  } catch (cause) {
    throw new CommandError(
      'console',
      'The console has to be built, and Vite is not installed. Run `npm ci --include=dev`.',
      { cause },
    );
  }
}

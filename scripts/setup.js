// Runs before start, test, check and dev, on whatever Node the machine has (18 or newer): plain JavaScript, no imports
// but Node's own. It installs the dependencies when package-lock.json is not the one that was installed, and makes sure
// that the scripts after it meet Node 24 or newer: npm puts node_modules/.bin first on PATH, and the lockfile pins a
// Node there for the platforms that have a package (decisions/001). When nothing changed it returns at once.

import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join, sep } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const NEEDED_NODE_MAJOR = 24;
const HEARTBEAT_MS = 2_000;
const TICKS_PER_LINE = 20;
const LOCK_POLL_MS = 250;
/** A lock whose owner's heartbeat was not seen for this many polls (60 s) is stale, even if some process has its pid. */
const LOCK_POLLS_WITHOUT_HEARTBEAT = 240;
/** Of npm's output on a failure: the first and the last half of this many lines are shown. */
const OUTPUT_LINES = 30;

const root = fileURLToPath(new URL('../', import.meta.url));
const modules = join(root, 'node_modules');
const stampPath = join(modules, '.stowage-lock');
const lockPath = join(root, '.cache', 'setup.lock');
const windows = process.platform === 'win32';

/** An expected failure: its message is for the person at the terminal, and no stack is shown. */
class SetupError extends Error {}

async function setUp() {
  const wanted = wantedStamp();
  if (!isInstalled(wanted)) await withLock(() => install(wanted));
  checkNode();
}

/** What the stamp holds when node_modules belongs to this lockfile, this platform and this checkout's rules. */
function wantedStamp() {
  const lockfile = readFileSync(join(root, 'package-lock.json'));
  return `${createHash('sha256').update(lockfile).digest('hex')} ${process.platform}-${process.arch}`;
}

function isInstalled(wanted) {
  const stamp = existsSync(stampPath) ? readFileSync(stampPath, 'utf8').trim() : '';
  if (stamp === `${wanted} system-node`) return true;
  return stamp === wanted && (platformNode() === undefined || existsSync(platformNode()));
}

/** The path of the pinned Node of this platform; undefined where package.json names none. */
function platformNode() {
  const platform = `${windows ? 'win' : process.platform}-${process.arch}`;
  const pinned = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).optionalDependencies ?? {};
  const name = [`node-${platform}`, `node-bin-${platform}`].find((candidate) => candidate in pinned);
  return name && join(modules, name, 'bin', windows ? 'node.exe' : 'node');
}

async function install(wanted) {
  if (isInstalled(wanted)) return; // Another process did it while this one waited for the lock.
  const first = !existsSync(modules);
  if (!first) say('The lockfile changed: checking what is installed …');
  if (matchesLockfile()) return stamp(wanted); // The developer ran `npm install` by hand.
  const startedMs = Date.now();
  say(
    `${first ? 'First run: installing' : 'Installing'} ${countOfPackages()} packages with npm; a first time takes about a minute …`,
  );
  rmSync(stampPath, { force: true });
  await runNpm();
  stamp(wanted);
  say(`Dependencies installed in ${((Date.now() - startedMs) / 1000).toFixed(1)} s.`);
}

/** How many the lockfile names, those of other platforms among them. */
function countOfPackages() {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return Object.keys(packages).filter((path) => path !== '').length;
}

function stamp(wanted) {
  const kept = keepWorkingNode();
  writeFileSync(`${stampPath}.new`, `${wanted}${kept ? '' : ' system-node'}\n`);
  renameSync(`${stampPath}.new`, stampPath);
}

/** Whether npm's own note of what lies in node_modules (written last by each install) is what the lockfile asks for. */
function matchesLockfile() {
  const installedPath = join(modules, '.package-lock.json');
  if (!existsSync(installedPath) || (platformNode() !== undefined && !existsSync(platformNode()))) return false;
  const installed = JSON.parse(readFileSync(installedPath, 'utf8')).packages;
  const locked = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  for (const [path, entry] of Object.entries(locked)) {
    if (path === '') continue;
    const found = installed[path];
    if (
      found === undefined ? !entry.optional : found.version !== entry.version || found.integrity !== entry.integrity
    ) {
      return false;
    }
  }
  return Object.keys(installed).every((path) => path in locked);
}

/**
 * Tries the Node that was just installed. One that cannot run here (musl instead of glibc, say) would stand first on
 * PATH and break every later script, so its link is taken away and the system's Node is used.
 */
function keepWorkingNode() {
  const path = platformNode();
  if (path === undefined || !existsSync(path)) return path === undefined;
  const tried = spawnSync(path, ['--version'], { encoding: 'utf8' });
  if (tried.status === 0) return true;
  for (const link of ['node', 'node.cmd', 'node.ps1']) rmSync(join(modules, '.bin', link), { force: true });
  say(`The pinned Node does not run on this system (${tried.error?.message ?? tried.stderr.trim()}).`);
  return false;
}

/** Runs `npm ci`, silent unless it fails. */
async function runNpm() {
  const npm = npmCommand();
  // A running node.exe cannot be deleted on Windows, and `ci` deletes everything first; `install` leaves it alone.
  const verb = windows && process.execPath.startsWith(modules + sep) ? 'install' : 'ci';
  // dev and optional are named because NODE_ENV=production or a user's configuration may leave them out.
  const args = [
    verb,
    '--ignore-scripts',
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
  ];
  const child = spawn(npm.file, [...npm.args, ...args], {
    cwd: root,
    shell: npm.shell,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const stopTicking = tick();
  const outcome = await new Promise((resolve) => {
    child.on('error', (error) => resolve({ error }));
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  stopTicking();
  if (outcome.error) {
    throw new SetupError(
      `npm could not be started (${outcome.error.message}).\nInstall npm, or run this through it: npm start, npm test.`,
    );
  }
  if (outcome.code !== 0) throw new SetupError(explain(output, outcome));
}

function npmCommand() {
  const path = process.env.npm_execpath;
  if (path && basename(path) === 'npm-cli.js' && existsSync(path)) {
    return { file: process.env.npm_node_execpath ?? process.execPath, args: [path], shell: false };
  }
  return { file: 'npm', args: [], shell: windows };
}

/**
 * Says that it goes on, so that a slow network does not look like a hang: each second on a terminal, else, where each is a line of a
 * log, only now and then. Returns what stops it.
 */
function tick() {
  const startedMs = Date.now();
  let ticks = 0;
  const timer = setInterval(() => {
    ticks += 1;
    const seconds = Math.round((Date.now() - startedMs) / 1000);
    if (process.stderr.isTTY) process.stderr.write(`\r  ${seconds} s`);
    else if (ticks % TICKS_PER_LINE === 0) say(`  still installing after ${seconds} s …`);
  }, 1000);
  return () => {
    clearInterval(timer);
    if (process.stderr.isTTY) process.stderr.write('\r        \r');
  };
}

/** Turns npm's output into what happened and what to do. */
function explain(output, { code, signal }) {
  const causes = [
    [/ENOSPC/, 'The disk is full. Free about 700 MB and run this again.'],
    [
      /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED|ERR_SOCKET_TIMEOUT/,
      'The package registry cannot be reached. Check the network or the proxy (npm config get registry), then run this again.',
    ],
    [/EACCES|EPERM/, `No permission to write to ${modules}. Mend its owner (or delete it), then run this again.`],
    [/EINTEGRITY/, 'A package is not the one the lockfile names. Run "npm cache clean --force", then run this again.'],
    [/EUSAGE/, 'package.json and package-lock.json differ. Run "npm install --ignore-scripts", then run this again.'],
  ];
  const known = causes.find(([pattern]) => pattern.test(output));
  const lines = output.trimEnd().split('\n');
  if (lines.length > OUTPUT_LINES) lines.splice(OUTPUT_LINES / 2, lines.length - OUTPUT_LINES, '…');
  const how = signal ? `was stopped by ${signal}` : `failed with exit code ${code}`;
  return `npm ${how}. It said:\n\n${lines.join('\n')}\n\n${known ? known[1] : 'Mend what it names, then run this again.'}`;
}

/** Holds the lock file while `work` runs: of two processes that start at once, one installs and the other waits. */
async function withLock(work) {
  mkdirSync(join(root, '.cache'), { recursive: true });
  const token = `${process.pid} ${Date.now()} ${Math.random()}`;
  await takeLock(token);
  const heart = setInterval(() => utimesSync(lockPath, new Date(), new Date()), HEARTBEAT_MS);
  const release = () => {
    if (readLock()?.token === token) rmSync(lockPath, { force: true });
  };
  const stop = (signal) => {
    release();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    await work();
  } finally {
    clearInterval(heart);
    process.off('SIGINT', stop).off('SIGTERM', stop);
    release();
  }
}

async function takeLock(token) {
  let seen = { token: '', beatMs: 0, polls: 0 };
  for (;;) {
    try {
      writeFileSync(lockPath, token, { flag: 'wx' });
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const lock = readLock();
    if (lock === undefined) continue;
    const unchanged = lock.token === seen.token && lock.beatMs === seen.beatMs;
    if (seen.polls === 0) say(`Another process (${lock.pid}) is installing dependencies: waiting for it …`);
    seen = { token: lock.token, beatMs: lock.beatMs, polls: unchanged ? seen.polls + 1 : 1 };
    if (!isAlive(lock.pid) || seen.polls > LOCK_POLLS_WITHOUT_HEARTBEAT) breakLock(lock);
    else await sleep(LOCK_POLL_MS);
  }
}

function readLock() {
  try {
    const token = readFileSync(lockPath, 'utf8');
    return { token, pid: Number(token.split(' ')[0]), beatMs: statSync(lockPath).mtimeMs };
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Takes a dead owner's lock away. The rename has one winner; if it caught a newer owner's lock, that is put back. */
function breakLock(lock) {
  const aside = `${lockPath}.${process.pid}`;
  try {
    renameSync(lockPath, aside);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  if (readFileSync(aside, 'utf8') === lock.token) rmSync(aside);
  else renameSync(aside, lockPath);
}

function isAlive(pid) {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** The scripts after this one run `node` from PATH: the pinned one, or the Node that runs this file. */
function checkNode() {
  if (existsSync(join(modules, '.bin', windows ? 'node.cmd' : 'node'))) return;
  const found = process.versions.node;
  if (Number(found.split('.')[0]) >= NEEDED_NODE_MAJOR) return;
  throw new SetupError(
    `Stowage needs Node ${NEEDED_NODE_MAJOR} or newer. Found: Node ${found} at ${process.execPath}.\n` +
      `No Node comes with the repository for this platform (${process.platform}-${process.arch}). ` +
      `Install Node ${NEEDED_NODE_MAJOR} (https://nodejs.org), then run this again.`,
  );
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

try {
  await setUp();
} catch (error) {
  const expected =
    error instanceof SetupError || error.code === 'ENOSPC' || error.code === 'EACCES' || error.code === 'EROFS';
  say(`\nSet-up failed. ${expected ? error.message : error.stack}`);
  process.exitCode = 1;
}

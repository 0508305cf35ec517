// Runs a group of test files in a process of its own and gathers what happened. The process may fail in ways that no test
// can report: it dies (a native crash, process.exit), its event loop blocks, or it never ends because a test left
// something open. Each of these becomes a failure with the file that caused it.

import { type ChildProcess, fork } from 'node:child_process';
import { join, relative } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { GroupMessage, GroupOrder, TestReport } from './group-messages.ts';

const DEFAULT_QUIET_MS = 5_000;
/** Shorter, when one file is run alone to see whether it is the one that leaves something open. */
const QUIET_ALONE_MS = 1_500;
const BLOCKED_MS = 60_000;
const MIN_STALLED_MS = 60_000;
/** Of what the tests print, the end is kept. */
const MAX_OUTPUT_CHARS = 200_000;

export interface GroupOutcome {
  readonly name: string;
  readonly reports: readonly TestReport[];
  readonly diagnostics: readonly string[];
  /** What went wrong with the process itself, in sentences. */
  readonly faults: readonly string[];
  /** What the tests wrote to stdout and stderr. */
  readonly output: string;
  readonly durationMs: number;
  readonly passed: boolean;
}

interface GroupRun {
  readonly name: string;
  readonly root: string;
  readonly files: readonly string[];
  readonly testTimeoutMs: number;
  readonly namePattern?: string | undefined;
  /** How long the process may live on, with all tests over, before that counts as something left open. Default: 5 s. */
  readonly quietMs?: number;
  /** How long nothing may happen. Default: twice the limit of a test, at least a minute. */
  readonly stalledMs?: number;
}

const running = new Set<ChildProcess>();

/** Ends every group's process at once (the person pressed Ctrl-C). */
export function stopGroups(): void {
  for (const child of running) child.kill('SIGKILL');
}

export async function runGroup(group: GroupRun): Promise<GroupOutcome> {
  const startedMs = performance.now();
  const run = await runProcess(group, group.quietMs ?? DEFAULT_QUIET_MS);
  const faults = [...run.faults];
  if (run.leftOpen !== undefined) {
    const guilty = await filesThatLeaveOpen(group);
    const files = guilty.length > 0 ? guilty.join(', ') : 'no file alone: it takes several of the group together';
    faults.push(
      `Tests left handles open (${run.leftOpen.join(', ')}), so the process would not end. Left open by: ${files}`,
    );
  }
  const bad = run.reports.some(({ result }) => result === 'failed' || result === 'cancelled');
  return {
    name: group.name,
    reports: run.reports,
    diagnostics: run.diagnostics,
    faults,
    output: run.output,
    durationMs: performance.now() - startedMs,
    passed: faults.length === 0 && !bad,
  };
}

async function filesThatLeaveOpen(group: GroupRun): Promise<string[]> {
  const guilty: string[] = [];
  for (const file of group.files) {
    const alone = await runProcess({ ...group, files: [file] }, QUIET_ALONE_MS);
    if (alone.leftOpen !== undefined) guilty.push(relative(group.root, file));
  }
  return guilty;
}

interface ProcessRun {
  readonly reports: TestReport[];
  readonly diagnostics: string[];
  readonly faults: string[];
  output: string;
  leftOpen?: readonly string[];
}

async function runProcess(group: GroupRun, quietMs: number): Promise<ProcessRun> {
  const { files, testTimeoutMs, namePattern, root } = group;
  const order: GroupOrder = { files, testTimeoutMs, namePattern, quietMs };
  const run: ProcessRun = { reports: [], diagnostics: [], faults: [], output: '' };
  const child = fork(fileURLToPath(new URL('group-process.ts', import.meta.url)), [JSON.stringify(order)], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(root, '.cache', 'compile') },
  });
  running.add(child);
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      run.output = (run.output + text).slice(-MAX_OUTPUT_CHARS);
    });
  }
  const progress = watchProgress(group, () => child.kill('SIGKILL'));
  let done = false;
  child.on('message', (message: GroupMessage) => {
    progress.note(message);
    if (message.type === 'report') run.reports.push(message.report);
    if (message.type === 'diagnostic') run.diagnostics.push(message.message);
    if (message.type === 'left-open') run.leftOpen = message.resources;
    if (message.type === 'done') done = true;
  });
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    child.on('close', (code, signal) => resolve([code, signal]));
  });
  const { fault, where } = progress.end();
  running.delete(child);
  if (fault !== undefined) run.faults.push(fault);
  else if (!done && run.leftOpen === undefined) {
    run.faults.push(
      `The process ended by itself (${signal ?? `exit code ${code}`}) ${where}; later tests did not run.`,
    );
  }
  return run;
}

interface Progress {
  note(message: GroupMessage): void;
  /** Why the process was given up, if it was, and where it is or was. */
  end(): { readonly fault: string | undefined; readonly where: string };
}

/**
 * Gives the process up when it makes no sign of life (its event loop is blocked), or lives but gets nowhere: the loading of
 * a file hangs, or a hook does. A single test that hangs is node:test's affair, by the test's own limit.
 */
function watchProgress(group: GroupRun, giveUp: () => void): Progress {
  const stalledMs = group.stalledMs ?? Math.max(2 * group.testTimeoutMs, MIN_STALLED_MS);
  let loading = '';
  let test: string | undefined;
  let tested = false;
  let fault: string | undefined;
  const where = (): string => {
    if (test !== undefined) return `in ${test}`;
    return tested ? 'between tests' : `while loading ${relative(group.root, loading)}`;
  };
  const alarm = (ms: number, what: string): NodeJS.Timeout =>
    setTimeout(() => {
      fault = `${what} for ${ms / 1000} s ${where()}; the process was ended.`;
      giveUp();
    }, ms);
  let blocked = alarm(BLOCKED_MS, 'The event loop was blocked');
  let stalled = alarm(stalledMs, 'Nothing happened');
  return {
    note(message) {
      clearTimeout(blocked);
      blocked = alarm(BLOCKED_MS, 'The event loop was blocked');
      if (message.type === 'alive') return;
      clearTimeout(stalled);
      stalled = alarm(stalledMs, 'Nothing happened');
      if (message.type === 'loading') loading = message.file;
      if (message.type === 'started') {
        tested = true;
        test = `"${message.name}" (${relative(group.root, message.file)})`;
      }
      if (message.type === 'report' && message.report.path.length === 1) test = undefined;
    },
    end() {
      clearTimeout(blocked);
      clearTimeout(stalled);
      return { fault, where: where() };
    },
  };
}

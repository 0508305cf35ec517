// The process in which a group of test files runs, all in one, started by run-group.ts with a channel to it.
// It passes node:test's events on, sends a sign of life while its event loop turns, and ends itself with a report when
// every test is over but something (a server, a timer, a child) still keeps the process alive.

import { registerHooks } from 'node:module';
import process from 'node:process';
import { run } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import type { GroupMessage, GroupOrder, TestReport } from './group-messages.ts';

const ALIVE_INTERVAL_MS = 2_000;
const LEFT_OPEN_EXIT_CODE = 3;

// The parent wrote this argument: see run-group.ts.
const order = JSON.parse(process.argv[2] ?? '') as GroupOrder;

function send(message: GroupMessage, sent?: () => void): void {
  process.send?.(message, undefined, undefined, sent);
}

setInterval(() => send({ type: 'alive' }), ALIVE_INTERVAL_MS).unref();

const allLoaded = fileURLToPath(new URL('all-loaded.ts', import.meta.url));

// node:test's events begin when every file is loaded, so a file whose loading hangs is found by watching the loader.
const testFiles = new Map(order.files.map((file) => [pathToFileURL(file).href, file]));
registerHooks({
  load(url, context, nextLoad) {
    const file = testFiles.get(url);
    if (file !== undefined) send({ type: 'loading', file });
    return nextLoad(url, context);
  },
});

const events = run({
  files: [...order.files, allLoaded],
  isolation: 'none',
  timeout: order.testTimeoutMs,
  ...(order.namePattern !== undefined && { testNamePatterns: [new RegExp(order.namePattern)] }),
});

let topLevelOpen = 0;
let everyFileLoaded = false;
let quietTimer: NodeJS.Timeout | undefined;
const suites: string[] = [];

events.on('test:enqueue', (data) => {
  if (data.nesting > 0) return;
  topLevelOpen += 1;
  if (data.file === allLoaded) everyFileLoaded = true;
});
events.on('test:dequeue', (data) => {
  if (data.nesting === 0 && data.file !== allLoaded) send({ type: 'started', name: data.name, file: data.file ?? '' });
});
events.on('test:complete', (data) => {
  if (data.nesting === 0) topLevelOpen -= 1;
  clearTimeout(quietTimer);
  if (topLevelOpen === 0 && everyFileLoaded) quietTimer = setTimeout(reportLeftOpen, order.quietMs).unref();
});
events.on('test:start', (data) => {
  suites.length = data.nesting;
  suites[data.nesting] = data.name;
});
for (const type of ['test:pass', 'test:fail'] as const) {
  events.on(type, (data) => {
    if (data.file === allLoaded) return;
    suites.length = data.nesting;
    send({ type: 'report', report: reportOf(data, [...suites, data.name]) });
  });
}
events.on('test:diagnostic', (data) => {
  if (data.nesting > 0 || data.file !== undefined) {
    send({ type: 'diagnostic', message: data.message, file: data.file ?? '' });
  }
});
events.on('end', () => {
  clearTimeout(quietTimer);
  send({ type: 'done' });
});
events.resume();

interface FinishedTest {
  readonly name: string;
  readonly file?: string;
  readonly skip?: string | boolean;
  readonly todo?: string | boolean;
  readonly details: { readonly duration_ms: number; readonly type?: string; readonly error?: unknown };
}

function reportOf(data: FinishedTest, path: readonly string[]): TestReport {
  const { error, type, duration_ms: durationMs } = data.details;
  const failure = error as (Error & { failureType?: string; cause?: unknown }) | undefined; // node:test's own error
  const common = {
    name: data.name,
    path,
    file: data.file ?? '',
    kind: type === 'suite' ? 'suite' : 'test',
    durationMs,
  } as const;
  if (data.skip !== undefined)
    return { ...common, result: 'skipped', reason: data.skip === true ? '' : String(data.skip) };
  if (data.todo !== undefined) return { ...common, result: 'todo' };
  if (failure === undefined) return passed(common);
  const cause = failure.cause ?? failure;
  const result = failure.failureType === 'cancelledByParent' ? 'cancelled' : 'failed';
  return { ...common, result, error: errorText(cause) };
}

/** The message, the stack's own lines and the causes; an assertion's extra fields repeat its message and are left out. */
function errorText(cause: unknown): string {
  if (typeof cause === 'string') return cause;
  const assertion = cause instanceof Error && 'code' in cause && cause.code === 'ERR_ASSERTION';
  const text = assertion ? (cause.stack ?? cause.message) : inspect(cause, { depth: 6 });
  return text.replace(/^ +at .*\(?node:internal.*\n?/gm, '').trimEnd();
}

/** node:test stands in a passed test with the file's own path as its name for a file that holds none. */
function passed(common: Omit<TestReport, 'result'>): TestReport {
  if (common.name !== common.file || order.namePattern !== undefined) return { ...common, result: 'passed' };
  return { ...common, result: 'failed', error: 'This file holds no test: nothing in it can fail.' };
}

function reportLeftOpen(): void {
  const ours = new Set(['PipeWrap', 'TTYWrap', 'Immediate']);
  const resources = process.getActiveResourcesInfo().filter((name) => !ours.has(name));
  send({ type: 'left-open', resources }, () => process.exit(LEFT_OPEN_EXIT_CODE));
}

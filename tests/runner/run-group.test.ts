// The test runner itself, on bad examples: whatever goes wrong in a test file must show as a failure.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { type GroupOutcome, runGroup } from '../../scripts/testing/run-group.ts';
import { renderGroup, renderSummary } from '../../scripts/testing/summary.ts';

let root = '';
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'stowage-runner-'));
});
after(() => rm(root, { recursive: true }));

async function run(files: Record<string, string>): Promise<GroupOutcome> {
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(root, name), `import test from 'node:test';\n${text}`);
  }
  const paths = Object.keys(files).map((name) => join(root, name));
  return runGroup({ name: 'example', root, files: paths, testTimeoutMs: 500, quietMs: 500, stalledMs: 4_000 });
}

const passing = `test('fine', () => {});`;

test('passed, failed, skipped and todo tests are told apart and summed', async () => {
  const outcome = await run({
    'counts.test.ts': `${passing}
      test('bad', () => { throw new Error('no such luck'); });
      test('absent', (t) => t.skip('no browser here'));
      test('later', { todo: true }, () => { throw new Error('not yet'); });
      test.suite('group', () => { test('inner', () => {}); });`,
  });
  assert.equal(outcome.passed, false);
  const summary = renderSummary([outcome], { root, elapsedMs: 1 });
  assert.match(summary, /^# tests 5$/m);
  assert.match(summary, /^# suites 1$/m);
  assert.match(summary, /^# pass 2$/m);
  assert.match(summary, /^# todo 1$/m);
  assert.match(summary, /SKIPPED {2}counts\.test\.ts: absent: no browser here/);
  assert.match(summary, /\n2 passed, 1 failed, 1 skipped$/);
  assert.match(renderGroup(outcome, { root, verbose: true }), /no such luck/);
});

test('a group in which all is well passes', async () => {
  const outcome = await run({ 'fine.test.ts': passing });
  assert.equal(outcome.passed, true);
  assert.deepEqual(outcome.faults, []);
});

test('a test that never ends fails at its limit', async () => {
  const outcome = await run({
    'endless.test.ts': `test('endless', () => new Promise((resolve) => { setTimeout(resolve, 1500); }));`,
  });
  assert.deepEqual(
    outcome.reports.map(({ name, result }) => [name, result]),
    [['endless', 'failed']],
  );
});

test('a file that cannot be loaded fails', async () => {
  const outcome = await run({ 'broken.test.ts': `throw new Error('cannot load');` });
  assert.equal(outcome.passed, false);
  assert.match(outcome.reports[0]?.error ?? '', /cannot load/);
});

test('a file without a test fails', async () => {
  const outcome = await run({ 'empty.test.ts': 'void test;' });
  assert.match(outcome.reports[0]?.error ?? '', /holds no test/);
});

test('a process that dies fails, and says where', async () => {
  const outcome = await run({ 'dies.test.ts': `test('dies', () => process.kill(process.pid, 'SIGKILL'));` });
  assert.equal(outcome.passed, false);
  assert.match(outcome.faults[0] ?? '', /SIGKILL.*"dies" \(dies\.test\.ts\)/);
});

test('a file whose loading never ends is given up, and named', async () => {
  const outcome = await run({
    'first.test.ts': passing,
    'stuck.test.ts': `setInterval(() => {}, 1000);\nawait new Promise(() => {});`,
    'last.test.ts': passing,
  });
  assert.equal(outcome.passed, false);
  assert.deepEqual(outcome.faults, ['Nothing happened for 4 s while loading stuck.test.ts; the process was ended.']);
});

test('a hook that never ends is given up', async () => {
  const outcome = await run({
    'hook.test.ts': `${passing}\ntest.after(() => new Promise((resolve) => setTimeout(resolve, 9_000)), { timeout: 9_000 });`,
  });
  assert.equal(outcome.passed, false);
});

test('a test that leaves a server open fails, and its file is named', async () => {
  const outcome = await run({
    'innocent.test.ts': passing,
    'open.test.ts': `import net from 'node:net';\ntest('open', () => { net.createServer().listen(0, '127.0.0.1'); });`,
  });
  assert.equal(outcome.passed, false);
  assert.match(outcome.faults.join(), /TCPServerWrap.*Left open by: open\.test\.ts$/);
});

// Turns the outcomes of test groups into what a person and a CI job read. The closing lines are those of node:test's own
// TAP summary (`# tests N`, `# pass N` …), summed over all groups, and after them one line for people.

import { relative } from 'node:path';
import process from 'node:process';
import { styleText } from 'node:util';
import type { TestReport } from './group-messages.ts';
import type { GroupOutcome } from './run-group.ts';

const SLOW_TESTS_SHOWN = 5;
const SLOW_TEST_MS = 2_000;

type Colour = 'red' | 'green' | 'yellow' | 'dim' | 'bold';

function paint(colour: Colour, text: string): string {
  return styleText(colour, text, { stream: process.stdout });
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** One group: its line, what its tests printed, each test if asked for, and failures in full. */
export function renderGroup(outcome: GroupOutcome, { root, verbose }: { root: string; verbose: boolean }): string {
  const { passed, failed, cancelled, skipped } = count([outcome]);
  const mark = outcome.passed ? paint('green', '✔') : paint('red', '✖');
  const parts = [
    `${passed} passed`,
    failed + cancelled && `${failed + cancelled} failed`,
    skipped && `${skipped} skipped`,
  ];
  const lines = [
    `${mark} ${outcome.name}  ${parts.filter(Boolean).join(', ')}  ${paint('dim', seconds(outcome.durationMs))}`,
  ];
  if (outcome.output.trim() !== '') lines.push(indent(outcome.output.trimEnd(), '  │ '));
  for (const message of outcome.diagnostics) lines.push(indent(message, '  ℹ '));
  if (verbose) for (const report of outcome.reports) lines.push(`  ${report.result.padEnd(9)} ${place(report, root)}`);
  for (const report of outcome.reports) {
    if (isBad(report) && report.error !== undefined) {
      lines.push('', paint('red', `  ✖ ${place(report, root)}`), indent(report.error, '    '));
    }
  }
  for (const fault of outcome.faults) lines.push('', paint('red', `  ✖ ${fault}`));
  return lines.join('\n');
}

export function renderSummary(
  outcomes: readonly GroupOutcome[],
  { root, elapsedMs }: { root: string; elapsedMs: number },
): string {
  const all = outcomes.flatMap(({ reports }) => reports);
  const lines: string[] = [''];
  for (const report of all.filter(({ result }) => result === 'skipped')) {
    lines.push(paint('yellow', `SKIPPED  ${place(report, root)}: ${report.reason || 'no reason given'}`));
  }
  for (const report of all.filter(isBad)) lines.push(paint('red', `FAILED   ${place(report, root)}`));
  for (const { name, faults } of outcomes)
    for (const fault of faults) lines.push(paint('red', `FAILED   ${name}: ${fault}`));
  const slow = all.filter(({ kind, durationMs }) => kind === 'test' && durationMs > SLOW_TEST_MS);
  for (const report of slow.sort((a, b) => b.durationMs - a.durationMs).slice(0, SLOW_TESTS_SHOWN)) {
    lines.push(paint('dim', `slow     ${place(report, root)}: ${seconds(report.durationMs)}`));
  }
  const counts = count(outcomes);
  lines.push(
    `# tests ${counts.tests}`,
    `# suites ${counts.suites}`,
    `# pass ${counts.passed}`,
    `# fail ${counts.failed}`,
    `# cancelled ${counts.cancelled}`,
    `# skipped ${counts.skipped}`,
    `# todo ${counts.todo}`,
    `# duration_ms ${Math.round(elapsedMs)}`,
    `${counts.passed} passed, ${counts.failed + counts.cancelled} failed, ${counts.skipped} skipped`,
  );
  return lines.join('\n');
}

interface Counts {
  tests: number;
  suites: number;
  passed: number;
  failed: number;
  cancelled: number;
  skipped: number;
  todo: number;
}

/** Counts as node:test does: suites apart from tests. A fault of the process is one failed test. */
function count(outcomes: readonly GroupOutcome[]): Counts {
  const counts: Counts = { tests: 0, suites: 0, passed: 0, failed: 0, cancelled: 0, skipped: 0, todo: 0 };
  for (const { reports, faults } of outcomes) {
    counts.tests += faults.length;
    counts.failed += faults.length;
    for (const { kind, result } of reports) {
      if (kind === 'suite') counts.suites += 1;
      else {
        counts.tests += 1;
        counts[result] += 1;
      }
    }
  }
  return counts;
}

/** A failed suite is only named when no test of its own explains it (its hook failed, say). */
function isBad({ result, kind, error }: TestReport): boolean {
  if (result !== 'failed' && result !== 'cancelled') return false;
  return kind === 'test' || !/^\d+ subtests? failed$/.test(error ?? '');
}

function place({ path, file }: TestReport, root: string): string {
  const name = path.filter((part) => part !== file).join(' › ');
  return name === '' ? relative(root, file) : `${relative(root, file)}: ${name}`;
}

function indent(text: string, prefix: string): string {
  return text.replace(/^/gm, prefix);
}

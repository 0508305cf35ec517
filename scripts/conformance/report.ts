// What a run of the suite came to: a table by area, then every failure with its reason, those without one first.

import type { TestOutcome } from './junit.ts';

interface JudgedOutcome extends TestOutcome {
  readonly area: string;
  /** Why it may fail; absent where it must pass. */
  readonly reason?: string;
}

export function renderReport(outcomes: readonly JudgedOutcome[]): {
  readonly text: string;
  readonly unexpected: number;
} {
  const areas = Map.groupBy(outcomes, ({ area }) => area);
  const rows = [...areas]
    .map(([area, tests]) => ({ area, ...count(tests) }))
    .sort((a, b) => (a.area < b.area ? -1 : 1));
  const lines = ['', row('area', 'passed', 'of', 'unexpected'), row('----', '------', '--', '----------')];
  for (const { area, passed, total, unexpected } of rows) lines.push(row(area, passed, total, unexpected));
  const all = count(outcomes);
  lines.push(row('all', all.passed, all.total, all.unexpected));
  const failed = outcomes.filter(({ status }) => status === 'failed');
  const unexpected = failed.filter(({ reason }) => reason === undefined);
  if (unexpected.length > 0) lines.push('', `Failures without a reason (${unexpected.length}):`);
  for (const { name, message } of unexpected) lines.push(`  ${name}: ${message}`);
  const known = Map.groupBy(
    failed.filter(({ reason }) => reason !== undefined),
    ({ reason }) => reason ?? '',
  );
  for (const [reason, tests] of [...known].sort((a, b) => b[1].length - a[1].length)) {
    lines.push('', `${reason} (${tests.length}):`, ...tests.map(({ name }) => `  ${name}`));
  }
  const passing = outcomes.filter(({ status, reason }) => status === 'passed' && reason !== undefined);
  if (passing.length > 0) lines.push('', `Pass although a reason to fail is listed (${passing.length}):`);
  for (const { name, reason } of passing) lines.push(`  ${name}  [${reason}]`);
  return { text: `${lines.join('\n')}\n`, unexpected: unexpected.length };
}

function count(tests: readonly JudgedOutcome[]): { passed: number; total: number; unexpected: number } {
  const ran = tests.filter(({ status }) => status !== 'skipped');
  return {
    passed: ran.filter(({ status }) => status === 'passed').length,
    total: ran.length,
    unexpected: ran.filter(({ status, reason }) => status === 'failed' && reason === undefined).length,
  };
}

function row(area: string, ...cells: readonly (string | number)[]): string {
  return `  ${area.padEnd(24)}${cells.map((cell) => String(cell).padStart(11)).join('')}`;
}

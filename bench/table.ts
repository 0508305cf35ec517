// The figures of a run as text: for each workload the servers, medians over the rounds with their spread, and each beside
// ours; then the claims.

import type { Reached, Verdict } from './claims.ts';
import { median } from './median.ts';
import type { Measurement, SuiteResult } from './results.ts';
import type { Workload } from './workloads.ts';

export function renderTable(result: SuiteResult, workloads: readonly Workload[]): string {
  const head = row(
    '',
    'per second',
    '(lowest–highest)',
    'MB/s',
    'p50 ms',
    'p99 ms',
    'CPU ms/op',
    'cores',
    'load CPU',
    'peak MB',
    'ratio',
  );
  const lines = [head];
  for (const [name, measured] of Map.groupBy(result.measurements, (measurement) => measurement.workload)) {
    const workload = workloads.find((each) => each.name === name);
    const perSecond = (measurement: Measurement): number =>
      measurement.operationsPerSecond * (workload?.unit === undefined ? 1 : (measurement.itemsPerOperation ?? 0));
    lines.push('', `${name}: ${workload?.title ?? ''}${workload?.unit === undefined ? '' : ` (${workload.unit})`}`);
    const byServer = [...Map.groupBy(measured, (measurement) => measurement.server)];
    const first = median((byServer[0]?.[1] ?? []).map(perSecond));
    for (const [server, rounds] of byServer) lines.push(serverRow({ server, rounds, perSecond, first }));
  }
  lines.push(
    '',
    'ratio: how many times as much the first server does. Load CPU: ms of the clients for each operation.',
  );
  for (const { name, durability } of result.servers) lines.push(`${name}: durability ${durability}`);
  return `${lines.join('\n')}\n`;
}

const reachedWords = {
  yes: 'reached    ',
  'by median': 'by median  ',
  no: 'NOT reached',
} as const satisfies Record<Reached, string>;

export function renderVerdicts(verdicts: readonly Verdict[]): string {
  const lines = verdicts.map(({ claim, median: value, lowest, highest, reached, byProcessorTime }) => {
    const sense = claim.figure === 'completeMs' ? '≤' : '≥';
    const against = claim.against === undefined ? '' : ` of ${claim.against}`;
    const byCpu = byProcessorTime === undefined ? '' : `; by processor time ${figure(byProcessorTime)}`;
    const spread = `(${figure(lowest)}–${figure(highest)})`;
    return `${reachedWords[reached]}  ${claim.title.padEnd(40)} ${figure(value).padStart(8)} ${spread.padEnd(20)} target ${sense} ${claim.target}${against}${byCpu}`;
  });
  return `${lines.join('\n')}\n`;
}

function serverRow(of: {
  readonly server: string;
  readonly rounds: readonly Measurement[];
  readonly perSecond: (measurement: Measurement) => number;
  readonly first: number;
}): string {
  const rates = of.rounds.map(of.perSecond);
  const rate = median(rates);
  const middle = (value: (round: Measurement) => number | undefined): string => {
    const values = of.rounds.map(value).filter((each) => each !== undefined);
    return values.length === 0 ? '-' : figure(median(values));
  };
  return row(
    `  ${of.server}`,
    figure(rate),
    `(${figure(Math.min(...rates))}–${figure(Math.max(...rates))})`,
    middle(({ megabytesPerSecond }) => megabytesPerSecond),
    middle(({ p50Ms }) => p50Ms),
    middle(({ p99Ms }) => p99Ms),
    middle(({ cpuMsPerOperation }) => cpuMsPerOperation),
    middle(({ coresBusy }) => coresBusy),
    middle(({ loadCpuMsPerOperation }) => loadCpuMsPerOperation),
    middle(({ peakMemoryBytes }) => (peakMemoryBytes === undefined ? undefined : peakMemoryBytes / 1e6)),
    (of.first / rate).toFixed(2),
  );
}

function figure(value: number): string {
  return value >= 100 ? Math.round(value).toString() : value.toPrecision(3);
}

function row(name: string, ...cells: readonly string[]): string {
  return name.padEnd(22) + cells.map((cell) => cell.padStart(cell.startsWith('(') ? 20 : 11)).join('');
}

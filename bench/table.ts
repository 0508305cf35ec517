// The figures of a bench as a table: medians over the rounds, with their spread, and each server beside the first one.

export interface Measurement {
  readonly workload: string;
  readonly server: string;
  readonly round: number;
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly megabytesPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time of the server; absent where the system does not tell. */
  readonly cpuMsPerRequest: number | undefined;
}

export function renderTable(bench: {
  readonly measurements: readonly Measurement[];
  readonly memory: readonly { readonly server: string; readonly peakMemoryBytes: number | undefined }[];
  readonly durabilities: readonly { readonly server: string; readonly durability: string }[];
}): string {
  const lines = [row('', 'requests/s', '(lowest–highest)', 'MB/s', 'p50 ms', 'p99 ms', 'CPU ms/req', 'ratio')];
  for (const [workload, measured] of Map.groupBy(bench.measurements, (measurement) => measurement.workload)) {
    lines.push('', workload);
    const byServer = [...Map.groupBy(measured, (measurement) => measurement.server)];
    const first = median((byServer[0]?.[1] ?? []).map((each) => each.requestsPerSecond));
    for (const [server, rounds] of byServer) {
      const rates = rounds.map((each) => each.requestsPerSecond);
      const cpu = rounds.flatMap((each) => (each.cpuMsPerRequest === undefined ? [] : [each.cpuMsPerRequest]));
      const rate = median(rates);
      lines.push(
        row(
          `  ${server}`,
          figure(rate),
          `(${figure(Math.min(...rates))}–${figure(Math.max(...rates))})`,
          figure(median(rounds.map((each) => each.megabytesPerSecond))),
          figure(median(rounds.map((each) => each.p50Ms))),
          figure(median(rounds.map((each) => each.p99Ms))),
          cpu.length === 0 ? '-' : figure(median(cpu)),
          `${(first / rate).toFixed(2)}`,
        ),
      );
    }
  }
  lines.push('', 'ratio: how many times as many requests the first server answers.');
  for (const { server, durability } of bench.durabilities) {
    const bytes = bench.memory.find((entry) => entry.server === server)?.peakMemoryBytes;
    const peak = bytes === undefined ? '' : `; at most ${Math.round(bytes / 1e6)} MB resident`;
    lines.push(`${server}: durability ${durability}${peak}`);
  }
  return `${lines.join('\n')}\n`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

function figure(value: number): string {
  return value >= 100 ? Math.round(value).toString() : value.toPrecision(3);
}

function row(name: string, ...cells: readonly string[]): string {
  return name.padEnd(18) + cells.map((cell) => cell.padStart(cell.startsWith('(') ? 18 : 12)).join('');
}

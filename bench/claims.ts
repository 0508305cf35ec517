// What Stowage claims to reach, as named ratios within one run. A run says for each whether it was reached; it never fails
// by it, because a busy machine proves nothing. Strict durability, one worker, load and server on the same machine.

import { median } from './median.ts';
import type { Measurement } from './results.ts';

interface Claim {
  readonly name: string;
  readonly title: string;
  readonly workload: string;
  /** The server that ours is compared with; absent: the figure itself is claimed. */
  readonly against?: string;
  readonly figure: 'operationsPerSecond' | 'megabytesPerSecond' | 'keysPerSecond' | 'completeMs';
  /** The least ratio or figure; of `completeMs`, the most. */
  readonly target: number;
}

const bare = 'bare node:http';

export const claims: readonly Claim[] = [
  {
    name: 'put-4k',
    title: 'PUT 4 KiB, 64 connections',
    workload: 'put-4k',
    against: bare,
    figure: 'operationsPerSecond',
    target: 0.6,
  },
  {
    name: 'get-4k',
    title: 'GET 4 KiB, 64 connections',
    workload: 'get-4k',
    against: bare,
    figure: 'operationsPerSecond',
    target: 0.6,
  },
  {
    name: 'delete',
    title: 'DELETE, 64 connections',
    workload: 'delete-4k',
    against: bare,
    figure: 'operationsPerSecond',
    target: 0.5,
  },
  { name: 'list', title: 'LIST, keys a second', workload: 'list', figure: 'keysPerSecond', target: 150_000 },
  {
    name: 'list-delimiter',
    title: 'LIST by delimiter, pages a second',
    workload: 'list-delimiter',
    figure: 'operationsPerSecond',
    target: 300,
  },
  {
    name: 'range-64k',
    title: 'random ranges of 64 KiB',
    workload: 'range-64k',
    against: bare,
    figure: 'operationsPerSecond',
    target: 0.8,
  },
  {
    name: 'put-64m',
    title: 'PUT 64 MiB, 4 connections',
    workload: 'put-64m',
    against: bare,
    figure: 'megabytesPerSecond',
    target: 1.2,
  },
  {
    name: 'get-64m',
    title: 'GET 64 MiB, 4 connections',
    workload: 'get-64m',
    against: bare,
    figure: 'megabytesPerSecond',
    target: 1.0,
  },
  {
    name: 'multipart',
    title: 'multipart of 256 MiB, 4 connections',
    workload: 'multipart-256m',
    against: bare,
    figure: 'megabytesPerSecond',
    target: 1.1,
  },
  { name: 'complete', title: 'its complete call, ms', workload: 'multipart-256m', figure: 'completeMs', target: 20 },
];

/**
 * `yes`: the median reaches the target, and so does every round, or the ratio by processor time. `by median`: neither of both, so
 * that a neighbour on the machine may have helped.
 */
export type Reached = 'yes' | 'by median' | 'no';

export interface Verdict {
  readonly claim: Claim;
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
  readonly reached: Reached;
  /**
   * The same ratio by processor time for one operation: what it would be if nothing but the processor counted. Neighbours on
   * the machine change it least. Absent for claims without another server, and where the system does not tell.
   */
  readonly byProcessorTime: number | undefined;
}

const ours = 'stowage';

/** Compares within each round, then takes the median of the rounds. Claims without figures in this run are left out. */
export function judgeClaims(measurements: readonly Measurement[]): readonly Verdict[] {
  return claims.flatMap((claim) => {
    const values = roundsOf(claim, measurements);
    if (values.length === 0) return [];
    const middle = median(values);
    const meets = (value: number): boolean =>
      claim.figure === 'completeMs' ? value <= claim.target : value >= claim.target;
    const byProcessorTime = processorRatio(claim, measurements);
    const sure = values.every(meets) || (byProcessorTime !== undefined && meets(byProcessorTime));
    const reached = meets(middle) ? (sure ? 'yes' : 'by median') : 'no';
    const spread = { lowest: Math.min(...values), highest: Math.max(...values) };
    return [{ claim, median: middle, ...spread, reached, byProcessorTime }];
  });
}

function processorRatio({ workload, against }: Claim, measurements: readonly Measurement[]): number | undefined {
  const cost = (server: string): number =>
    median(
      measurements
        .filter((each) => each.workload === workload && each.server === server)
        .flatMap(({ cpuMsPerOperation }) => (cpuMsPerOperation === undefined ? [] : [cpuMsPerOperation])),
    );
  const ratio = against === undefined ? Number.NaN : cost(against) / cost(ours);
  return Number.isNaN(ratio) ? undefined : ratio;
}

function roundsOf(claim: Claim, measurements: readonly Measurement[]): number[] {
  const figure = (server: string, round: number): number | undefined => {
    const measured = measurements.find(
      (each) => each.workload === claim.workload && each.server === server && each.round === round,
    );
    if (measured === undefined) return undefined;
    if (claim.figure !== 'keysPerSecond') return measured[claim.figure];
    return measured.operationsPerSecond * (measured.itemsPerOperation ?? 0);
  };
  const rounds = [...new Set(measurements.map(({ round }) => round))];
  return rounds.flatMap((round) => {
    const own = figure(ours, round);
    const other = claim.against === undefined ? 1 : figure(claim.against, round);
    return own === undefined || other === undefined ? [] : [own / other];
  });
}

// How claims are judged: ratios within a round, and their median.

import assert from 'node:assert/strict';
import test from 'node:test';
import { claims, judgeClaims } from '../../bench/claims.ts';
import type { Measurement } from '../../bench/results.ts';
import { workloads } from '../../bench/workloads.ts';

function measured(server: string, round: number, operationsPerSecond: number): Measurement {
  const rest = { seconds: 1, megabytesPerSecond: 0, p50Ms: 1, p99Ms: 2, loadCpuMsPerOperation: 0.01 };
  return { workload: 'put-4k', server, round, operations: operationsPerSecond, operationsPerSecond, ...rest };
}

test('a slow round of the machine changes no ratio', () => {
  const [verdict] = judgeClaims([
    ...[measured('stowage', 1, 700), measured('bare node:http', 1, 1000)],
    ...[measured('stowage', 2, 70), measured('bare node:http', 2, 100)],
    ...[measured('stowage', 3, 100), measured('bare node:http', 3, 1000)],
  ]);
  assert.equal(verdict?.claim.name, 'put-4k');
  assert.ok(Math.abs(verdict.median - 0.7) < 1e-9);
  assert.ok(Math.abs(verdict.lowest - 0.1) < 1e-9);
  assert.equal(verdict.reached, 'by median');
});

test('a claim is reached for sure when every round reaches it, or the ratio by processor time does', () => {
  const rounds = (slowest: number, cpuMsPerOperation: number): Measurement[] =>
    [700, 650, slowest].flatMap((own, round) => [
      { ...measured('stowage', round, own), cpuMsPerOperation },
      { ...measured('bare node:http', round, 1000), cpuMsPerOperation: 0.1 },
    ]);
  const reached = (measurements: readonly Measurement[]) => judgeClaims(measurements)[0]?.reached;
  assert.equal(reached(rounds(610, 0.2)), 'yes');
  assert.equal(reached(rounds(500, 0.2)), 'by median');
  assert.equal(reached(rounds(500, 0.15)), 'yes');
  assert.equal(reached(rounds(500, 0.2).map((each) => ({ ...each, operationsPerSecond: 1 }))), 'yes');
  assert.equal(reached([measured('stowage', 1, 500), measured('bare node:http', 1, 1000)]), 'no');
});

test('a claim without figures has no verdict', () => {
  assert.deepEqual(judgeClaims([measured('stowage', 1, 700)]), []);
});

test('every claim is about a workload of the standard suite', () => {
  for (const { name, workload } of claims) {
    assert.equal(workloads.find((each) => each.name === workload)?.standard, true, `claim ${name}`);
  }
});

test('no two workloads share a name', () => {
  assert.equal(new Set(workloads.map(({ name }) => name)).size, workloads.length);
});

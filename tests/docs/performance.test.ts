// docs/performance.md from results made up here: every kind of result has its section, and one that was never kept has none.

import assert from 'node:assert/strict';
import test from 'node:test';
import type { GrowthResult, KeptResults, Measurement, SuiteResult } from '../../bench/results.ts';
import { renderPerformance } from '../../scripts/documents/performance.ts';

const frame = {
  date: '2026-11-21T12:00:00.000Z',
  commit: 'abc1234',
  node: 'v24.21.0',
  machine: { processor: 'Chip', cores: 2, memoryBytes: 2 ** 33, system: 'linux 6', disk: 'a disk', syncMs: 0.06 },
};
const nothing: KeptResults = {
  suite: undefined,
  claims: undefined,
  workers: undefined,
  large: undefined,
  growth: undefined,
  library: undefined,
  profiles: undefined,
  files: undefined,
};

function measured(server: string, operationsPerSecond: number): Measurement {
  return {
    workload: 'put-4k',
    server,
    round: 1,
    operations: operationsPerSecond,
    seconds: 1,
    operationsPerSecond,
    megabytesPerSecond: operationsPerSecond / 250,
    p50Ms: 1.234,
    p99Ms: 9.876,
    loadCpuMsPerOperation: 0.01,
    cpuMsPerOperation: 0.1234,
    peakMemoryBytes: 200e6,
  };
}

const suite: SuiteResult = {
  ...frame,
  kind: 'suite',
  loadProcesses: 2,
  servers: [
    { name: 'stowage', durability: 'strict' },
    { name: 'bare node:http', durability: 'synced' },
  ],
  measurements: [measured('stowage', 7_004), measured('bare node:http', 10_000)],
};

test('figures stand beside each other, with durability, machine and what was claimed', () => {
  const text = renderPerformance({ ...nothing, suite });
  assert.match(text, /\| PUT 4 KiB, 64 connections \| 7,000\/s \| 0.7 × \|/);
  assert.match(text, /\| stowage \| strict \|/);
  assert.match(text, /commit `abc1234`.*2 cores, 8 GiB/);
  assert.match(text, /\| PUT 4 KiB, 64 connections \| 1.23 \/ 9.88 \| 1.23 \/ 9.88 \|/);
  assert.match(text, /\| PUT 4 KiB, 64 connections \| ≥ 0.6 × bare node:http \| 0.7 \| 0.7 – 0.7 \| 1 \| yes \|/);
});

test('claims are judged by the run that was made for them; workers and the large object have tables', () => {
  const claims: SuiteResult = {
    ...suite,
    kind: 'claims',
    measurements: [measured('stowage', 5_000), measured('bare node:http', 10_000)],
  };
  const row = {
    workload: 'put-4k',
    workers: 2,
    perSecond: 4_321,
    p50Ms: 1,
    p99Ms: 2,
    mainUs: 60,
    workersUs: 80,
    othersUs: 10,
  };
  const large = {
    way: 'one PUT',
    uploadMegabytesPerSecond: 250,
    downloadMegabytesPerSecond: 500,
    peakMemoryBytes: 180e6,
  } as const;
  const text = renderPerformance({
    ...nothing,
    suite,
    claims,
    workers: { ...frame, kind: 'workers', rows: [row] },
    large: { ...frame, kind: 'five-gibibytes', rows: [large] },
  });
  assert.match(text, /\| ≥ 0.6 × bare node:http \| 0.5 \| 0.5 – 0.5 \| 1 \| no \|/);
  assert.match(text, /\| PUT 4 KiB, 64 connections \| 2 \| 4,320\/s \| 1 \/ 2 \| 60 \| 80 \| 10 \|/);
  assert.match(text, /\| one PUT \| 250 MB\/s \| 500 MB\/s \| 180 MB \|/);
});

test('a store that grows has a table and a curve', () => {
  const growth: GrowthResult = {
    ...frame,
    kind: 'ten-million',
    lots: [
      { objects: 1_000, perSecond: 20_000, residentBytes: 1 },
      { objects: 10_000, perSecond: 10_000, residentBytes: 1 },
    ],
    steps: [
      {
        objects: 10_000,
        dataBytes: 5_000_000,
        startMs: 300,
        startAfterKillMs: 500,
        putPerSecond: 9_000,
        getPerSecond: 12_000,
        listKeysPerSecond: 160_000,
        delimiterPagesPerSecond: 400,
      },
    ],
  };
  const text = renderPerformance({ ...nothing, growth });
  assert.match(text, /\| 10,000 \| 300 ms \| 500 ms \|/);
  assert.match(text, / 1,000 {2}█{40} {2}20,000\n +10,000 {2}█{20} {20} {2}10,000/);
  assert.match(text, /takes 500 bytes/);
});

test('without any result the page still says how to measure', () => {
  const text = renderPerformance(nothing);
  assert.match(text, /npm run bench/);
  assert.doesNotMatch(text, /undefined|NaN|## What we claim|## A store that grows/);
});

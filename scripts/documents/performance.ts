// docs/performance.md: the kept results of bench/ in words and tables, for someone who chooses a store. The figures come
// from bench/results alone; the prose that explains them is performance-prose.ts. A kind of result that was never kept
// has no section.

import { judgeClaims, type Verdict } from '../../bench/claims.ts';
import { median } from '../../bench/median.ts';
import type {
  GrowthResult,
  KeptResults,
  LargeObjectResult,
  LibraryModeResult,
  Measurement,
  ProfilesResult,
  ResultFrame,
  SuiteResult,
  WorkersResult,
} from '../../bench/results.ts';
import { type Workload, workloads } from '../../bench/workloads.ts';
import { filesSections } from './files-performance.ts';
import { heading, table } from './markdown.ts';
import { prose } from './performance-prose.ts';

const measuredBegin = '<!-- measured: written by npm run docs -->';
const measuredEnd = '<!-- /measured -->';
const barWidth = 40;
const ours = 'stowage';
const shortServers = ['s3rver', 'Ceph gateway', 'bare node:http'];
const shortWorkloads = [
  ...['put-4k', 'get-4k', 'delete-4k', 'list', 'list-delimiter', 'range-64k', 'put-64m', 'get-64m', 'multipart-256m'],
];

export function renderPerformance(kept: KeptResults): string {
  const { suite, claims, workers, large, growth, library, profiles, files } = kept;
  return `${[
    heading('Performance'),
    prose.opening,
    ...(suite === undefined ? [] : suiteSections(suite)),
    ...claimSections(claims ?? suite),
    ...(profiles === undefined ? [] : profileSections(profiles)),
    ...(workers === undefined ? [] : workerSections(workers)),
    ...(large === undefined ? [] : largeSections(large)),
    ...(growth === undefined ? [] : growthSections(growth)),
    ...(library === undefined ? [] : librarySections(library)),
    ...(files === undefined ? [] : filesSections(files, { figure, measuredWhere })),
    prose.method,
  ].join('\n\n')}\n`;
}

function suiteSections(suite: SuiteResult): string[] {
  return [
    inShort(suite),
    measuredWhere(suite),
    `## What an answer is worth\n\n${prose.durability}`,
    table(
      ['Server', 'Durability'],
      suite.servers.map(({ name, durability }) => [name, durability]),
    ),
    `## Beside others\n\n${prose.throughput}`,
    figuresTable(suite, throughput),
    `## How long one request takes\n\n${prose.latency}`,
    figuresTable(suite, latency),
    `## What it costs\n\n${prose.cost}`,
    figuresTable(suite, processorTime),
    prose.memory,
    memoryTable(suite),
  ];
}

function claimSections(result: SuiteResult | undefined): string[] {
  if (result === undefined) return [];
  return [
    `## What we claim\n\n${prose.claims}`,
    claimsTable(judgeClaims(result.measurements)),
    measuredWhere(result),
    prose.limits,
  ];
}

function workerSections(result: WorkersResult): string[] {
  const rows = result.rows.map(({ workload, workers, ...row }) => [
    workloads.find(({ name }) => name === workload)?.title ?? workload,
    String(workers),
    `${figure(row.perSecond)}/s`,
    `${figure(row.p50Ms)} / ${figure(row.p99Ms)}`,
    figure(row.mainUs),
    figure(row.workersUs),
    figure(row.othersUs),
  ]);
  const head = ['', 'Workers', 'Throughput', 'Milliseconds', 'µs of the main thread', 'of the workers', 'of others'];
  return [`## What more workers add\n\n${prose.workers}`, table(head, rows), measuredWhere(result)];
}

function largeSections(result: LargeObjectResult): string[] {
  const rows = result.rows.map((row) => [
    row.way,
    `${figure(row.uploadMegabytesPerSecond)} MB/s`,
    `${figure(row.downloadMegabytesPerSecond)} MB/s`,
    `${figure(row.peakMemoryBytes / 1e6)} MB`,
  ]);
  const head = ['Sent as', 'Upload', 'Download', 'Most memory resident'];
  return [`## One object of 5 GiB\n\n${prose.large}`, table(head, rows), measuredWhere(result)];
}

function measuredWhere({ date, commit, node, machine }: ResultFrame): string {
  const memory = `${Math.round(machine.memoryBytes / 2 ** 30)} GiB`;
  return (
    `Measured ${date.slice(0, 10)} at commit \`${commit}\`, Node ${node}: ${machine.processor.trim()}, ${machine.cores} cores, ` +
    `${memory}, ${machine.system}, ${machine.disk} (appending 4 KiB durably takes ${figure(machine.syncMs)} ms).`
  );
}

interface Cell {
  readonly workload: Workload;
  readonly rounds: readonly Measurement[];
}

/** One row for each workload, one column for each server. */
function figuresTable(suite: SuiteResult, cell: (of: Cell) => string): string {
  const names = suite.servers.map(({ name }) => name);
  const rows = workloads.flatMap((workload) => {
    const measured = suite.measurements.filter((each) => each.workload === workload.name);
    if (measured.length === 0) return [];
    const cells = names.map((name) => {
      const rounds = measured.filter(({ server }) => server === name);
      return rounds.length === 0 ? '' : cell({ workload, rounds });
    });
    return [[workload.title, ...cells]];
  });
  return table(['', ...names], rows);
}

function throughput({ workload, rounds }: Cell): string {
  if (workload.unit !== undefined) {
    const items = rounds.map((each) => each.operationsPerSecond * (each.itemsPerOperation ?? 0));
    return `${figure(median(items))} ${workload.unit}/s`;
  }
  const megabytes = median(rounds.map((each) => each.megabytesPerSecond));
  const large = workload.payloadBytes >= 2 ** 20 && workload.needs !== 'ranges';
  return large ? `${figure(megabytes)} MB/s` : `${figure(median(rounds.map((each) => each.operationsPerSecond)))}/s`;
}

function latency({ rounds }: Cell): string {
  const at = (value: (each: Measurement) => number): string => figure(median(rounds.map(value)));
  return `${at(({ p50Ms }) => p50Ms)} / ${at(({ p99Ms }) => p99Ms)}`;
}

function processorTime({ rounds }: Cell): string {
  const values = rounds.flatMap(({ cpuMsPerOperation }) =>
    cpuMsPerOperation === undefined ? [] : [cpuMsPerOperation],
  );
  return values.length === 0 ? '' : figure(median(values));
}

function memoryTable({ servers, measurements }: SuiteResult): string {
  const peaks = servers.map(({ name }) => {
    const own = measurements.filter(({ server }) => server === name);
    return Math.max(...own.map(({ peakMemoryBytes }) => peakMemoryBytes ?? Number.NaN));
  });
  return table(
    servers.map(({ name }) => name),
    [peaks.map((bytes) => (Number.isNaN(bytes) ? '' : `${figure(bytes / 1e6)} MB`))],
  );
}

/** Ours, and how many times as much that is as the others do. */
/** The README with the newest short table between its marks; as it is when no suite was kept. */
export function renderReadme(readme: string, { suite }: KeptResults): string {
  if (suite === undefined) return readme;
  const [before, rest, ...none] = readme.split(measuredBegin);
  const [old, after, ...more] = rest?.split(measuredEnd) ?? [];
  if (before === undefined || old === undefined || after === undefined || none.length + more.length > 0)
    throw new Error(`README.md must hold ${measuredBegin} and ${measuredEnd} once, in this order.`);
  return `${before}${measuredBegin}\n${inShort(suite)}\n\n${measuredWhere(suite)}\n${measuredEnd}${after}`;
}

function inShort(suite: SuiteResult): string {
  const others = shortServers.filter((name) => suite.servers.some((server) => server.name === name));
  const rows = shortWorkloads.flatMap((name) => {
    const workload = workloads.find((each) => each.name === name);
    if (workload === undefined) return [];
    const of = (server: string): Measurement[] =>
      suite.measurements.filter((each) => each.workload === name && each.server === server);
    const own = of(ours);
    if (own.length === 0) return [];
    const ratios = others.map((other) => {
      const rounds = of(other);
      return rounds.length === 0 ? '' : `${figure(comparable(workload, own) / comparable(workload, rounds))} ×`;
    });
    return [[workload.title, throughput({ workload, rounds: own }), ...ratios]];
  });
  return table(['', ours, ...others.map((name) => `is … of ${name}`)], rows);
}

function comparable(workload: Workload, rounds: readonly Measurement[]): number {
  return median(
    rounds.map((each) => each.operationsPerSecond * (workload.unit === undefined ? 1 : (each.itemsPerOperation ?? 0))),
  );
}

function claimsTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ claim, median: value, lowest, highest, reached, byProcessorTime }) => [
    claim.title,
    `${claim.figure === 'completeMs' ? '≤' : '≥'} ${figure(claim.target)}${claim.against === undefined ? '' : ` × ${claim.against}`}`,
    figure(value),
    `${figure(lowest)} – ${figure(highest)}`,
    byProcessorTime === undefined ? '' : figure(byProcessorTime),
    reached,
  ]);
  return table(['Claim', 'Target', 'Measured', 'Over the rounds', 'By processor time', 'Reached'], rows);
}

function profileSections({ profiles }: ProfilesResult): string[] {
  const groups = new Map<string, number>();
  for (const { group, microseconds } of profiles.flatMap((profile) => profile.groups)) {
    groups.set(group, Math.max(groups.get(group) ?? 0, microseconds));
  }
  const ofAll = (profile: ProfilesResult['profiles'][number]): number =>
    profile.groups.reduce((sum, { microseconds }) => sum + microseconds, 0);
  const rows = [...groups.keys()].map((group) => {
    const shares = profiles.map((profile) => {
      const microseconds = profile.groups.find((each) => each.group === group)?.microseconds ?? 0;
      return `${Math.round((microseconds * 100) / ofAll(profile))} %`;
    });
    return [group, ...shares];
  });
  const totals = profiles.map((profile) => `${figure(ofAll(profile))} µs`);
  return [
    `### Where the main thread's time goes\n\n${prose.profiles}`,
    table(['', ...profiles.map(({ workload }) => workload)], [...rows, ['one operation', ...totals]]),
  ];
}

function growthSections(growth: GrowthResult): string[] {
  const steps = growth.steps.map((step) => [
    figure(step.objects),
    `${figure(step.startMs)} ms`,
    `${figure(step.startAfterKillMs)} ms`,
    step.afterStart === undefined ? '' : `${figure(step.afterStart.ownBytes / 1e6)} MB`,
    step.afterLoad === undefined ? '' : `${figure(step.afterLoad.ownBytes / 1e6)} MB`,
    rate(step.putPerSecond),
    rate(step.getPerSecond),
    rate(step.listKeysPerSecond),
    rate(step.delimiterPagesPerSecond),
  ]);
  const head = ['Objects', 'Start', 'Start after kill -9', 'Memory, started', 'Memory, after load'];
  const last = growth.steps.at(-1);
  const perObject = last === undefined || last.objects === 0 ? '' : figure(last.dataBytes / last.objects);
  return [
    `## A store that grows\n\n${prose.growth}`,
    table([...head, 'PUT /s', 'GET /s', 'LIST keys/s', 'Folders listed /s'], steps),
    `${measuredWhere(growth)} On the disk an object of 100 bytes takes ${perObject} bytes in all, index included.`,
    `Loading, objects a second:\n\n\`\`\`\n${loadingCurve(growth)}\n\`\`\``,
  ];
}

/** At most twelve bars: the mean of each stretch. */
function loadingCurve({ lots }: GrowthResult): string {
  const total = lots.at(-1)?.objects ?? 0;
  const stretch = Math.max(1, total / 10);
  const stretches = [...Map.groupBy(lots, ({ objects }) => Math.ceil(objects / stretch))].map(([, own]) => ({
    upTo: own.at(-1)?.objects ?? 0,
    perSecond: median(own.map(({ perSecond }) => perSecond)),
  }));
  const most = Math.max(...stretches.map(({ perSecond }) => perSecond));
  return stretches
    .map(({ upTo, perSecond }) => {
      const bar = '█'.repeat(Math.round((perSecond / most) * barWidth));
      return `${figure(upTo).padStart(12)}  ${bar.padEnd(barWidth)}  ${figure(perSecond)}`;
    })
    .join('\n');
}

function librarySections(library: LibraryModeResult): string[] {
  const rows = [...Map.groupBy(library.rounds, (round) => round.library)].map(([name, rounds]) => {
    const middle = (value: (round: LibraryModeResult['rounds'][number]) => number): string =>
      figure(median(rounds.map(value)));
    return [
      name,
      `${middle(({ importMs }) => importMs)} ms`,
      `${middle(({ startedMs, importMs }) => startedMs - importMs)} ms`,
      `${middle(({ firstPutMs }) => firstPutMs)} ms`,
      `${middle(({ idleBytes }) => idleBytes / 1e6)} MB`,
    ];
  });
  return [
    `## In a test suite\n\n${prose.library}`,
    table(['Library', 'Import', 'Start', 'From import to first PUT answered', 'Memory at rest'], rows),
    measuredWhere(library),
  ];
}

function rate(value: number): string {
  return value === 0 ? '' : figure(value);
}

/** Three digits that count, with separators: a fourth would be noise. */
function figure(value: number): string {
  if (value === 0) return '0';
  const digits = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 2);
  const rounded = Math.round(value / digits) * digits;
  return rounded.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}

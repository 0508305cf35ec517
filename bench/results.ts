// What is kept of a run: figures with the date, the commit and the machine they were measured on, as JSON in
// bench/results/<date>-<kind>.json. docs/performance.md is made from the latest of each kind.

import { execFileSync } from 'node:child_process';
import { closeSync, fdatasyncSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { ResidentMemory } from './process-usage.ts';

/** One workload on one server in one round. */
export interface Measurement {
  readonly workload: string;
  readonly server: string;
  readonly round: number;
  readonly operations: number;
  readonly seconds: number;
  readonly operationsPerSecond: number;
  readonly megabytesPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time of the load's processes. */
  readonly loadCpuMsPerOperation: number;
  /** Processor time of the server's processes; absent where the system does not tell. */
  readonly cpuMsPerOperation?: number;
  /** How many cores the server kept busy. */
  readonly coresBusy?: number;
  /** Of all its processes, during the measurement. */
  readonly peakMemoryBytes?: number;
  /** Of listings: keys or prefixes on a page; not every server fills its pages. */
  readonly itemsPerOperation?: number;
  /** Of multipart uploads: the median of the calls that complete one. */
  readonly completeMs?: number;
}

interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  readonly disk: string;
  /** Median of appending 4 KiB and fdatasync, alone. */
  readonly syncMs: number;
}

/** Of every kept result, whatever its kind. */
export interface ResultFrame {
  readonly kind: string;
  readonly date: string;
  readonly commit: string;
  readonly node: string;
  readonly machine: Machine;
}

/** `suite`: every standard workload beside all peers. `claims`: the workloads of claims, longer, beside what they compare with. */
export interface SuiteResult extends ResultFrame {
  readonly kind: 'suite' | 'claims';
  readonly loadProcesses: number;
  readonly servers: readonly { readonly name: string; readonly durability: string }[];
  readonly measurements: readonly Measurement[];
}

/** A store of some size. */
export interface GrowthStep {
  readonly objects: number;
  /** On the disk, journal and index together. */
  readonly dataBytes: number;
  /** From starting the process until it serves, after a clean close: the median of three. */
  readonly startMs: number;
  /** The same after kill -9 in the middle of puts. */
  readonly startAfterKillMs: number;
  readonly afterStart?: ResidentMemory;
  readonly afterLoad?: ResidentMemory;
  readonly putPerSecond: number;
  readonly getPerSecond: number;
  readonly listKeysPerSecond: number;
  readonly delimiterPagesPerSecond: number;
}

export interface GrowthResult extends ResultFrame {
  readonly kind: 'ten-million';
  /** Of loading: each hundred thousand. */
  readonly lots: readonly { readonly objects: number; readonly perSecond: number; readonly residentBytes: number }[];
  readonly steps: readonly GrowthStep[];
}

/** The library in memory mode, from import to first PUT. */
export interface LibraryModeResult extends ResultFrame {
  readonly kind: 'library-mode';
  readonly rounds: readonly {
    readonly library: string;
    readonly importMs: number;
    /** From the import's beginning until the server listens. */
    readonly startedMs: number;
    /** From the import's beginning until the first PUT is answered. */
    readonly firstPutMs: number;
    /** Resident, a second later. */
    readonly idleBytes: number;
    /** From starting the process to its answer, with that second. */
    readonly processMs: number;
  }[];
}

/** Where the main thread of ours spends the time of one operation. */
export interface OperationProfile {
  readonly workload: string;
  /** Under the profiler. */
  readonly operationsPerSecond: number;
  /** Microseconds of processor time of all threads; absent where the system does not tell. */
  readonly cpuUs?: number;
  /** Longest first; for each operation. */
  readonly groups: readonly { readonly group: string; readonly microseconds: number }[];
}

export interface ProfilesResult extends ResultFrame {
  readonly kind: 'profiles';
  readonly profiles: readonly OperationProfile[];
}

/** What more workers of the engine add. */
export interface WorkersResult extends ResultFrame {
  readonly kind: 'workers';
  /** Medians over the rounds. */
  readonly rows: readonly {
    readonly workload: string;
    readonly workers: number;
    readonly perSecond: number;
    readonly p50Ms: number;
    readonly p99Ms: number;
    /** Microseconds of processor time for each operation: of the thread that commits, of workers, of libuv and V8. */
    readonly mainUs: number;
    readonly workersUs: number;
    readonly othersUs: number;
  }[];
}

/** One object of 5 GiB, up and down. */
export interface LargeObjectResult extends ResultFrame {
  readonly kind: 'five-gibibytes';
  readonly rows: readonly {
    readonly way: 'one PUT' | 'parts of 64 MiB';
    readonly uploadMegabytesPerSecond: number;
    readonly downloadMegabytesPerSecond: number;
    /** Of the server's process, at any time. */
    readonly peakMemoryBytes: number;
  }[];
}

/** One thing that the file service does, on one of its databases, under load. */
export interface FilesRate {
  readonly database: string;
  readonly what: string;
  readonly perSecond: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  /** Processor time of the service for one. */
  readonly cpuMsPerUnit?: number;
}

/** One request of one client to a tenant of some size. */
export interface GrownTenantFigure {
  readonly database: string;
  readonly files: number;
  readonly what: string;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Bytes brought into the bucket by one way, for one size of file. */
export interface UploadPathFigure {
  readonly way: string;
  readonly fileBytes: number;
  readonly files: number;
  readonly megabytesPerSecond: number;
  /** Of all bytes of the files, how many came through the service itself, bodies of requests counted. */
  readonly bytesThroughService: number;
  /** Processor seconds of the service, and of the engine behind it, for 10⁹ bytes. */
  readonly serviceCpuSecondsPerGigabyte: number;
  readonly engineCpuSecondsPerGigabyte: number;
  readonly servicePeakMemoryBytes: number;
}

/** The file service: what it does in a second, in a tenant that grows, and beside a server that bytes go through. */
export interface FilesResult extends ResultFrame {
  readonly kind: 'files';
  readonly durability: readonly { readonly database: string; readonly durability: string }[];
  readonly rates: readonly FilesRate[];
  readonly grown: readonly GrownTenantFigure[];
  readonly uploads: readonly UploadPathFigure[];
}

const folder = fileURLToPath(new URL('./results/', import.meta.url));
const syncProbes = 200;

export function resultFrame<Kind extends string>(kind: Kind): ResultFrame & { readonly kind: Kind } {
  return { kind, date: new Date().toISOString(), commit: commit(), node: process.version, machine: machine() };
}

/** Writes a result to `path`, or to its place among the kept ones; returns where. */
export async function keepResult<Result extends ResultFrame>(result: Result, path?: string): Promise<string> {
  const written = path ?? join(folder, `${result.date.slice(0, 10)}-${result.kind}.json`);
  await mkdir(folder, { recursive: true });
  await writeFile(written, `${JSON.stringify(result, undefined, 1)}\n`);
  return written;
}

export interface KeptResults {
  readonly suite: SuiteResult | undefined;
  readonly claims: SuiteResult | undefined;
  readonly workers: WorkersResult | undefined;
  readonly large: LargeObjectResult | undefined;
  readonly growth: GrowthResult | undefined;
  readonly library: LibraryModeResult | undefined;
  readonly profiles: ProfilesResult | undefined;
  readonly files: FilesResult | undefined;
}

/** The latest kept result of each kind. */
export function keptResults(): KeptResults {
  // Proof of the casts: keepResult wrote them, under the name of their kind.
  return {
    suite: latestResult('suite') as SuiteResult | undefined,
    claims: latestResult('claims') as SuiteResult | undefined,
    workers: latestResult('workers') as WorkersResult | undefined,
    large: latestResult('five-gibibytes') as LargeObjectResult | undefined,
    growth: latestResult('ten-million') as GrowthResult | undefined,
    library: latestResult('library-mode') as LibraryModeResult | undefined,
    profiles: latestResult('profiles') as ProfilesResult | undefined,
    files: latestResult('files') as FilesResult | undefined,
  };
}

function latestResult(kind: string): unknown {
  const names = readdirSync(folder).filter(
    (name) => /^\d{4}-\d\d-\d\d-/.test(name) && name.slice(11) === `${kind}.json`,
  );
  const latest = names.sort().at(-1);
  return latest === undefined ? undefined : JSON.parse(readFileSync(join(folder, latest), 'utf8'));
}

function machine(): Machine {
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${process.platform} ${release()}`,
    disk: diskClass(tmpdir()),
    syncMs: measureSync(),
  };
}

/** What the kernel says of the device under a folder. */
function diskClass(path: string): string {
  if (process.platform !== 'linux') return 'unknown';
  const { dev } = statSync(path);
  const device = `/sys/dev/block/${(dev >> 8) & 0xfff}:${dev & 0xff}`;
  try {
    const name = /^DEVNAME=(.*)$/m.exec(readFileSync(`${device}/uevent`, 'utf8'))?.[1] ?? 'unknown';
    const rotational = readFileSync(`${device}/queue/rotational`, 'utf8').trim() === '1';
    // What a virtual machine says of its disk is not what the disk is.
    if (name.startsWith('vd') || name.startsWith('xvd')) return `virtual disk ${name}`;
    return `${rotational ? 'rotating disk' : 'solid state disk'} ${name}`;
  } catch {
    return 'not a block device'; // memory, or a network
  }
}

function measureSync(): number {
  const path = join(tmpdir(), `stowage-sync-probe-${process.pid}`);
  const file = openSync(path, 'w');
  const bytes = Buffer.alloc(4096);
  const times: number[] = [];
  try {
    for (let probe = 0; probe < syncProbes; probe += 1) {
      const startedAt = performance.now();
      writeSync(file, bytes);
      fdatasyncSync(file);
      times.push(performance.now() - startedAt);
    }
  } finally {
    closeSync(file);
    rmSync(path);
  }
  return times.sort((a, b) => a - b)[syncProbes / 2] ?? 0;
}

function commit(): string {
  try {
    const git = ['describe', '--always', '--dirty'];
    return execFileSync('git', git, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return 'unknown'; // Not a checkout: the figures are still worth having.
  }
}

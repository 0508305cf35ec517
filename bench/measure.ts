// Measures one workload on one server: makes what it needs, lets the disk come to rest, and takes the figures of the load
// and of the server's processes over the same time.

import { execFileSync } from 'node:child_process';
import process from 'node:process';
import type { LoadProcesses } from './load/load-processes.ts';
import { Payloads } from './load/payloads.ts';
import { SignedTargets } from './load/signed-targets.ts';
import { median } from './median.ts';
import { cpuSeconds, forgetPeakMemory, peakMemoryBytes } from './process-usage.ts';
import type { Measurement } from './results.ts';
import type { PeerServer } from './servers/peer-server.ts';
import { listedKeys, listingKey, type PlanContext, planOf, putRequests, type Workload } from './workloads.ts';

const preparingConnections = 64;
const preparingLargeConnections = 4;
const largeBytes = 1024 * 1024;
const listedObjectBytes = 100;
const smallObjects = 2_000;
const largeObjects = 4;
/** Objects to delete are put in lots, until there are enough for any server or this much time is over. */
const deletableLot = 2_000;
const maxDeletable = 40_000;
const deletableMs = 2_500;
const maxPreparingMs = 600_000;

interface MeasureRun {
  /** 0: to warm up, with as little preparation as will do. */
  readonly round: number;
  /** Instead of the workload's own. */
  readonly durationMs?: number;
  /** Right before the first request. */
  readonly onBegin?: () => Promise<void>;
}

/** A server with what the bench knows of it. */
export class Contender {
  readonly server: PeerServer;
  readonly #load: LoadProcesses;
  readonly #targets: SignedTargets;
  readonly #made = new Map<string, readonly string[]>();

  constructor(server: PeerServer, load: LoadProcesses) {
    this.server = server;
    this.#load = load;
    this.#targets = new SignedTargets(server);
  }

  can(workload: Workload): boolean {
    return this.server.abilities.has(workload.needs);
  }

  async measure(workload: Workload, run: MeasureRun): Promise<Measurement> {
    const { server } = this;
    const payloads = payloadsOf(workload.payloadBytes);
    const context: PlanContext = {
      server,
      targets: this.#targets,
      payloads,
      keys: await this.#prepare(workload, run.round === 0),
    };
    const planned = planOf(workload, context);
    const plan = { ...planned, durationMs: run.durationMs ?? planned.durationMs };
    restDisk();
    const pids = server.pids();
    forgetPeakMemory(...pids);
    let cpuBefore = cpuSeconds(...pids);
    const result = await this.#load.run(plan, async () => {
      await run.onBegin?.();
      cpuBefore = cpuSeconds(...pids);
    });
    const cpuAfter = cpuSeconds(...pids);
    const seconds = result.elapsedMs / 1000;
    const used = cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore;
    return {
      workload: workload.name,
      server: server.name,
      round: run.round,
      operations: result.operations,
      seconds,
      operationsPerSecond: result.operations / seconds,
      megabytesPerSecond: result.bytes / 1e6 / seconds,
      p50Ms: result.p50Ms,
      p99Ms: result.p99Ms,
      loadCpuMsPerOperation: (result.loadCpuSeconds * 1000) / result.operations,
      ...(used === undefined
        ? {}
        : { cpuMsPerOperation: (used * 1000) / result.operations, coresBusy: used / seconds }),
      ...optional('peakMemoryBytes', peakMemoryBytes(...pids)),
      ...optional('itemsPerOperation', result.itemsPerOperation),
      ...(result.completeMs.length === 0 ? {} : { completeMs: median(result.completeMs) }),
    };
  }

  /** The keys that the workload works on. */
  async #prepare(workload: Workload, warmUp: boolean): Promise<readonly string[]> {
    const { payloadBytes, data } = workload;
    if (data === undefined) return [];
    if (data === 'deletable') return this.#prepareDeletable(payloadBytes, warmUp ? 0 : deletableMs);
    const name = data === 'listing' ? data : `objects-${payloadBytes}`;
    const made = this.#made.get(name);
    if (made !== undefined) return made;
    const count = payloadBytes > largeBytes ? largeObjects : smallObjects;
    const keys =
      data === 'listing'
        ? Array.from({ length: Math.min(listedKeys, this.server.slowListing?.keys ?? listedKeys) }, (_, n) =>
            listingKey(n),
          )
        : Array.from({ length: count }, (_, number) => `${name}/object-${String(number).padStart(6, '0')}`);
    const { bucket, listBucket } = this.server;
    await this.#put(
      keys,
      data === 'listing' ? listedObjectBytes : payloadBytes,
      data === 'listing' ? listBucket : bucket,
    );
    this.#made.set(name, keys);
    return keys;
  }

  async #prepareDeletable(payloadBytes: number, milliseconds: number): Promise<string[]> {
    const keys: string[] = [];
    const startedAt = performance.now();
    do {
      const lot = Array.from({ length: deletableLot }, (_, number) => `delete/object-${keys.length + number}`);
      await this.#put(lot, payloadBytes, this.server.bucket);
      keys.push(...lot);
    } while (keys.length < maxDeletable && performance.now() - startedAt < milliseconds);
    return keys;
  }

  async #put(keys: readonly string[], sizeBytes: number, bucket: string): Promise<void> {
    const payloads = payloadsOf(sizeBytes);
    const url = new URL(this.server.endpoint);
    const requests = putRequests({ server: this.server, targets: this.#targets, payloads, keys }, bucket);
    await this.#load.run({
      kind: 'requests',
      host: url.hostname,
      port: Number(url.port),
      connections: sizeBytes > largeBytes ? preparingLargeConnections : preparingConnections,
      payloadBytes: sizeBytes,
      durationMs: maxPreparingMs,
      requests,
      repeat: false,
    });
  }
}

const knownPayloads = new Map<number, Payloads>();

function payloadsOf(sizeBytes: number): Payloads {
  const known = knownPayloads.get(sizeBytes) ?? new Payloads(sizeBytes);
  knownPayloads.set(sizeBytes, known);
  return known;
}

/** What a peer has left unflushed would otherwise be written, and paid for, during the next one's measurement. */
function restDisk(): void {
  if (process.platform !== 'win32') execFileSync('sync');
}

function optional<Name extends string>(name: Name, value: number | undefined): { readonly [Key in Name]?: number } {
  // Proof of the cast: one property of this name, or none.
  return (value === undefined ? {} : { [name]: value }) as { readonly [Key in Name]?: number };
}

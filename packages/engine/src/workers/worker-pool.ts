// The workers of an engine, as the main thread keeps them: starts them, replaces one that ends though it should not, puts
// together what they have counted, and ends them in order. Requests never pass through here: each worker listens at the
// same port, and the system deals the connections out (SO_REUSEPORT). Decision 008.

import { createServer } from 'node:net';
import type { DiskStore } from '@stowage/store';
import type { EngineLog } from '../log.ts';
import { type EngineState, type MetricCounts, Metrics } from '../metrics.ts';
import type { ServingSettings } from '../serving.ts';
import { EngineWorker } from './engine-worker-thread.ts';

interface WorkerPoolOptions {
  readonly store: DiskStore;
  readonly settings: ServingSettings;
  readonly host: string;
  readonly port: number;
  readonly workers: number;
  readonly log: EngineLog | undefined;
}

/** Before a worker is replaced; doubled each time, until it has served for long enough. */
const firstRestartDelayMs = 100;
const maxRestartDelayMs = 10_000;
const longEnoughMs = 60_000;

export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #workers = new Set<EngineWorker>();
  /** What workers had counted that are gone. */
  readonly #earlier = new Metrics();
  readonly #restarts = new Set<NodeJS.Timeout>();
  #replaced = 0;
  #restartDelayMs = firstRestartDelayMs;
  #port = 0;
  #closing = false;

  private constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  /** Resolves once all workers listen. @throws Error when the port is taken, or cannot be shared on this system. */
  static async start(options: WorkerPoolOptions): Promise<WorkerPool> {
    const pool = new WorkerPool(options);
    // Sharing a port means that another program of this user could share it too: it must be nobody's to begin with.
    if (options.port !== 0) await assertFree(options.host, options.port);
    try {
      // Any free port: the first worker finds it. A given one: all begin at once.
      if (options.port === 0) pool.#port = await pool.#start(0);
      else pool.#port = options.port;
      const missing = options.workers - pool.#workers.size;
      await Promise.all(Array.from({ length: missing }, () => pool.#start(pool.#port)));
    } catch (cause) {
      await pool.close();
      throw explainListening(cause);
    }
    return pool;
  }

  get port(): number {
    return this.#port;
  }

  /** Lets all workers finish what they are at, and ends them. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const timer of this.#restarts) clearTimeout(timer);
    await Promise.all([...this.#workers].map((worker) => worker.close(this.#options.settings.limits.closeGraceMs)));
  }

  async #start(port: number): Promise<number> {
    const { store, settings, host, log } = this.#options;
    const worker = new EngineWorker({
      seat: store.inviteWorker(),
      settings,
      host,
      port,
      log,
      onOverview: () => this.#overview(),
      onEnd: (ended, cause) => void this.#replace(ended, cause),
    });
    this.#workers.add(worker);
    return worker.listening;
  }

  async #replace(worker: EngineWorker, cause: unknown): Promise<void> {
    this.#workers.delete(worker);
    this.#earlier.add(worker.lastCounts);
    if (this.#closing || !worker.hasListened) return;
    this.#replaced += 1;
    this.#restartDelayMs =
      worker.servedMs >= longEnoughMs ? firstRestartDelayMs : Math.min(this.#restartDelayMs * 2, maxRestartDelayMs);
    this.#options.log?.error('A worker ended unexpectedly; another one takes its place', {
      cause: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause),
      replaced: this.#replaced,
      delayMs: this.#restartDelayMs,
    });
    this.#restartLater();
  }

  #restartLater(): void {
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      this.#start(this.#port).catch((cause: unknown) => {
        if (this.#closing) return;
        this.#options.log?.error('A worker could not be started; it will be tried again', { cause: String(cause) });
        this.#restartDelayMs = Math.min(this.#restartDelayMs * 2, maxRestartDelayMs);
        this.#restartLater();
      });
    }, this.#restartDelayMs);
    this.#restarts.add(timer);
  }

  async #overview(): Promise<{ readonly state: EngineState; readonly counts: MetricCounts }> {
    const serving = [...this.#workers].filter(({ hasListened }) => hasListened);
    const counted = await Promise.all(serving.map((worker) => worker.count()));
    const sum = new Metrics();
    sum.add(this.#earlier.counts);
    for (const { counts } of counted) sum.add(counts);
    const state: EngineState = {
      health: this.#options.store.health(),
      runningRequests: counted.reduce((total, { runningRequests }) => total + runningRequests, 0),
      workers: { serving: serving.length, replaced: this.#replaced },
    };
    return { state, counts: sum.counts };
  }
}

function assertFree(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen({ host, port }, () => probe.close(() => resolve()));
  });
}

function explainListening(cause: unknown): unknown {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code !== 'ENOTSUP') return cause;
  const message =
    'Several workers share one port, which this system cannot do (SO_REUSEPORT; Linux can). Use one worker.';
  return Object.assign(new Error(message, { cause }), { code });
}

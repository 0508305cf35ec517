// One worker of the engine as the main thread sees it: the thread, its place at the store, and what it has said.

import module from 'node:module';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { WorkerSeat } from '@stowage/store';
import type { EngineLog } from '../log.ts';
import { type EngineState, type MetricCounts, Metrics } from '../metrics.ts';
import type { ServingSettings } from '../serving.ts';
import type { WorkerCommand, WorkerOrders, WorkerReport } from './messages.ts';

/** How long a worker may take to say what it has counted before its last figures are taken instead. */
const countTimeoutMs = 1000;
/** Beyond the time that running requests are given, before a worker is ended by force. */
const extraCloseMs = 5000;

interface EngineWorkerOptions {
  readonly seat: WorkerSeat;
  readonly settings: ServingSettings;
  readonly host: string;
  readonly port: number;
  readonly log: EngineLog | undefined;
  /** Asks for what all workers together have counted. */
  readonly onOverview: () => Promise<{ readonly state: EngineState; readonly counts: MetricCounts }>;
  /** The thread has ended, and its place at the store is free. `cause` is what it died of. */
  readonly onEnd: (worker: EngineWorker, cause: unknown) => void;
}

interface Counted {
  readonly counts: MetricCounts;
  readonly runningRequests: number;
}

export class EngineWorker {
  readonly #options: EngineWorkerOptions;
  readonly #worker: Worker;
  readonly #listening = Promise.withResolvers<number>();
  readonly #ended = Promise.withResolvers<void>();
  readonly #counting = new Map<number, (counted: Counted) => void>();
  #lastTicket = 0;
  #last: Counted = { counts: new Metrics().counts, runningRequests: 0 };
  #listeningSinceMs: number | undefined;
  #closing = false;
  #cause: unknown;

  constructor(options: EngineWorkerOptions) {
    this.#options = options;
    const { seat, settings, host, port, log } = options;
    const cacheFolder = module.getCompileCacheDir();
    // What is named is the folder of this version of node, in the one that node is to be given.
    const compileCache = cacheFolder === undefined ? undefined : dirname(cacheFolder);
    const logRequests = log === undefined ? undefined : (log.requests ?? 'all');
    this.#worker = new Worker(new URL('./engine-worker.ts', import.meta.url), {
      workerData: {
        invitation: seat.invitation,
        settings,
        host,
        port,
        compileCache,
        logRequests,
      } satisfies WorkerOrders,
      transferList: [seat.invitation.port],
      execArgv: [],
      name: 'engine-worker', // as `top -H` shows it
    });
    // What comes from the thread was sent by engine-worker.ts.
    this.#worker.on('message', (report: WorkerReport) => this.#take(report));
    this.#worker.on('error', (cause) => {
      this.#cause = cause;
    });
    this.#worker.on('exit', (code) => void this.#end(code));
  }

  /** Resolves with the port once it is listened at. */
  get listening(): Promise<number> {
    return this.#listening.promise;
  }

  get hasListened(): boolean {
    return this.#listeningSinceMs !== undefined;
  }

  get servedMs(): number {
    return this.#listeningSinceMs === undefined ? 0 : performance.now() - this.#listeningSinceMs;
  }

  get lastCounts(): MetricCounts {
    return this.#last.counts;
  }

  /** What it has counted; what it said the last time, when it is too busy to answer. */
  async count(): Promise<Counted> {
    this.#lastTicket += 1;
    const ticket = this.#lastTicket;
    const counted = new Promise<Counted>((resolve) => this.#counting.set(ticket, resolve));
    const timer = setTimeout(() => this.#counting.get(ticket)?.(this.#last), countTimeoutMs);
    this.#command({ kind: 'count', ticket });
    try {
      return await counted;
    } finally {
      clearTimeout(timer);
      this.#counting.delete(ticket);
    }
  }

  /** Resolves when the thread has ended and all that it had asked for is settled. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    this.#command({ kind: 'close' });
    const timer = setTimeout(() => void this.#worker.terminate(), graceMs + extraCloseMs);
    await this.#ended.promise;
    clearTimeout(timer);
  }

  #command(command: WorkerCommand): void {
    this.#worker.postMessage(command);
  }

  #take(report: WorkerReport): void {
    switch (report.kind) {
      case 'listening':
        this.#listeningSinceMs = performance.now();
        this.#listening.resolve(report.port);
        break;
      case 'notListening':
        this.#cause = Object.assign(new Error(report.message), { code: report.code });
        break;
      case 'counts':
        this.#last = report;
        this.#counting.get(report.ticket)?.(report);
        break;
      case 'overview':
        void this.#options.onOverview().then((overview) => {
          this.#command({ kind: 'overview', ticket: report.ticket, ...overview });
        });
        break;
      case 'log':
        for (const { level, message, fields } of report.lines) this.#options.log?.[level]?.(message, fields);
        break;
    }
  }

  async #end(code: number): Promise<void> {
    const cause = this.#cause ?? new Error(`The thread ended with ${code}.`);
    for (const resolve of this.#counting.values()) resolve(this.#last);
    await this.#options.seat.leave({ died: !this.#closing || code !== 0 });
    this.#listening.reject(cause);
    this.#options.onEnd(this, cause);
    this.#ended.resolve();
  }
}

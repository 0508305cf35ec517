// The client processes of a bench: kept over the whole run, so that each is warm, and fed one plan at a time. A plan's
// connections and requests are dealt out among them.

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { LatencyHistogram } from './latency-histogram.ts';
import type { LoadPlan, LoadResult } from './load-plan.ts';
import type { ToLoadProcess } from './load-process.ts';

const entry = fileURLToPath(new URL('./load-process.ts', import.meta.url));
/** Beyond the load's own time: for connecting, and the last large object. */
const extraTimeMs = 120_000;

interface LoadMeasurement extends Omit<LoadResult, 'latencies' | 'failures' | 'firstFailure' | 'counted'> {
  /** Of plans that say what answers contain: the mean. */
  readonly itemsPerOperation: number | undefined;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export class LoadProcesses {
  readonly #children: readonly ChildProcess[];

  private constructor(children: readonly ChildProcess[]) {
    this.#children = children;
  }

  static start(count: number): LoadProcesses {
    return new LoadProcesses(Array.from({ length: count }, () => fork(entry, { execArgv: [] })));
  }

  /** `begins` is called when all are connected, right before the first request. Rejects when any request fails. */
  async run(plan: LoadPlan, begins?: () => Promise<void>): Promise<LoadMeasurement> {
    const shares = this.#share(plan);
    await Promise.all(shares.map(([child, share]) => ask(child, { plan: share }, extraTimeMs)));
    await begins?.();
    const timeoutMs = plan.durationMs + extraTimeMs;
    const answers = await Promise.all(shares.map(([child]) => ask(child, { begin: true }, timeoutMs)));
    const results = answers.flatMap(({ result }) => (result === undefined ? [] : [result]));
    const failures = results.reduce((sum, result) => sum + result.failures, 0);
    const firstFailure = results.find((result) => result.failures > 0)?.firstFailure;
    // A figure of wrong answers would mean nothing.
    if (failures > 0) throw new Error(`${failures} wrong answers, the first one: ${firstFailure}`);
    const latencies = new LatencyHistogram();
    for (const result of results) latencies.merge(result.latencies);
    const answersCounted = results.reduce((sum, { counted }) => sum + counted.answers, 0);
    const items = results.reduce((sum, { counted }) => sum + counted.items, 0);
    return {
      itemsPerOperation: answersCounted === 0 ? undefined : items / answersCounted,
      operations: results.reduce((sum, result) => sum + result.operations, 0),
      bytes: results.reduce((sum, result) => sum + result.bytes, 0),
      elapsedMs: Math.max(...results.map((result) => result.elapsedMs)),
      completeMs: results.flatMap((result) => result.completeMs),
      loadCpuSeconds: results.reduce((sum, result) => sum + result.loadCpuSeconds, 0),
      p50Ms: latencies.quantileMs(0.5),
      p99Ms: latencies.quantileMs(0.99),
    };
  }

  close(): void {
    for (const child of this.#children) child.disconnect();
  }

  /** One upload belongs to one client, as does a single connection. */
  #share(plan: LoadPlan): [ChildProcess, LoadPlan][] {
    if (plan.kind === 'multipart') return this.#children.slice(0, 1).map((child) => [child, plan]);
    const count = Math.min(this.#children.length, plan.connections, plan.requests.length);
    return this.#children.slice(0, count).map((child, index) => {
      const requests = plan.requests.filter((_, number) => number % count === index);
      const connections = Math.floor(plan.connections / count) + (index < plan.connections % count ? 1 : 0);
      return [child, { ...plan, requests, connections }];
    });
  }
}

interface FromLoadProcess {
  readonly ready?: true;
  readonly result?: LoadResult;
  readonly error?: string;
}

async function ask(child: ChildProcess, message: ToLoadProcess, timeoutMs: number): Promise<FromLoadProcess> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      child.off('message', onMessage).off('exit', onExit);
      act();
    };
    // Proof of the type: load-process.ts sends one of the three, and nothing else.
    const onMessage = (answer: unknown): void => {
      const received = answer as FromLoadProcess;
      settle(() => (received.error === undefined ? resolve(received) : reject(new Error(received.error))));
    };
    const onExit = (code: number | null): void => settle(() => reject(new Error(`A load process ended with ${code}.`)));
    const timer = setTimeout(() => settle(() => reject(new Error('A load process hangs.'))), timeoutMs);
    child.on('message', onMessage).on('exit', onExit);
    child.send(message);
  });
}

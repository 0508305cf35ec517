// What the engine counts, and how Prometheus reads it (text exposition format 0.0.4). One array cell per figure, so that
// counting a request costs two map look-ups. Names follow Prometheus' naming rules: units and `_total` last.

import type { StoreHealth } from '@stowage/store';
import { counter, gauge } from './prometheus-text.ts';
import { renderStoreMetrics } from './store-metrics.ts';

/** Upper bounds of the duration histogram, in seconds. */
const durationBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;

interface FinishedRequest {
  /** Name of the operation; `none` when the request did not get so far. */
  readonly operation: string;
  readonly status: number;
  readonly durationMs: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** Everything that was counted, as plain data: what another thread can add to its own. */
export interface MetricCounts {
  readonly operations: ReadonlyMap<string, OperationCounts>;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** What the figures of one moment are. */
export interface EngineState {
  readonly health: StoreHealth;
  readonly runningRequests: number;
  /** Absent: everything runs in one thread. */
  readonly workers?: WorkersState;
}

interface WorkersState {
  /** Workers that are serving. */
  readonly serving: number;
  /** Workers that ended though they should not, and were replaced. */
  readonly replaced: number;
}

interface OperationCounts {
  readonly byStatus: Map<number, number>;
  readonly durations: number[];
  durationSumMs: number;
  count: number;
}

export class Metrics {
  readonly #operations = new Map<string, OperationCounts>();
  #receivedBytes = 0;
  #sentBytes = 0;

  record(request: FinishedRequest): void {
    const counts = this.#countsOf(request.operation);
    counts.byStatus.set(request.status, (counts.byStatus.get(request.status) ?? 0) + 1);
    counts.count += 1;
    counts.durationSumMs += request.durationMs;
    let bucket = 0;
    while (bucket < durationBounds.length && request.durationMs > (durationBounds[bucket] ?? 0) * 1000) bucket += 1;
    counts.durations[bucket] = (counts.durations[bucket] ?? 0) + 1;
    this.#receivedBytes += request.receivedBytes;
    this.#sentBytes += request.sentBytes;
  }

  get counts(): MetricCounts {
    return { operations: this.#operations, receivedBytes: this.#receivedBytes, sentBytes: this.#sentBytes };
  }

  /** Adds what was counted elsewhere. */
  add(counts: MetricCounts): void {
    for (const [operation, { byStatus, durations, durationSumMs, count }] of counts.operations) {
      const own = this.#countsOf(operation);
      for (const [status, requests] of byStatus) own.byStatus.set(status, (own.byStatus.get(status) ?? 0) + requests);
      for (const [bucket, requests] of durations.entries()) {
        own.durations[bucket] = (own.durations[bucket] ?? 0) + requests;
      }
      own.durationSumMs += durationSumMs;
      own.count += count;
    }
    this.#receivedBytes += counts.receivedBytes;
    this.#sentBytes += counts.sentBytes;
  }

  #countsOf(operation: string): OperationCounts {
    let counts = this.#operations.get(operation);
    if (counts === undefined) {
      const durations = new Array(durationBounds.length + 1).fill(0);
      counts = { byStatus: new Map(), durations, durationSumMs: 0, count: 0 };
      this.#operations.set(operation, counts);
    }
    return counts;
  }

  /** The Prometheus text of everything counted. */
  render(now: EngineState): string {
    return [
      ...this.#renderRequests(),
      ...this.#renderDurations(),
      ...counter('stowage_received_bytes_total', 'Bytes of request bodies received.', this.#receivedBytes),
      ...counter('stowage_sent_bytes_total', 'Bytes of response bodies sent.', this.#sentBytes),
      ...gauge('stowage_running_requests', 'Requests being answered now.', now.runningRequests),
      ...(now.workers === undefined ? [] : renderWorkers(now.workers)),
      ...renderStoreMetrics(now.health),
      '',
    ].join('\n');
  }

  #renderRequests(): string[] {
    const lines = ['# HELP stowage_requests_total Requests answered.', '# TYPE stowage_requests_total counter'];
    for (const [operation, counts] of this.#operations) {
      for (const [status, count] of counts.byStatus) {
        lines.push(`stowage_requests_total{operation="${operation}",status="${status}"} ${count}`);
      }
    }
    lines.push(
      '# HELP stowage_errors_total Requests answered with a server error.',
      '# TYPE stowage_errors_total counter',
    );
    for (const [operation, counts] of this.#operations) {
      let errors = 0;
      for (const [status, count] of counts.byStatus) if (status >= 500) errors += count;
      lines.push(`stowage_errors_total{operation="${operation}"} ${errors}`);
    }
    return lines;
  }

  #renderDurations(): string[] {
    const name = 'stowage_request_duration_seconds';
    const lines = [`# HELP ${name} From a request's headers to the end of its answer.`, `# TYPE ${name} histogram`];
    for (const [operation, counts] of this.#operations) {
      let cumulative = 0;
      for (const [index, bound] of durationBounds.entries()) {
        cumulative += counts.durations[index] ?? 0;
        lines.push(`${name}_bucket{operation="${operation}",le="${bound}"} ${cumulative}`);
      }
      lines.push(`${name}_bucket{operation="${operation}",le="+Inf"} ${counts.count}`);
      lines.push(`${name}_sum{operation="${operation}"} ${counts.durationSumMs / 1000}`);
      lines.push(`${name}_count{operation="${operation}"} ${counts.count}`);
    }
    return lines;
  }
}

function renderWorkers({ serving, replaced }: WorkersState): string[] {
  return [
    ...gauge('stowage_workers', 'Workers that are serving.', serving),
    ...counter('stowage_workers_replaced_total', 'Workers that ended unexpectedly and were replaced.', replaced),
  ];
}

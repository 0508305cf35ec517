// Measures what the service does through its own seams: reads and transactions of the database, requests to the bucket, the scanner
// and jobs. Each is counted and timed, and a span where traces are made.

import type { StorageMeter } from '../bucket/guard-requests.ts';
import type { DatabaseObserver } from '../database/observe-scope.ts';
import type { Scanner } from '../scanning/scanner.ts';
import type { Metrics } from './metrics.ts';
import type { Tracing } from './tracing.ts';

interface Instruments {
  readonly metrics: Metrics;
  readonly tracing: Tracing;
}

/** Seconds since a moment, by a clock that only goes on. */
export function stopwatch(): () => number {
  const startedAtMs = performance.now();
  return () => (performance.now() - startedAtMs) / 1000;
}

export function observeDatabase({ metrics, tracing }: Instruments, system: string): DatabaseObserver {
  return async (kind, work) => {
    const elapsed = stopwatch();
    try {
      return await tracing.span(`database ${kind}`, { kind: 'client', attributes: { 'db.system.name': system } }, work);
    } catch (error) {
      metrics.add('stowage_files_database_failures_total', 1, { kind });
      throw error;
    } finally {
      metrics.observe('stowage_files_database_duration_seconds', elapsed(), { kind });
    }
  };
}

export function observeStorage({ metrics, tracing }: Instruments): StorageMeter {
  return {
    request: (operation, outcome) => metrics.add('stowage_files_storage_requests_total', 1, { operation, outcome }),
    attempt: async (operation, work) => {
      const elapsed = stopwatch();
      const attributes = { 'rpc.system.name': 'aws-api', 'stowage.operation': operation };
      try {
        return await tracing.span(`bucket ${operation}`, { kind: 'client', attributes }, work);
      } finally {
        metrics.observe('stowage_files_storage_request_duration_seconds', elapsed(), { operation });
      }
    },
    retry: (operation) => metrics.add('stowage_files_storage_retries_total', 1, { operation }),
    circuit: (state) => metrics.set('stowage_files_storage_circuit', { closed: 0, 'half-open': 1, open: 2 }[state]),
    clockOffset: (offsetMs) => metrics.set('stowage_files_storage_clock_offset_seconds', offsetMs / 1000),
  };
}

export function observeScanner(scanner: Scanner, { metrics, tracing }: Instruments): Scanner {
  return {
    atOnce: scanner.atOnce,
    describe: () => scanner.describe(),
    close: () => scanner.close(),
    scan: async (open) => {
      const elapsed = stopwatch();
      try {
        const answer = await tracing.span('scan', { kind: 'client' }, async (span) => {
          const verdict = await scanner.scan(open);
          span.set({ 'stowage.verdict': verdict === 'gone' ? 'gone' : verdict.verdict });
          return verdict;
        });
        metrics.add('stowage_files_scans_total', 1, { verdict: answer === 'gone' ? 'gone' : answer.verdict });
        return answer;
      } catch (error) {
        metrics.add('stowage_files_scans_total', 1, { verdict: 'failed' });
        throw error;
      } finally {
        metrics.observe('stowage_files_scan_duration_seconds', elapsed());
      }
    },
  };
}

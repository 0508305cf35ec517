// Brings gauges up to date when somebody asks for them: what is counted in the database, and what the process takes.

import process from 'node:process';
import type { Ground } from './open-ground.ts';

/** Waiting to be judged: the bytes are there. */
const unjudged: ReadonlySet<string> = new Set(['uploaded', 'validating', 'scanning']);

export async function measure({ database, files, metrics, clock }: Ground): Promise<void> {
  metrics.clear('stowage_files_files');
  let waiting = 0;
  for (const { state, count } of await files.count()) {
    metrics.set('stowage_files_files', count, { state });
    if (unjudged.has(state)) waiting += count;
  }
  metrics.set('stowage_files_scan_queue_files', waiting);
  metrics.set('stowage_files_outbox_jobs', await database.outbox.count());
  const { due, lagMs } = await database.outbox.backlog(clock());
  metrics.set('stowage_files_outbox_due_jobs', due);
  metrics.set('stowage_files_outbox_lag_seconds', lagMs / 1000);
  metrics.set('stowage_files_missing', await database.reconcile.countMissing());
  metrics.clear('stowage_files_webhook_deliveries');
  for (const state of ['waiting', 'delivered', 'dead']) metrics.set('stowage_files_webhook_deliveries', 0, { state });
  for (const { state, count } of await database.webhooks.countDeliveries()) {
    metrics.set('stowage_files_webhook_deliveries', count, { state });
  }
  const { user, system } = process.cpuUsage();
  metrics.set('process_cpu_seconds_total', (user + system) / 1e6);
  metrics.set('process_resident_memory_bytes', process.memoryUsage.rss());
  metrics.set('process_start_time_seconds', Math.round(performance.timeOrigin) / 1000);
}

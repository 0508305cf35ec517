// What goes on without a request: jobs and reviews, previews, comparing bucket and database, and what the endpoint tells of the bucket.

import { type EventsIn, openEventsIn } from '../events-in/open-events-in.ts';
import type { FileRecord } from '../file-record.ts';
import type { FileServiceOptions } from '../file-service-options.ts';
import { openByteBudget } from '../lifecycle/byte-budget.ts';
import { copyBytes } from '../lifecycle/copy-bytes.ts';
import { underLease } from '../lifecycle/job-lease.ts';
import { removeOtherVersions } from '../lifecycle/other-versions.ts';
import { removeStaged } from '../lifecycle/promote.ts';
import { reconcile } from '../lifecycle/reconcile.ts';
import { discardBytes, pruneVersions, purgeFile } from '../lifecycle/removal.ts';
import { validateFile } from '../lifecycle/validation.ts';
import { openWorker, type Worker } from '../lifecycle/worker.ts';
import { lookForBytes } from '../orphans/mend-finding.ts';
import { openOrphans } from '../orphans/orphans.ts';
import { makePreviews } from '../previews/make-previews.ts';
import { openPreviewMaker } from '../previews/preview-maker.ts';
import { findPreviewPrograms } from '../previews/preview-programs.ts';
import { stopwatch } from '../telemetry/observe.ts';
import { completeUpload } from '../uploads/complete-upload.ts';
import type { Files } from './open-files.ts';
import type { Ground } from './open-ground.ts';

export type Background = Awaited<ReturnType<typeof openBackground>>;

interface OpenBackgroundOptions extends Pick<FileServiceOptions, 'eventsIn' | 'reconcile'> {
  /** Told that there is something to do. */
  readonly wake: () => void;
}

export async function openBackground(
  ground: Ground,
  { parts, onMove, folders, webhooks }: Files,
  options: OpenBackgroundOptions,
) {
  const { database, limits, metrics, tracing } = ground;
  const { wake } = options;
  const maker = openPreviewMaker(limits, await findPreviewPrograms(limits));
  const imageBytes = openByteBudget(limits.previewSourceBytes);

  async function reconcileUpload(file: FileRecord, held = parts): Promise<FileRecord> {
    try {
      const seen = await reconcile(file, held);
      metrics.add('stowage_files_reconciles_total', 1, { outcome: seen.fence === file.fence ? 'unchanged' : 'moved' });
      return seen;
    } catch (error) {
      metrics.add('stowage_files_reconciles_total', 1, { outcome: 'failed' });
      throw error;
    }
  }

  const worker: Worker = openWorker({
    ...parts,
    handlers: {
      reconcile: async (file, lease) => void (await reconcileUpload(file, underLease(parts, lease))),
      unstage: (file) => removeStaged(file, parts),
      unversion: (file) => removeOtherVersions(file, { ...parts, outbox: database.outbox }),
      copy: (file, lease) => copyBytes(file, underLease(parts, lease)),
      validate: (file, lease) => validateFile(file, { ...underLease(parts, lease), imageBytes }),
      preview: (file, lease) => makePreviews(file, { ...underLease(parts, lease), maker, onMove }),
      prune: (file, lease) => pruneVersions(file, underLease(parts, lease)),
      discard: (file, lease) => discardBytes(file, underLease(parts, lease)),
      purge: (file, lease) => purgeFile(file, underLease(parts, lease)),
    },
    completeUpload: (file) => completeUpload(file, parts),
    reconcile: (file) => reconcileUpload(file),
    lookForBytes: (file) => lookForBytes(file, parts),
    sweepFolders: () => folders.sweep(),
    deliveries: webhooks.deliveries,
    onJob: (kind, outcome) => metrics.add('stowage_files_jobs_total', 1, { kind, outcome }),
    observe: async (what, fileId, work) => {
      const elapsed = stopwatch();
      try {
        await tracing.span(`job ${what}`, { kind: 'internal', attributes: { 'stowage.file_id': fileId } }, work);
      } finally {
        metrics.observe('stowage_files_job_duration_seconds', elapsed(), { kind: what });
      }
    },
  });
  const orphans = openOrphans({
    ...parts,
    table: database.reconcile,
    schedule: options.reconcile ?? {},
    onFinding: (kind, outcome) => metrics.add('stowage_files_reconcile_findings_total', 1, { kind, outcome }),
  });
  const eventsIn: EventsIn = openEventsIn({
    ...parts,
    given: options.eventsIn ?? {},
    outbox: database.outbox,
    maxBodyBytes: limits.maxRequestBodyBytes,
    random: ground.chance,
    onTaken: wake,
    onHint: (outcome) => metrics.add('stowage_files_storage_events_total', 1, { outcome }),
    onMessage: (outcome) => metrics.add('stowage_files_storage_messages_total', 1, { outcome }),
  });
  return { maker, worker, orphans, eventsIn };
}

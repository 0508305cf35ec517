// Events are hints: each has the service look at the bucket itself, by a job that is committed before the event is acknowledged. So
// duplicates, disorder, inventions and loss of events change nothing but when it looks. Design §6, invariant 5.

import type { FileTable } from '../database/database.ts';
import type { Outbox } from '../database/work-tables.ts';
import type { FileKeys } from '../file-key.ts';
import { isUploading } from '../lifecycle/reconcile.ts';
import type { StorageHint } from './storage-event.ts';

/** `foreign`: not a key of ours, or another bucket. `settled`: nothing waits for these bytes. */
export type HintOutcome = 'taken' | 'foreign' | 'settled';

export interface TakeHintsOptions {
  readonly bucket: string;
  readonly keys: Pick<FileKeys, 'fileOf'>;
  readonly files: FileTable;
  readonly outbox: Outbox;
  readonly clock: () => number;
  readonly onTaken: () => void;
  readonly onHint: (outcome: HintOutcome) => void;
}

/** Resolves when every job that follows is committed. */
export async function takeHints(hints: readonly StorageHint[], options: TakeHintsOptions): Promise<void> {
  let taken = false;
  for (const hint of hints) {
    const outcome = await takeHint(hint, options);
    options.onHint(outcome);
    taken ||= outcome === 'taken';
  }
  if (taken) options.onTaken();
}

async function takeHint({ bucket, key }: StorageHint, options: TakeHintsOptions): Promise<HintOutcome> {
  const fileId = bucket === options.bucket ? options.keys.fileOf(key) : undefined;
  if (fileId === undefined) return 'foreign';
  const file = await options.files.find(fileId);
  if (file === undefined || (file.objectKey !== key && file.stagingKey !== key) || !isUploading(file)) return 'settled';
  await options.outbox.add(file.id, { kind: 'reconcile', dueAtMs: options.clock() });
  return 'taken';
}

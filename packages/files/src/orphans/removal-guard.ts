// What a comparison may remove. A database that is restored, empty or a copy finds bytes without rows that somebody else's rows know:
// so bytes go only when the bucket's owner marker names this database, when a row as old and one as young as the key vouch that this
// database knew that time, and when they are few beside its rows. Everything else is reported. Design §6, invariant 4.

import { text } from 'node:stream/consumers';
import { findingKinds } from '@stowage/contract';
import type { Bucket } from '../bucket/bucket.ts';
import type { FileKeys } from '../file-key.ts';
import type { FilesLimits } from '../limits.ts';
import type { Claim, Finding, ReconcileTable } from './reconcile-record.ts';

interface RemovalGuardOptions {
  readonly bucket: Pick<Bucket, 'head' | 'read' | 'put'>;
  readonly table: Pick<ReconcileTable, 'extent'>;
  readonly keys: FileKeys;
  readonly limits: Pick<FilesLimits, 'reconcileRowlessPercent'>;
}

export interface RemovalGuard {
  /** Why nothing of the bucket's is to be removed by this database; `undefined`: it owns the bucket. */
  readonly refusal: string | undefined;
  /** Why this is not to be removed; `undefined`: it may be. `rowless`: what without a row the run removes already. */
  judge(finding: Finding, claim: Claim | undefined, rowless: number): string | undefined;
}

/** A marker is an id. What is longer is none. */
const maxMarkerBytes = 64;
/** The characters of a ULID that say when it was made. */
const ulidTimeCharacters = 10;

/** Whether mending such a finding takes something out of the bucket that could be somebody's. What a probe left is of no file. */
export function removesBytes({ kind, fileId }: Pick<Finding, 'kind' | 'fileId'>): boolean {
  return findingKinds[kind].mended === 'removed' && fileId !== null;
}

/** Marks the bucket as this database's where nobody has. Throws `storage-unavailable`. */
export async function openRemovalGuard(options: RemovalGuardOptions): Promise<RemovalGuard> {
  const { table, limits } = options;
  const { databaseId, rows, oldestId, newestId } = await table.extent();
  const owner = await claimBucket(databaseId, options);
  const refusal =
    owner === databaseId
      ? undefined
      : `Not removed: the bucket belongs to the database ${owner}, and this one is ${databaseId}. See docs/file-service.md.`;
  const allowed = Math.ceil((rows * limits.reconcileRowlessPercent) / 100);

  function knewTimeOf(fileId: string): boolean {
    if (oldestId === null || newestId === null) return false;
    const [from, at, until] = [oldestId, fileId, newestId].map((id) => id.slice(0, ulidTimeCharacters));
    return from !== undefined && at !== undefined && until !== undefined && from <= at && at <= until;
  }

  return {
    refusal,
    judge: (finding, claim, rowless) => {
      if (!removesBytes(finding)) return undefined;
      if (refusal !== undefined) return refusal;
      if (claim !== undefined) return undefined;
      if (!knewTimeOf(finding.fileId ?? ''))
        return 'Not removed: the key is older or younger than every row, so this database cannot have known it.';
      if (rowless >= allowed)
        return `Not removed: more without a row than ${limits.reconcileRowlessPercent} % of the rows. Is the database older than the bucket?`;
      return undefined;
    },
  };
}

/** The id of the database that owns the bucket, as far as this secret's keys go. */
async function claimBucket(databaseId: string, { bucket, keys }: RemovalGuardOptions): Promise<string> {
  const key = keys.makeOwner();
  const marker = { key, versionId: null };
  if ((await bucket.head(marker)) === undefined) await bucket.put(key, Buffer.from(databaseId), 'text/plain');
  // What is there now decides: another may have been faster.
  const facts = await bucket.head(marker);
  const bytes =
    facts === undefined ? undefined : await bucket.read(marker, { etag: facts.etag, firstBytes: maxMarkerBytes });
  return bytes === undefined ? 'that took its marker away' : (await text(bytes)).trim();
}

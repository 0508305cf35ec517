// What can be done with files: uploads, the list, folders, versions, trash, shares, archives, quarantine, webhooks.

import type { PasswordHashes } from '../accounts/password-hash.ts';
import type { FileRecord } from '../file-record.ts';
import type { FileServiceOptions } from '../file-service-options.ts';
import { openFileMover } from '../lifecycle/move-file.ts';
import { openQuarantine } from '../lifecycle/quarantine.ts';
import { openSealedText } from '../sealed-text.ts';
import { openArchives } from '../sharing/archives.ts';
import { openDownloads } from '../sharing/downloads.ts';
import { openShareTokens } from '../sharing/share-token.ts';
import { openShares } from '../sharing/shares.ts';
import { openFolders } from '../tree/folders.ts';
import { openSearch } from '../tree/search-files.ts';
import { openStoredFiles } from '../tree/stored-files.ts';
import { openTrash } from '../tree/trash.ts';
import { openVersions } from '../tree/versions.ts';
import { openUploads } from '../uploads/uploads.ts';
import { openUsageReport } from '../usage/usage-report.ts';
import { openWebhooks } from '../webhooks/webhooks.ts';
import type { Ground } from './open-ground.ts';

export type Files = ReturnType<typeof openFiles>;

interface OpenFilesOptions extends Pick<FileServiceOptions, 'endpoint' | 'allowPrivateWebhooks'> {
  readonly passwords: PasswordHashes;
  /** Told that there is something to do outside of requests. */
  readonly wake: (what?: 'folders') => void;
}

export function openFiles(
  ground: Ground,
  { endpoint: given, allowPrivateWebhooks, passwords, wake }: OpenFilesOptions,
) {
  const { database, files, clock, random, secret, metrics, watch, signer, keys, bucket, endpoint } = ground;
  const onMove = (file: FileRecord): void => {
    metrics.add('stowage_files_moves_total', 1, { state: file.state });
    watch.changed(file.id);
    wake();
  };
  const mover = openFileMover({ ...ground, onMove });
  const parts = {
    ...ground,
    mover,
    folders: database.folders,
    capabilities: async () => (await endpoint.profiles.current()).capabilities,
    // Nobody waits for a job.
    maxPromotedBytes: Number.MAX_SAFE_INTEGER,
  };
  const storedFiles = openStoredFiles(parts);
  return {
    parts,
    onMove,
    uploads: openUploads({ ...parts, seals: given?.seals, onJob: wake }),
    storedFiles,
    folders: openFolders({ ...parts, onTrashed: (fileId) => watch.changed(fileId), onRemoved: () => wake('folders') }),
    versions: openVersions({ ...parts, storedFiles }),
    trash: openTrash({ ...parts, storedFiles, onEmptied: wake }),
    searchFiles: openSearch({ database, storedFiles }),
    downloads: openDownloads({ signer, keys }),
    shares: openShares({ ...parts, tokens: openShareTokens(secret), passwords }),
    archives: openArchives(parts),
    quarantine: openQuarantine({ bucket, files, quarantine: database.quarantine, mover, clock, onDue: wake }),
    usageReport: openUsageReport({ table: database.usageDays, clock }),
    webhooks: openWebhooks({
      ...parts,
      table: database.webhooks,
      secrets: openSealedText({ secret, purpose: 'stowage secret box v1', random }),
      allowPrivate: allowPrivateWebhooks === true,
      onDue: wake,
      onDelivery: (outcome) => metrics.add('stowage_files_webhook_deliveries_total', 1, { outcome }),
      traceHeaders: ground.tracing.headers,
    }),
  };
}

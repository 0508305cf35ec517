// Where a new upload goes: into a folder, whose path is made if need be, or as a new version of a file.

import type { CreateUploadRequest } from '@stowage/contract';
import type { Account } from '../database/account-tables.ts';
import type { FileTable, FolderTable } from '../database/database.ts';
import type { FileRecord } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import { topFolderId } from '../tree/folder-record.ts';
import { requireName } from '../tree/required-name.ts';

export interface UploadPlaceOptions {
  readonly files: FileTable;
  readonly folders: FolderTable;
  readonly clock: () => number;
}

interface UploadPlace {
  readonly folderId: string;
  /** The file that gets a new version; absent: a file of its own. */
  readonly versionOf: FileRecord | undefined;
}

/** Throws `not-found` for a folder or file that is not there. */
export async function findPlace(
  { tenantId, userId }: Account,
  request: CreateUploadRequest,
  { files, folders, clock }: UploadPlaceOptions,
): Promise<UploadPlace> {
  const { folderId: parentId = topFolderId, folder: names = [], versionOf: fileId } = request;
  if (fileId !== undefined) {
    const versionOf = await files.current({ tenantId, id: fileId });
    if (versionOf?.state !== 'ready') {
      throw new FilesError('not-found', { detail: `There is no file ${fileId} that could have a new version.` });
    }
    return { folderId: versionOf.folderId, versionOf };
  }
  if (parentId !== topFolderId && (await folders.get({ tenantId, id: parentId })) === undefined) {
    throw new FilesError('not-found', { detail: `There is no folder ${parentId}.` });
  }
  for (const name of names) requireName(name);
  const path = names.map((name) => name.toWellFormed());
  const folderId = await folders.ensure({ tenantId, userId, parentId, names: path, nowMs: clock() });
  if (request.onConflict !== 'replace') return { folderId, versionOf: undefined };
  const there = await files.named({ tenantId, folderId, name: request.name.toWellFormed() });
  return { folderId, versionOf: there?.state === 'ready' ? there : undefined };
}

// Several files as one ZIP archive.

import type { Archives } from '../../archives.ts';
import { dispositionHeader } from '../../downloads.ts';
import type { HandlersOf } from '../handler.ts';

export interface ArchiveHandlersOptions {
  readonly archives: Archives;
}

export function archiveHandlers({ archives }: ArchiveHandlersOptions): HandlersOf<'archives'> {
  return {
    getArchive: async ({ caller, query, signal }) => {
      const { files, folders, name = 'files' } = query;
      const fileIds = files?.split(',') ?? [];
      const folderIds = folders?.split(',') ?? [];
      const { tenantId } = caller.account;
      return {
        body: undefined,
        stream: await archives.make({ tenantId, fileIds, folderIds }, signal),
        headers: { 'content-disposition': dispositionHeader(`${name}.zip`, 'attachment') },
      };
    },
  };
}

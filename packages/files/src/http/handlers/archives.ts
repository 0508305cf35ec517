// Several files as one ZIP archive.

import type { AuditTable } from '../../database/account-tables.ts';
import type { Archives } from '../../sharing/archives.ts';
import { dispositionHeader } from '../../sharing/downloads.ts';
import type { HandlersOf } from '../handler.ts';

export interface ArchiveHandlersOptions {
  readonly archives: Archives;
  readonly audit: Pick<AuditTable, 'append'>;
  readonly auditDownloads: boolean;
}

export function archiveHandlers({ archives, audit, auditDownloads }: ArchiveHandlersOptions): HandlersOf<'archives'> {
  return {
    getArchive: async ({ caller, query, signal, note }) => {
      const { files, folders, name = 'files' } = query;
      const fileIds = files?.split(',') ?? [];
      const folderIds = folders?.split(',') ?? [];
      const { tenantId } = caller.account;
      const stream = await archives.make({ tenantId, fileIds, folderIds }, signal);
      if (auditDownloads) {
        const details = { files: files ?? '', folders: folders ?? '' };
        await audit.append(note({ action: 'file.downloaded', subject: { kind: 'archive', id: name }, details }));
      }
      return {
        body: undefined,
        stream,
        headers: { 'content-disposition': dispositionHeader(`${name}.zip`, 'attachment') },
      };
    },
  };
}

// Several files as one ZIP archive.

import type { AuditTable } from '../../database/account-tables.ts';
import type { Archives } from '../../sharing/archives.ts';
import { dispositionHeader } from '../../sharing/downloads.ts';
import type { UsageCounter } from '../../usage/usage-counter.ts';
import type { HandlersOf } from '../handler.ts';

export interface ArchiveHandlersOptions {
  readonly archives: Archives;
  readonly audit: Pick<AuditTable, 'append'>;
  readonly auditDownloads: boolean;
  readonly usage: Pick<UsageCounter, 'handedOut'>;
}

export function archiveHandlers(options: ArchiveHandlersOptions): HandlersOf<'archives'> {
  const { archives, audit, auditDownloads, usage } = options;
  return {
    getArchive: async ({ caller, query, signal, note, headersOnly }) => {
      const { files, folders, name = 'files' } = query;
      const fileIds = files?.split(',') ?? [];
      const folderIds = folders?.split(',') ?? [];
      const { tenantId } = caller.account;
      const selection = { tenantId, fileIds, folderIds };
      const headers = { 'content-disposition': dispositionHeader(`${name}.zip`, 'attachment') };
      if (headersOnly) {
        await archives.require(selection);
        return { body: undefined, headers };
      }
      const { sizeBytes, send } = await archives.make(selection);
      await usage.handedOut(tenantId, sizeBytes);
      if (auditDownloads) {
        const details = { files: files ?? '', folders: folders ?? '' };
        await audit.append(note({ action: 'file.downloaded', subject: { kind: 'archive', id: name }, details }));
      }
      return { body: undefined, stream: send(signal), headers };
    },
  };
}

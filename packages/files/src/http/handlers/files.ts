// Files that have arrived: listed, deleted, restored, downloaded.

import type { RouteName } from '@stowage/contract';
import type { AuditTable } from '../../database/account-tables.ts';
import { type FileRecord, fileEtag } from '../../file-record.ts';
import type { FilesLimits } from '../../limits.ts';
import type { Downloads } from '../../sharing/downloads.ts';
import type { StoredFiles } from '../../tree/stored-files.ts';
import type { Versions } from '../../tree/versions.ts';
import type { Uploads } from '../../uploads/uploads.ts';
import type { UsageCounter } from '../../usage/usage-counter.ts';
import { type Call, type HandlersOf, idOf } from '../handler.ts';

export interface FileHandlersOptions {
  readonly storedFiles: StoredFiles;
  readonly uploads: Pick<Uploads, 'copy'>;
  readonly versions: Versions;
  readonly downloads: Downloads;
  readonly limits: FilesLimits;
  readonly audit: Pick<AuditTable, 'append'>;
  /** Whether the audit log tells of downloads too. */
  readonly auditDownloads: boolean;
  readonly usage: Pick<UsageCounter, 'handedOut'>;
}

const defaultLinkSeconds = 3_600;
/** Browsers may follow a preview's redirect again for this long: signed URLs differ each time and would defeat their cache. */
const previewCacheSeconds = 300;

export function fileHandlers({
  storedFiles,
  uploads,
  versions,
  downloads,
  limits,
  audit,
  auditDownloads,
  usage,
}: FileHandlersOptions): HandlersOf<'files'> {
  function find(call: Call<RouteName>): Promise<FileRecord> {
    return storedFiles.get(call.caller.account.tenantId, idOf(call));
  }

  return {
    listFiles: async ({ caller, query, access }) => ({
      body: await storedFiles.list(caller.account.tenantId, query, await access.rootsOf('files:read')),
    }),
    getFile: async (call) => {
      const file = await find(call);
      return { body: await storedFiles.entry(file), headers: { etag: fileEtag(file) } };
    },
    changeFile: async (call) => {
      const file = { tenantId: call.caller.account.tenantId, id: idOf(call) };
      const changed = await storedFiles.change(file, call.body, call.ifMatch);
      return { body: changed, headers: { etag: changed.etag } };
    },
    copyFile: async (call) => ({ body: await uploads.copy(call.caller.account, idOf(call), call.body) }),
    deleteFile: async (call) => {
      const file = { tenantId: call.caller.account.tenantId, id: idOf(call) };
      await storedFiles.remove(file, { ifMatch: call.ifMatch, may: call.access.allows, noteOf: call.note });
      return { body: undefined };
    },
    restoreFile: async (call) => {
      const file = { tenantId: call.caller.account.tenantId, id: idOf(call) };
      // It comes back to where it lay, or to what has taken that name: whether it may is judged there.
      return { body: await storedFiles.restore(file, await call.access.rootsOf('files:write')) };
    },
    getContent: async (call) => {
      const { disposition, version } = call.query;
      const file = await (version === undefined
        ? find(call)
        : versions.get({ tenantId: call.caller.account.tenantId, id: idOf(call), versionId: version }));
      const { headersOnly } = call;
      const { url } = downloads.link(file, { disposition, lifeMs: limits.urlLifeMs, headersOnly });
      const headers = { location: url };
      if (headersOnly) return { body: undefined, headers };
      await usage.handedOut(file.tenantId, file.sizeBytes);
      if (auditDownloads) {
        const details = { versionId: file.id };
        await audit.append(
          call.note({ action: 'file.downloaded', subject: { kind: 'file', id: idOf(call) }, details }),
        );
      }
      return { body: undefined, headers };
    },
    getPreview: async (call) => {
      const { headersOnly } = call;
      const preset = call.params.preset ?? '';
      const { url } = downloads.previewLink(await find(call), preset, { lifeMs: limits.urlLifeMs, headersOnly });
      const seconds = Math.min(previewCacheSeconds, Math.floor(limits.urlLifeMs / 2000));
      return { body: undefined, headers: { location: url, 'cache-control': `private, max-age=${seconds}` } };
    },
    createLink: async (call) => {
      const { disposition, expiresInSeconds = defaultLinkSeconds } = call.body;
      const file = await find(call);
      const link = downloads.link(file, { disposition, lifeMs: expiresInSeconds * 1000 });
      await usage.handedOut(file.tenantId, file.sizeBytes);
      // It works for whoever has it, and cannot be taken back.
      const details = { expiresAt: link.expiresAt };
      await audit.append(call.note({ action: 'link.created', subject: { kind: 'file', id: idOf(call) }, details }));
      return { body: link };
    },
  };
}

// Folders: made, listed, renamed, moved, put into the trash.

import type { RouteName } from '@stowage/contract';
import type { TenantId } from '../../database/tenant-id.ts';
import type { Folders } from '../../tree/folders.ts';
import { type Call, type HandlersOf, idOf } from '../handler.ts';

export interface FolderHandlersOptions {
  readonly folders: Folders;
}

export function folderHandlers({ folders }: FolderHandlersOptions): HandlersOf<'folders'> {
  const folderOf = (call: Call<RouteName>): TenantId => ({ tenantId: call.caller.account.tenantId, id: idOf(call) });

  return {
    listFolders: async ({ caller, query, access }) => ({
      body: await folders.list(caller.account.tenantId, query, await access.rootsOf('folders:read')),
    }),
    createFolder: async ({ caller, body }) => ({ body: await folders.create(caller.account, body) }),
    getFolder: async (call) => {
      const folder = await folders.get(folderOf(call));
      return { body: folder, headers: { etag: folder.etag } };
    },
    changeFolder: async (call) => {
      const folder = await folders.change(folderOf(call), call.body, call.ifMatch);
      return { body: folder, headers: { etag: folder.etag } };
    },
    deleteFolder: async (call) => {
      await folders.remove(folderOf(call), call.ifMatch);
      return { body: undefined };
    },
  };
}

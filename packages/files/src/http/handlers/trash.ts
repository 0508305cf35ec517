// The trash: listed, emptied, one file deleted for good.

import type { Trash } from '../../tree/trash.ts';
import { type HandlersOf, idOf } from '../handler.ts';

export interface TrashHandlersOptions {
  readonly trash: Trash;
}

export function trashHandlers({ trash }: TrashHandlersOptions): HandlersOf<'trash'> {
  return {
    listTrash: async ({ caller, query, access }) => ({
      body: await trash.list(caller.account.tenantId, query, await access.rootsOf('files:read')),
    }),
    emptyTrash: async ({ caller, access, note }) => {
      const { tenantId } = caller.account;
      const emptied = note({ action: 'trash.emptied', subject: { kind: 'tenant', id: tenantId } });
      return { body: { files: await trash.empty(tenantId, emptied, await access.rootsOf('files:purge')) } };
    },
    purgeFile: async (call) => {
      const note = call.note({ action: 'file.purged', subject: { kind: 'file', id: idOf(call) } });
      await trash.purge({ tenantId: call.caller.account.tenantId, id: idOf(call) }, note);
      return { body: undefined };
    },
  };
}

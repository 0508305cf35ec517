// The trash: listed, emptied, one file deleted for good.

import type { Trash } from '../../trash.ts';
import { type HandlersOf, idOf } from '../handler.ts';

export interface TrashHandlersOptions {
  readonly trash: Trash;
}

export function trashHandlers({ trash }: TrashHandlersOptions): HandlersOf<'trash'> {
  return {
    listTrash: async ({ caller, query }) => ({ body: await trash.list(caller.account.tenantId, query) }),
    emptyTrash: async ({ caller }) => ({ body: { files: await trash.empty(caller.account.tenantId) } }),
    purgeFile: async (call) => {
      await trash.purge({ tenantId: call.caller.account.tenantId, id: idOf(call) });
      return { body: undefined };
    },
  };
}

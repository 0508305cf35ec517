// Shares: made, listed, revoked. The public page is share-pages.ts.

import type { Shares } from '../../shares.ts';
import { type HandlersOf, idOf } from '../handler.ts';

export interface ShareHandlersOptions {
  readonly shares: Shares;
}

export function shareHandlers({ shares }: ShareHandlersOptions): HandlersOf<'shares'> {
  return {
    listShares: async ({ caller, query }) => ({ body: await shares.list(caller.account.tenantId, query) }),
    createShare: async ({ caller, body }) => ({ body: await shares.create(caller.account, body) }),
    revokeShare: async (call) => {
      await shares.revoke({ tenantId: call.caller.account.tenantId, id: idOf(call) });
      return { body: undefined };
    },
  };
}

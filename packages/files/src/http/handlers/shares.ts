// Shares: made, listed, revoked. The public page is share-pages.ts.

import type { RouteName } from '@stowage/contract';
import type { Shares } from '../../sharing/shares.ts';
import { type Call, type HandlersOf, idOf } from '../handler.ts';

export interface ShareHandlersOptions {
  readonly shares: Shares;
}

export function shareHandlers({ shares }: ShareHandlersOptions): HandlersOf<'shares'> {
  return {
    listShares: async (call) => ({
      body: await shares.list(call.caller.account.tenantId, call.query, makerOf(call)),
    }),
    createShare: async ({ caller, body, note }) => ({ body: await shares.create(caller.account, body, note) }),
    revokeShare: async (call) => {
      const share = { tenantId: call.caller.account.tenantId, id: idOf(call), createdBy: makerOf(call) };
      await shares.revoke(share, call.note);
      return { body: undefined };
    },
  };
}

/** Whose shares the caller sees: all, or by a right on some folders only their own. */
function makerOf({ caller, access }: Pick<Call<RouteName>, 'caller' | 'access'>): string | undefined {
  return access.everywhere('shares:write') ? undefined : caller.account.userId;
}

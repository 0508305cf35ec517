// One's own account.

import type { RouteName } from '@stowage/contract';
import type { OwnAccount } from '../../accounts/own-account.ts';
import type { SessionRecord } from '../../database/account-rows.ts';
import { FilesError } from '../../files-error.ts';
import { type Call, type HandlersOf, idOf } from '../handler.ts';

export interface AccountHandlersOptions {
  readonly ownAccount: OwnAccount;
}

export function accountHandlers({ ownAccount }: AccountHandlersOptions): HandlersOf<'account'> {
  return {
    changePassword: async (call) => {
      await ownAccount.changePassword(sessionOf(call), call.body, call.note);
      return { body: undefined };
    },
    offerSecondFactor: async (call) => ({ body: await ownAccount.offerSecondFactor(sessionOf(call)) }),
    confirmSecondFactor: async (call) => ({
      body: await ownAccount.confirmSecondFactor(sessionOf(call), call.body.code, call.note),
    }),
    removeSecondFactor: async (call) => {
      await ownAccount.removeSecondFactor(sessionOf(call), call.body.code, call.note);
      return { body: undefined };
    },
    listSessions: async (call) => ({ body: { sessions: await ownAccount.listSessions(sessionOf(call)) } }),
    endOtherSessions: async (call) => {
      await ownAccount.endOtherSessions(sessionOf(call), call.note);
      return { body: undefined };
    },
    endSession: async (call) => {
      await ownAccount.endSession(sessionOf(call), idOf(call), call.note);
      return { body: undefined };
    },
  };
}

/** The pipeline lets only people through to these routes. */
function sessionOf({ caller }: Pick<Call<RouteName>, 'caller'>): SessionRecord {
  if (caller.session === undefined) throw new FilesError('unauthenticated');
  return caller.session;
}

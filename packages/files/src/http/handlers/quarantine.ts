// Files that were set aside, for those who look after a tenant.

import type { Quarantine } from '../../lifecycle/quarantine.ts';
import { type HandlersOf, idOf } from '../handler.ts';

export interface QuarantineHandlersOptions {
  readonly quarantine: Quarantine;
}

export function quarantineHandlers({ quarantine }: QuarantineHandlersOptions): HandlersOf<'quarantine'> {
  return {
    listQuarantine: async ({ caller, query }) => ({ body: await quarantine.list(caller.account.tenantId, query) }),
    rescanQuarantined: async (call) => ({
      body: await quarantine.rescan({ tenantId: call.caller.account.tenantId, id: idOf(call) }),
    }),
    releaseQuarantined: async (call) => {
      const version = { tenantId: call.caller.account.tenantId, id: idOf(call) };
      return { body: await quarantine.release(version, call.body.reason, call.note) };
    },
    deleteQuarantined: async (call) => {
      await quarantine.remove({ tenantId: call.caller.account.tenantId, id: idOf(call) }, call.note);
      return { body: undefined };
    },
  };
}

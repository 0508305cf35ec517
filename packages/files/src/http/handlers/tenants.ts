// Tenants, for those who run the service; and one's own room.

import type { Tenants } from '../../accounts/tenants.ts';
import { type HandlersOf, idOf } from '../handler.ts';

export interface TenantHandlersOptions {
  readonly tenants: Tenants;
}

export function tenantHandlers({ tenants }: TenantHandlersOptions): HandlersOf<'tenants'> {
  return {
    listTenants: async ({ query }) => ({ body: await tenants.list(query) }),
    createTenant: async ({ body, note }) => ({ body: await tenants.create(body, note) }),
    getTenant: async (call) => ({ body: await tenants.get(idOf(call)) }),
    changeTenant: async (call) => ({ body: await tenants.change(idOf(call), call.body, call.note) }),
    getQuotas: async ({ caller }) => ({ body: await tenants.quotas(caller.account.tenantId) }),
  };
}

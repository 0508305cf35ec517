// The people of a tenant: users, groups, grants.

import type { RouteName } from '@stowage/contract';
import type { Members } from '../../accounts/members.ts';
import type { TenantId } from '../../database/tenant-id.ts';
import { type Call, type HandlersOf, idOf } from '../handler.ts';

export interface MemberHandlersOptions {
  readonly members: Members;
}

export function memberHandlers({ members }: MemberHandlersOptions): HandlersOf<'members'> {
  const tenantOf = (call: Pick<Call<RouteName>, 'caller'>): string => call.caller.account.tenantId;
  const named = (call: Call<RouteName>): TenantId => ({ tenantId: tenantOf(call), id: idOf(call) });

  const by = ({ access, note: noteOf }: Pick<Call<RouteName>, 'access' | 'note'>) => ({
    noteOf,
    runsService: access.everywhere('service:admin'),
  });

  return {
    listUsers: async (call) => ({ body: await members.listUsers(tenantOf(call), call.query) }),
    createUser: async (call) => ({ body: await members.createUser(tenantOf(call), call.body, call.note) }),
    getUser: async (call) => ({ body: await members.getUser(named(call)) }),
    changeUser: async (call) => ({ body: await members.changeUser(named(call), call.body, by(call)) }),
    inviteUser: async (call) => ({ body: await members.inviteUser(named(call), by(call)) }),
    resetSecondFactor: async (call) => {
      await members.resetSecondFactor(named(call), by(call));
      return { body: undefined };
    },
    listGroups: async (call) => ({ body: { groups: await members.listGroups(tenantOf(call)) } }),
    createGroup: async (call) => ({ body: await members.createGroup(tenantOf(call), call.body.name, call.note) }),
    getGroup: async (call) => ({ body: await members.getGroup(named(call)) }),
    changeGroup: async (call) => ({ body: await members.renameGroup(named(call), call.body.name, call.note) }),
    deleteGroup: async (call) => {
      await members.removeGroup(named(call), call.note);
      return { body: undefined };
    },
    addGroupMember: async (call) => {
      await members.addMember(named(call), call.body.userId, call.note);
      return { body: undefined };
    },
    removeGroupMember: async (call) => {
      await members.removeMember(named(call), call.params.userId ?? '', call.note);
      return { body: undefined };
    },
    listGrants: async (call) => ({ body: { grants: await members.listGrants(tenantOf(call), call.query) } }),
    createGrant: async (call) => ({ body: await members.setGrant(tenantOf(call), call.body, call.note) }),
    deleteGrant: async (call) => {
      await members.removeGrant(named(call), call.note);
      return { body: undefined };
    },
  };
}

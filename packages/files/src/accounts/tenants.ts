// Tenants: made with a first owner, suspended, given more or less room. And what of its room a tenant has taken.

import type {
  ChangeTenantRequest,
  CreatedTenant,
  CreateTenantRequest,
  Quotas,
  Tenant,
  TenantList,
} from '@stowage/contract';
import type { TenantTable } from '../database/account-tables.ts';
import type { TenantRow } from '../database/schema.ts';
import { isoDate } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import { type Invitations, type NoteOf, shownUser } from './members.ts';
import { newUser } from './sign-in.ts';

export interface Tenants {
  list(page: { readonly cursor?: string; readonly limit?: number }): Promise<TenantList>;
  /** Throws `name-taken`. */
  create(request: CreateTenantRequest, noteOf: NoteOf): Promise<CreatedTenant>;
  /** Throws `not-found`. */
  get(id: string): Promise<Tenant>;
  /** Throws `not-found`. */
  change(id: string, request: ChangeTenantRequest, noteOf: NoteOf): Promise<Tenant>;
  quotas(tenantId: string): Promise<Quotas>;
}

interface TenantsOptions {
  readonly tenants: TenantTable;
  readonly invitations: Invitations;
  readonly clock: () => number;
  readonly newId: () => string;
}

const defaultPageSize = 50;
const maxUsersShown = 1_000;
const idPattern = /^[A-Za-z0-9_-]{1,64}$/;

export function openTenants({ tenants, invitations, clock, newId }: TenantsOptions): Tenants {
  async function find(id: string): Promise<TenantRow> {
    const found = idPattern.test(id) ? await tenants.get(id) : undefined;
    if (found === undefined) throw new FilesError('not-found', { detail: `There is no tenant ${id}.` });
    return found;
  }

  async function show(tenant: TenantRow): Promise<Tenant> {
    const { id, name, createdAtMs, suspendedAtMs, quotaBytes, quotaFiles } = tenant;
    return {
      id,
      name,
      createdAt: isoDate(createdAtMs),
      ...(suspendedAtMs === null ? {} : { suspendedAt: isoDate(suspendedAtMs) }),
      ...(quotaBytes === null ? {} : { quotaBytes }),
      ...(quotaFiles === null ? {} : { quotaFiles }),
      usage: await tenants.usage(id),
    };
  }

  return {
    list: async ({ cursor, limit = defaultPageSize }) => {
      const rows = await tenants.list({ limit: limit + 1, afterId: cursor });
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return {
        tenants: await Promise.all(page.map(show)),
        ...(rows.length > limit && last !== undefined ? { nextCursor: last.id } : {}),
      };
    },

    create: async ({ id: given, name, quotaBytes = null, quotaFiles = null, owner: first }, noteOf) => {
      const id = given ?? newId();
      const nowMs = clock();
      const tenant = { id, name, createdAtMs: nowMs, suspendedAtMs: null, quotaBytes, quotaFiles };
      const { name: ownerName, email } = first;
      const owner = newUser({ id: newId(), tenantId: id, name: ownerName, email, role: 'owner', nowMs });
      const { invitation, token } = invitations.make(owner);
      await tenants.add(tenant, owner, token, [
        noteOf({
          tenantId: id,
          action: 'tenant.created',
          subject: { kind: 'tenant', id },
          details: { name, quotaBytes, quotaFiles },
        }),
        noteOf({
          tenantId: id,
          action: 'user.created',
          subject: { kind: 'user', id: owner.id },
          details: { role: 'owner' },
        }),
      ]);
      return { tenant: await show(tenant), owner: { user: shownUser(owner), invitation } };
    },

    get: async (id) => show(await find(id)),

    change: async (id, { name, suspended, quotaBytes, quotaFiles }, noteOf) => {
      const before = await find(id);
      const suspendedAtMs = suspended === true ? (before.suspendedAtMs ?? clock()) : null;
      const changes = {
        ...(name === undefined ? {} : { name }),
        ...(suspended === undefined ? {} : { suspendedAtMs }),
        ...(quotaBytes === undefined ? {} : { quotaBytes }),
        ...(quotaFiles === undefined ? {} : { quotaFiles }),
      };
      if (Object.keys(changes).length === 0) return show(before);
      const details = {
        ...(name === undefined ? {} : { name }),
        ...(suspended === undefined ? {} : { suspended }),
        ...(quotaBytes === undefined ? {} : { quotaBytes }),
        ...(quotaFiles === undefined ? {} : { quotaFiles }),
      };
      const note = noteOf({ tenantId: id, action: 'tenant.changed', subject: { kind: 'tenant', id }, details });
      return show((await tenants.change(id, changes, note)) ?? before);
    },

    quotas: async (tenantId) => {
      const { quotaBytes, quotaFiles } = await find(tenantId);
      return {
        ...(quotaBytes === null ? {} : { quotaBytes }),
        ...(quotaFiles === null ? {} : { quotaFiles }),
        usage: await tenants.usage(tenantId),
        users: await tenants.usageByUser(tenantId, maxUsersShown),
      };
    },
  };
}

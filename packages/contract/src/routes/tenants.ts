// Tenants: made, suspended, given room, by those who run the service.

import {
  changeTenantRequestSchema,
  createdTenantSchema,
  createTenantRequestSchema,
  quotasSchema,
  tenantListSchema,
  tenantSchema,
} from '../admin.ts';
import { cursorQuery } from './cursor-query.ts';
import type { Route } from './route.ts';

export const tenantRoutes = {
  listTenants: {
    method: 'GET',
    path: '/v1/admin/tenants',
    summary: 'Tenants, by id.',
    access: 'authenticated',
    requires: 'service:admin',
    query: cursorQuery,
    status: 200,
    response: tenantListSchema,
    problems: [],
  },
  createTenant: {
    method: 'POST',
    path: '/v1/admin/tenants',
    summary: 'Make a tenant and its first owner; answers the link that signs the owner in.',
    access: 'authenticated',
    requires: 'service:admin',
    body: createTenantRequestSchema,
    status: 201,
    response: createdTenantSchema,
    problems: ['name-taken'],
  },
  getTenant: {
    method: 'GET',
    path: '/v1/admin/tenants/{id}',
    summary: 'One tenant.',
    access: 'authenticated',
    requires: 'service:admin',
    status: 200,
    response: tenantSchema,
    problems: [],
  },
  changeTenant: {
    method: 'PATCH',
    path: '/v1/admin/tenants/{id}',
    summary: 'Rename a tenant, suspend it, give it more or less room.',
    access: 'authenticated',
    requires: 'service:admin',
    body: changeTenantRequestSchema,
    status: 200,
    response: tenantSchema,
    problems: [],
  },
  getQuotas: {
    method: 'GET',
    path: '/v1/admin/quotas',
    summary: 'How much room one’s own tenant has, and who takes how much of it.',
    access: 'authenticated',
    requires: 'usage:read',
    status: 200,
    response: quotasSchema,
    problems: [],
  },
} as const satisfies Record<string, Route>;

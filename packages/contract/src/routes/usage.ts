// What was used, by tenant and day: one's own tenant's, and everybody's for those who run the service.

import { allUsagePageQuerySchema, allUsageQuerySchema, usageDayListSchema, usageQuerySchema } from '../usage.ts';
import type { Route } from './route.ts';

export const usageRoutes = {
  getUsage: {
    method: 'GET',
    path: '/v1/usage',
    summary: 'What one’s own tenant used, by day.',
    access: 'authenticated',
    requires: 'usage:read',
    query: usageQuerySchema,
    status: 200,
    response: usageDayListSchema,
    problems: [],
  },
  getUsageTable: {
    method: 'GET',
    path: '/v1/usage.csv',
    summary: 'The same as a table (CSV, RFC 4180).',
    access: 'authenticated',
    requires: 'usage:read',
    query: usageQuerySchema,
    status: 200,
    produces: 'text/csv',
    problems: [],
  },
  getAllUsage: {
    method: 'GET',
    path: '/v1/admin/usage',
    summary: 'What each tenant used, by day.',
    access: 'authenticated',
    requires: 'service:admin',
    query: allUsagePageQuerySchema,
    status: 200,
    response: usageDayListSchema,
    problems: [],
  },
  getAllUsageTable: {
    method: 'GET',
    path: '/v1/admin/usage.csv',
    summary: 'The same as a table of all tenants, streamed (CSV, RFC 4180).',
    access: 'authenticated',
    requires: 'service:admin',
    query: allUsageQuerySchema,
    status: 200,
    produces: 'text/csv',
    problems: [],
  },
} as const satisfies Record<string, Route>;

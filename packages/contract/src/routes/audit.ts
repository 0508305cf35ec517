// The audit log of a tenant.

import { auditListSchema, auditVerificationSchema, listAuditQuerySchema } from '../audit.ts';
import type { Route } from './route.ts';

export const auditRoutes = {
  listAudit: {
    method: 'GET',
    path: '/v1/admin/audit',
    summary: 'What was done, the newest first.',
    access: 'authenticated',
    requires: 'audit:read',
    query: listAuditQuerySchema,
    status: 200,
    response: auditListSchema,
    problems: [],
  },
  verifyAudit: {
    method: 'GET',
    path: '/v1/admin/audit/verification',
    summary: 'Checks the whole log and names the first link that does not hold.',
    access: 'authenticated',
    requires: 'audit:read',
    status: 200,
    response: auditVerificationSchema,
    problems: [],
  },
} as const satisfies Record<string, Route>;

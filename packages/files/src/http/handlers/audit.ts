// The audit log.

import type { AuditLog } from '../../accounts/audit-log.ts';
import type { HandlersOf } from '../handler.ts';

export interface AuditHandlersOptions {
  readonly auditLog: AuditLog;
}

export function auditHandlers({ auditLog }: AuditHandlersOptions): HandlersOf<'audit'> {
  return {
    listAudit: async ({ caller, query }) => ({ body: await auditLog.list(caller.account.tenantId, query) }),
    verifyAudit: async ({ caller }) => ({ body: await auditLog.verify(caller.account.tenantId) }),
  };
}

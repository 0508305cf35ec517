// What is to be written into the audit log with a change: who did what to what. Numbered, dated and sealed when it is written.

import type { AuditAction, AuditEntry } from '@stowage/contract';

export interface AuditNote {
  /** Whose log it goes to. */
  readonly tenantId: string;
  readonly action: AuditAction;
  readonly actor: AuditEntry['actor'];
  readonly subject: AuditEntry['subject'];
  readonly details: AuditEntry['details'];
  readonly address: string | null;
  readonly requestId: string | null;
}

/** What the service does by itself, or on behalf of who runs it. */
export function serviceNote(
  note: Pick<AuditNote, 'tenantId' | 'action' | 'subject'> & { readonly details?: AuditNote['details'] },
): AuditNote {
  return { details: {}, ...note, actor: { kind: 'service', id: 'service' }, address: null, requestId: null };
}

// The chain of the audit log: each entry's hash covers the entry and the hash before it, under a key that follows from the
// service's secret. Who has the database alone can neither alter an entry nor add one that fits. What a chain cannot show is that
// its newest entries were cut off: for that, keep the head that a verification answers.

import { createHmac, createSecretKey, hkdfSync } from 'node:crypto';
import type { AuditAction, AuditEntry, AuditVerification } from '@stowage/contract';

/** A row of the log. */
export interface AuditRecord {
  readonly tenantId: string;
  /** From 1, without a gap. */
  readonly sequence: number;
  readonly atMs: number;
  readonly action: AuditAction;
  readonly actorKind: AuditEntry['actor']['kind'];
  readonly actorId: string;
  readonly subjectKind: string;
  readonly subjectId: string;
  /** Canonical JSON. */
  readonly details: string;
  readonly address: string | null;
  readonly requestId: string | null;
  readonly previousHash: string;
  readonly hash: string;
}

/** Gives a row its hash. */
export type AuditSeal = (record: Omit<AuditRecord, 'hash'>) => string;

/** `previousHash` of the first entry. */
export const firstPreviousHash = '0'.repeat(64);

export function openAuditSeal(secret: Uint8Array): AuditSeal {
  const key = createSecretKey(new Uint8Array(hkdfSync('sha256', secret, '', 'stowage audit chain v1', 32)));
  return ({
    tenantId,
    sequence,
    atMs,
    action,
    actorKind,
    actorId,
    subjectKind,
    subjectId,
    details,
    address,
    requestId,
    previousHash,
  }) =>
    createHmac('sha256', key)
      .update(
        canonicalJson({
          tenantId,
          sequence,
          atMs,
          action,
          actorKind,
          actorId,
          subjectKind,
          subjectId,
          details,
          address,
          requestId,
          previousHash,
        }),
      )
      .digest('hex');
}

/** JSON of a flat object with its names in order: the same values give the same text. Spec: RFC 8785, for what is used here. */
export function canonicalJson(value: Readonly<Record<string, string | number | boolean | null>>): string {
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${JSON.stringify(value[name])}`).join(',')}}`;
}

/** Checks rows in their order, a page at a time, up to the first that does not fit. `readAfter` answers none at the end. */
export async function verifyChain(
  readAfter: (sequence: number) => Promise<readonly AuditRecord[]>,
  seal: AuditSeal,
  maxEntries: number,
): Promise<AuditVerification> {
  let sequence = 0;
  let hash = firstPreviousHash;
  const result = (broken?: AuditVerification['broken']): AuditVerification => ({
    entries: sequence,
    ...(sequence === 0 ? {} : { head: { sequence, hash } }),
    ...(broken === undefined ? {} : { broken }),
  });
  while (sequence < maxEntries) {
    const page = await readAfter(sequence);
    if (page.length === 0) break;
    for (const record of page) {
      const expected = sequence + 1;
      if (record.sequence !== expected) return result({ sequence: expected, fault: 'missing' });
      if (record.previousHash !== hash || record.hash !== seal(record)) {
        return result({ sequence: expected, fault: 'altered' });
      }
      sequence = expected;
      hash = record.hash;
    }
  }
  return result();
}

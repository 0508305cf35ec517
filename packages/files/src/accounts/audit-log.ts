// The audit log as those read it who look after a tenant.

import type { AuditEntry, AuditList, AuditVerification } from '@stowage/contract';
import type { AuditTable, ListAuditOptions } from '../database/account-tables.ts';
import { isoDate } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import { type AuditRecord, openAuditSeal, verifyChain } from './audit-chain.ts';

interface AuditQuery extends Pick<ListAuditOptions, 'action' | 'actorId' | 'subjectId'> {
  readonly from?: string | undefined;
  readonly until?: string | undefined;
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
}

export interface AuditLog {
  list(tenantId: string, query: AuditQuery): Promise<AuditList>;
  /** Reads all of it, up to ten million entries. */
  verify(tenantId: string): Promise<AuditVerification>;
}

interface AuditLogOptions {
  readonly audit: AuditTable;
  readonly secret: Uint8Array;
}

const defaultPageSize = 50;
const verifyPageSize = 1_000;
const maxVerified = 10_000_000;

export function openAuditLog({ audit, secret }: AuditLogOptions): AuditLog {
  const seal = openAuditSeal(secret);
  return {
    list: async (tenantId, { action, actorId, subjectId, from, until, cursor, limit = defaultPageSize }) => {
      const rows = await audit.list({
        tenantId,
        limit: limit + 1,
        beforeSequence: cursor === undefined ? undefined : sequenceOf(cursor),
        action,
        actorId,
        subjectId,
        fromMs: from === undefined ? undefined : Date.parse(from),
        untilMs: until === undefined ? undefined : Date.parse(until),
      });
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return {
        entries: page.map(shown),
        ...(rows.length > limit && last !== undefined ? { nextCursor: String(last.sequence) } : {}),
      };
    },

    verify: (tenantId) =>
      verifyChain((sequence) => audit.readAfter(tenantId, sequence, verifyPageSize), seal, maxVerified),
  };
}

function sequenceOf(cursor: string): number {
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
  throw new FilesError('invalid-request', { detail: 'The cursor is not one of this list.' });
}

function shown(record: AuditRecord): AuditEntry {
  const { sequence, atMs, action, actorKind, actorId, subjectKind, subjectId, address, requestId } = record;
  return {
    sequence,
    at: isoDate(atMs),
    action,
    actor: { kind: actorKind, id: actorId },
    subject: { kind: subjectKind, id: subjectId },
    // Written by the note writer alone, of values of these kinds.
    details: JSON.parse(record.details) as AuditEntry['details'],
    ...(address === null ? {} : { address }),
    ...(requestId === null ? {} : { requestId }),
    hash: record.hash,
    previousHash: record.previousHash,
  };
}

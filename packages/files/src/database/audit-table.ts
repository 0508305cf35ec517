// Rows of the audit log, added in the transaction of what they tell.

import { type AuditRecord, type AuditSeal, canonicalJson, firstPreviousHash } from '../accounts/audit-chain.ts';
import type { AuditNote } from '../accounts/audit-note.ts';
import type { AuditTable } from './account-tables.ts';
import type { LockedTransaction, SqlScope } from './sql-scope.ts';

/** Adds a note to the log in a transaction that has locked the note's tenant: all who write to one log queue for it. */
export type WriteNote = (transaction: LockedTransaction, note: AuditNote) => Promise<void>;

interface NoteWriterOptions {
  readonly seal: AuditSeal;
  readonly clock: () => number;
}

export function openNoteWriter({ seal, clock }: NoteWriterOptions): WriteNote {
  return async (transaction, { tenantId, action, actor, subject, details, address, requestId }) => {
    const last = await transaction
      .selectFrom('auditEntries')
      .select(['sequence', 'hash'])
      .where('tenantId', '=', tenantId)
      .orderBy('sequence', 'desc')
      .limit(1)
      .executeTakeFirst();
    const unsealed = {
      tenantId,
      sequence: (last?.sequence ?? 0) + 1,
      atMs: clock(),
      action,
      actorKind: actor.kind,
      actorId: actor.id,
      subjectKind: subject.kind,
      subjectId: subject.id,
      details: canonicalJson(details),
      address,
      requestId,
      previousHash: last?.hash ?? firstPreviousHash,
    };
    await transaction
      .insertInto('auditEntries')
      .values({ ...unsealed, hash: seal(unsealed) })
      .execute();
  };
}

export function openAuditTable(scope: SqlScope, writeNote: WriteNote): AuditTable {
  return {
    append: (note) => scope.writeLocked(note, (transaction) => writeNote(transaction, note)),

    list: ({ tenantId, limit, beforeSequence, action, actorId, subjectId, fromMs, untilMs }) =>
      scope.read({ tenantId }, async (query): Promise<readonly AuditRecord[]> => {
        let rows = query
          .selectFrom('auditEntries')
          .selectAll()
          .where('tenantId', '=', tenantId)
          .orderBy('sequence', 'desc')
          .limit(limit);
        if (beforeSequence !== undefined) rows = rows.where('sequence', '<', beforeSequence);
        if (action !== undefined) rows = rows.where('action', '=', action);
        if (actorId !== undefined) rows = rows.where('actorId', '=', actorId);
        if (subjectId !== undefined) rows = rows.where('subjectId', '=', subjectId);
        if (fromMs !== undefined) rows = rows.where('atMs', '>=', fromMs);
        if (untilMs !== undefined) rows = rows.where('atMs', '<', untilMs);
        return rows.execute();
      }),

    readAfter: (tenantId, sequence, limit) =>
      scope.read({ tenantId }, (query) =>
        query
          .selectFrom('auditEntries')
          .selectAll()
          .where('tenantId', '=', tenantId)
          .where('sequence', '>', sequence)
          .orderBy('sequence')
          .limit(limit)
          .execute(),
      ),
  };
}

// Sign-in tokens, sessions and API keys, all by their hashes. A token names its tenant only once it was found, so looking for one
// is the service's own query.

import type { Kysely } from 'kysely';
import type { AccountTable, Identity } from './account-tables.ts';
import type { WriteNote } from './audit-table.ts';
import { hasRoom } from './has-room.ts';
import type { Schema } from './schema.ts';
import type { SqlScope } from './sql-scope.ts';

export function openAccountTable(scope: SqlScope, writeNote: WriteNote): AccountTable {
  return {
    addSignInToken: (token, note) =>
      scope.writeLocked(token, async (transaction) => {
        await transaction.insertInto('signInTokens').values(token).execute();
        await writeNote(transaction, note);
      }),

    findSignInToken: (tokenHash, nowMs) =>
      scope.read('service', (query) =>
        query
          .selectFrom('signInTokens')
          .selectAll()
          .where('tokenHash', '=', tokenHash)
          .where('expiresAtMs', '>', nowMs)
          .executeTakeFirst(),
      ),

    redeemSignInToken: (tokenHash, session, note) =>
      scope.writeLocked(session, async (transaction) => {
        const { numDeletedRows } = await transaction
          .deleteFrom('signInTokens')
          .where('tokenHash', '=', tokenHash)
          .where('tenantId', '=', session.tenantId)
          .where('userId', '=', session.userId)
          .executeTakeFirstOrThrow();
        if (numDeletedRows !== 1n) return false;
        await transaction.insertInto('sessions').values(session).execute();
        await writeNote(transaction, note);
        return true;
      }),

    addSession: (session, note) =>
      scope.writeLocked(session, async (transaction) => {
        await transaction.insertInto('sessions').values(session).execute();
        await writeNote(transaction, note);
      }),

    findSession: (tokenHash, nowMs) =>
      scope.read('service', async (query) => {
        const row = await identities(query)
          .innerJoin('sessions', 'sessions.userId', 'users.id')
          .where('sessions.tokenHash', '=', tokenHash)
          .where('sessions.expiresAtMs', '>', nowMs)
          .select([
            'sessions.tokenHash',
            'sessions.id',
            'sessions.how',
            'sessions.address',
            'sessions.userAgent',
            'sessions.createdAtMs',
            'sessions.expiresAtMs',
          ])
          .executeTakeFirst();
        if (row === undefined) return undefined;
        const { id, how, address, userAgent, createdAtMs, expiresAtMs, tenantId, userId } = row;
        return {
          identity: identityOf(row),
          session: { tokenHash, id, how, address, userAgent, createdAtMs, expiresAtMs, tenantId, userId },
        };
      }),

    listSessions: ({ tenantId, id }, nowMs) =>
      scope.read({ tenantId }, (query) =>
        query
          .selectFrom('sessions')
          .selectAll()
          .where('tenantId', '=', tenantId)
          .where('userId', '=', id)
          .where('expiresAtMs', '>', nowMs)
          .orderBy('id', 'desc')
          .limit(maxListedSessions)
          .execute(),
      ),

    removeSession: async (tokenHash) => {
      await scope.write('service', (transaction) =>
        transaction.deleteFrom('sessions').where('tokenHash', '=', tokenHash).execute(),
      );
    },

    removeSessionById: ({ tenantId, id }, sessionId, note) =>
      scope.writeLocked({ tenantId }, async (transaction) => {
        const { numDeletedRows } = await transaction
          .deleteFrom('sessions')
          .where('tenantId', '=', tenantId)
          .where('userId', '=', id)
          .where('id', '=', sessionId)
          .executeTakeFirstOrThrow();
        if (numDeletedRows !== 1n) return false;
        await writeNote(transaction, note);
        return true;
      }),

    removeOtherSessions: ({ tenantId, id }, keptTokenHash, note) =>
      scope.writeLocked({ tenantId }, async (transaction) => {
        const { numDeletedRows } = await transaction
          .deleteFrom('sessions')
          .where('tenantId', '=', tenantId)
          .where('userId', '=', id)
          .where('tokenHash', '<>', keptTokenHash)
          .executeTakeFirstOrThrow();
        if (numDeletedRows > 0n) await writeNote(transaction, note);
      }),

    removeExpired: (nowMs) =>
      scope.write('service', async (transaction) => {
        for (const table of ['signInTokens', 'sessions', 'idempotencyKeys'] as const) {
          await transaction.deleteFrom(table).where('expiresAtMs', '<=', nowMs).execute();
        }
      }),

    addApiKey: (key, note, atMost) =>
      scope.writeLocked(key, async (transaction) => {
        if (!(await hasRoom(transaction, 'apiKeys', { tenantId: key.tenantId, atMost }))) return false;
        await transaction.insertInto('apiKeys').values(key).execute();
        await writeNote(transaction, note);
        return true;
      }),

    listApiKeys: (tenantId, userId) =>
      scope.read({ tenantId }, (query) => {
        const rows = query
          .selectFrom('apiKeys')
          .selectAll()
          .where('tenantId', '=', tenantId)
          .orderBy('id')
          .limit(maxListedKeys);
        return (userId === undefined ? rows : rows.where('userId', '=', userId)).execute();
      }),

    removeApiKey: ({ tenantId, id }, userId, note) =>
      scope.writeLocked({ tenantId }, async (transaction) => {
        let rows = transaction.deleteFrom('apiKeys').where('tenantId', '=', tenantId).where('id', '=', id);
        if (userId !== undefined) rows = rows.where('userId', '=', userId);
        const { numDeletedRows } = await rows.executeTakeFirstOrThrow();
        if (numDeletedRows !== 1n) return false;
        await writeNote(transaction, note);
        return true;
      }),

    findApiKey: (secretHash) =>
      scope.read('service', async (query) => {
        const key = await query
          .selectFrom('apiKeys')
          .selectAll()
          .where('secretHash', '=', secretHash)
          .executeTakeFirst();
        if (key === undefined) return undefined;
        const row = await identities(query).where('users.id', '=', key.userId).executeTakeFirstOrThrow();
        return { identity: identityOf(row), key };
      }),

    touchApiKey: async (id, nowMs) => {
      await scope.write('service', (transaction) =>
        transaction.updateTable('apiKeys').set({ lastUsedAtMs: nowMs }).where('id', '=', id).execute(),
      );
    },
  };
}

/** More than one person has, and more than a tenant may. */
const maxListedSessions = 1_000;
const maxListedKeys = 10_000;

/** Users with their tenants. */
export function identities(database: Kysely<Schema>) {
  return database
    .selectFrom('users')
    .innerJoin('tenants', 'tenants.id', 'users.tenantId')
    .select([
      'users.id as userId',
      'users.name as userName',
      'users.email',
      'users.role',
      'users.serviceAdmin',
      'users.disabledAtMs',
      'tenants.id as tenantId',
      'tenants.name as tenantName',
      'tenants.suspendedAtMs',
    ]);
}

/** A row of `identities`. */
export function identityOf(row: Omit<Identity, 'serviceAdmin'> & { readonly serviceAdmin: number }): Identity {
  const { userId, userName, email, role, disabledAtMs, tenantId, tenantName, suspendedAtMs } = row;
  const serviceAdmin = row.serviceAdmin === 1;
  return { userId, userName, email, role, serviceAdmin, disabledAtMs, tenantId, tenantName, suspendedAtMs };
}

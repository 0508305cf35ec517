// Sign-in tokens, sessions and API keys, all by their hashes.

import type { Kysely } from 'kysely';
import type { Account, AccountTable } from './database.ts';
import type { Schema } from './schema.ts';

export function openAccountTable(database: Kysely<Schema>): AccountTable {
  return {
    addSignInToken: async (token) => {
      await database.insertInto('signInTokens').values(token).execute();
    },

    redeemSignInToken: ({ tokenHash, sessionHash, nowMs, expiresAtMs }) =>
      database.transaction().execute(async (transaction) => {
        const token = await transaction
          .deleteFrom('signInTokens')
          .where('tokenHash', '=', tokenHash)
          .returningAll()
          .executeTakeFirst();
        if (token === undefined || token.expiresAtMs <= nowMs) return undefined;
        const { userId } = token;
        await transaction
          .insertInto('sessions')
          .values({ tokenHash: sessionHash, userId, createdAtMs: nowMs, expiresAtMs })
          .execute();
        return accounts(transaction).where('users.id', '=', userId).executeTakeFirstOrThrow();
      }),

    findSession: async (sessionHash, nowMs) => {
      const row = await accounts(database)
        .innerJoin('sessions', 'sessions.userId', 'users.id')
        .where('sessions.tokenHash', '=', sessionHash)
        .where('sessions.expiresAtMs', '>', nowMs)
        .select('sessions.expiresAtMs')
        .executeTakeFirst();
      return row === undefined ? undefined : { account: accountOf(row), expiresAtMs: row.expiresAtMs };
    },

    removeSession: async (sessionHash) => {
      await database.deleteFrom('sessions').where('tokenHash', '=', sessionHash).execute();
    },

    removeExpired: async (nowMs) => {
      await database.deleteFrom('signInTokens').where('expiresAtMs', '<=', nowMs).execute();
      await database.deleteFrom('sessions').where('expiresAtMs', '<=', nowMs).execute();
      await database.deleteFrom('idempotencyKeys').where('expiresAtMs', '<=', nowMs).execute();
    },

    addApiKey: async (key) => {
      await database.insertInto('apiKeys').values(key).execute();
    },

    listApiKeys: (tenantId) =>
      database
        .selectFrom('apiKeys')
        .select(['id', 'name', 'hint', 'createdAtMs', 'lastUsedAtMs'])
        .where('tenantId', '=', tenantId)
        .orderBy('id')
        .execute(),

    removeApiKey: async (tenantId, id) => {
      const { numDeletedRows } = await database
        .deleteFrom('apiKeys')
        .where('tenantId', '=', tenantId)
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
      return numDeletedRows === 1n;
    },

    findApiKey: async (secretHash) => {
      const row = await accounts(database)
        .innerJoin('apiKeys', 'apiKeys.userId', 'users.id')
        .where('apiKeys.secretHash', '=', secretHash)
        .select(['apiKeys.id', 'apiKeys.name', 'apiKeys.hint', 'apiKeys.createdAtMs', 'apiKeys.lastUsedAtMs'])
        .executeTakeFirst();
      if (row === undefined) return undefined;
      const { id, name, hint, createdAtMs, lastUsedAtMs } = row;
      return { account: accountOf(row), key: { id, name, hint, createdAtMs, lastUsedAtMs } };
    },

    touchApiKey: async (id, nowMs) => {
      await database.updateTable('apiKeys').set({ lastUsedAtMs: nowMs }).where('id', '=', id).execute();
    },
  };
}

function accounts(database: Kysely<Schema>) {
  return database
    .selectFrom('users')
    .innerJoin('tenants', 'tenants.id', 'users.tenantId')
    .select(['users.id as userId', 'users.name as userName', 'tenants.id as tenantId', 'tenants.name as tenantName']);
}

function accountOf({ userId, userName, tenantId, tenantName }: Account): Account {
  return { userId, userName, tenantId, tenantName };
}

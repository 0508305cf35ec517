// Sign-in tokens, sessions and API keys, all by their hashes.

import type { Kysely } from 'kysely';
import type { Account, AccountTable } from './database.ts';
import type { Schema } from './schema.ts';
import type { SqlScope } from './sql-scope.ts';

export function openAccountTable(scope: SqlScope): AccountTable {
  return {
    addSignInToken: async (token) => {
      await scope.write('service', (transaction) => transaction.insertInto('signInTokens').values(token).execute());
    },

    redeemSignInToken: ({ tokenHash, sessionHash, nowMs, expiresAtMs }) =>
      scope.write('service', async (transaction) => {
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

    findSession: (sessionHash, nowMs) =>
      scope.read('service', async (query) => {
        const row = await accounts(query)
          .innerJoin('sessions', 'sessions.userId', 'users.id')
          .where('sessions.tokenHash', '=', sessionHash)
          .where('sessions.expiresAtMs', '>', nowMs)
          .select('sessions.expiresAtMs')
          .executeTakeFirst();
        return row === undefined ? undefined : { account: accountOf(row), expiresAtMs: row.expiresAtMs };
      }),

    removeSession: async (sessionHash) => {
      await scope.write('service', (transaction) =>
        transaction.deleteFrom('sessions').where('tokenHash', '=', sessionHash).execute(),
      );
    },

    removeExpired: (nowMs) =>
      scope.write('service', async (transaction) => {
        for (const table of ['signInTokens', 'sessions', 'idempotencyKeys'] as const) {
          await transaction.deleteFrom(table).where('expiresAtMs', '<=', nowMs).execute();
        }
      }),

    addApiKey: async (key) => {
      await scope.write(key, (transaction) => transaction.insertInto('apiKeys').values(key).execute());
    },

    listApiKeys: (tenantId) =>
      scope.read({ tenantId }, (query) =>
        query
          .selectFrom('apiKeys')
          .select(['id', 'name', 'hint', 'createdAtMs', 'lastUsedAtMs'])
          .where('tenantId', '=', tenantId)
          .orderBy('id')
          .execute(),
      ),

    removeApiKey: (tenantId, id) =>
      scope.write({ tenantId }, async (transaction) => {
        const { numDeletedRows } = await transaction
          .deleteFrom('apiKeys')
          .where('tenantId', '=', tenantId)
          .where('id', '=', id)
          .executeTakeFirstOrThrow();
        return numDeletedRows === 1n;
      }),

    findApiKey: (secretHash) =>
      scope.read('service', async (query) => {
        const row = await accounts(query)
          .innerJoin('apiKeys', 'apiKeys.userId', 'users.id')
          .where('apiKeys.secretHash', '=', secretHash)
          .select(['apiKeys.id', 'apiKeys.name', 'apiKeys.hint', 'apiKeys.createdAtMs', 'apiKeys.lastUsedAtMs'])
          .executeTakeFirst();
        if (row === undefined) return undefined;
        const { id, name, hint, createdAtMs, lastUsedAtMs } = row;
        return { account: accountOf(row), key: { id, name, hint, createdAtMs, lastUsedAtMs } };
      }),

    touchApiKey: async (id, nowMs) => {
      await scope.write('service', (transaction) =>
        transaction.updateTable('apiKeys').set({ lastUsedAtMs: nowMs }).where('id', '=', id).execute(),
      );
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

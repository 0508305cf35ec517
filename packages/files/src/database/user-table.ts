// Rows of users: who they are, what they may do, and how they show that it is they.

import type { Transaction } from 'kysely';
import { FilesError } from '../files-error.ts';
import type { SignInTokenRecord, UserRecord, UserRow } from './account-rows.ts';
import { identities, identityOf } from './account-table.ts';
import type { UserTable } from './account-tables.ts';
import type { WriteNote } from './audit-table.ts';
import type { Schema } from './schema.ts';
import type { SqlScope } from './sql-scope.ts';
import type { TenantId } from './tenant-id.ts';

export function openUserTable(scope: SqlScope, writeNote: WriteNote): UserTable {
  return {
    add: (user, token, note) =>
      scope.writeLocked(user, async (transaction) => {
        await addUser(transaction, user, token);
        await writeNote(transaction, note);
      }),

    get: ({ tenantId, id }) =>
      scope.read({ tenantId }, async (query) => {
        const row = await query
          .selectFrom('users')
          .selectAll()
          .where('tenantId', '=', tenantId)
          .where('id', '=', id)
          .executeTakeFirst();
        return row === undefined ? undefined : recordOf(row);
      }),

    list: ({ tenantId, limit, afterId }) =>
      scope.read({ tenantId }, async (query) => {
        const rows = query.selectFrom('users').selectAll().where('tenantId', '=', tenantId).orderBy('id').limit(limit);
        return (await (afterId === undefined ? rows : rows.where('id', '>', afterId)).execute()).map(recordOf);
      }),

    findByEmail: (tenantId, email) =>
      scope.read('service', async (query) => {
        const row = await query
          .selectFrom('users')
          .selectAll()
          .where('tenantId', '=', tenantId)
          .where('emailFolded', '=', foldEmail(email))
          .executeTakeFirst();
        return row === undefined ? undefined : recordOf(row);
      }),

    findIdentity: ({ tenantId, id }) =>
      scope.read({ tenantId }, async (query) => {
        const row = await identities(query)
          .where('users.tenantId', '=', tenantId)
          .where('users.id', '=', id)
          .executeTakeFirst();
        return row === undefined ? undefined : identityOf(row);
      }),

    findBySubject: ({ tenantId, issuer, subject }) =>
      scope.read({ tenantId }, async (query) => {
        const row = await identities(query)
          .where('users.tenantId', '=', tenantId)
          .where('users.issuer', '=', issuer)
          .where('users.subject', '=', subject)
          .executeTakeFirst();
        return row === undefined ? undefined : identityOf(row);
      }),

    change: ({ tenantId, id }, changes, note) =>
      // Locked: two owners who each take the other's right away must not both succeed.
      scope.writeLocked({ tenantId }, async (transaction) => {
        const { email } = changes;
        const emailFolded = typeof email === 'string' ? foldEmail(email) : null;
        if (emailFolded !== null) await requireFreeEmail(transaction, { tenantId, id, emailFolded });
        const { numUpdatedRows } = await transaction
          .updateTable('users')
          .set({ ...changes, ...(email === undefined ? {} : { emailFolded }) })
          .where('tenantId', '=', tenantId)
          .where('id', '=', id)
          .executeTakeFirstOrThrow();
        if (numUpdatedRows !== 1n) return undefined;
        await requireOwner(transaction, tenantId);
        if (typeof changes.disabledAtMs === 'number') {
          for (const table of ['sessions', 'signInTokens'] as const) {
            await transaction.deleteFrom(table).where('tenantId', '=', tenantId).where('userId', '=', id).execute();
          }
        }
        await writeNote(transaction, note);
        return recordOf(
          await transaction.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirstOrThrow(),
        );
      }),

    setPassword: ({ tenantId, id }, passwordHash, keptTokenHash, note) =>
      scope.writeLocked({ tenantId }, async (transaction) => {
        await transaction
          .updateTable('users')
          .set({ passwordHash })
          .where('tenantId', '=', tenantId)
          .where('id', '=', id)
          .execute();
        await transaction
          .deleteFrom('sessions')
          .where('tenantId', '=', tenantId)
          .where('userId', '=', id)
          .where('tokenHash', '<>', keptTokenHash)
          .execute();
        // A link that was asked for because the password was lost has done what it was for.
        await transaction
          .deleteFrom('signInTokens')
          .where('tenantId', '=', tenantId)
          .where('userId', '=', id)
          .execute();
        await writeNote(transaction, note);
      }),

    offerAuthenticator: ({ tenantId, id }, authenticator) =>
      scope.write({ tenantId }, async (transaction) => {
        const { numUpdatedRows } = await transaction
          .updateTable('users')
          .set({ authenticator, authenticatorStep: 0 })
          .where('tenantId', '=', tenantId)
          .where('id', '=', id)
          .where('authenticatorAtMs', 'is', null)
          .executeTakeFirstOrThrow();
        return numUpdatedRows === 1n;
      }),

    confirmAuthenticator: ({ tenantId, id }, { authenticator, step, nowMs, codeHashes }, note) =>
      scope.writeLocked({ tenantId }, async (transaction) => {
        const { numUpdatedRows } = await transaction
          .updateTable('users')
          .set({ authenticatorAtMs: nowMs, authenticatorStep: step })
          .where('tenantId', '=', tenantId)
          .where('id', '=', id)
          .where('authenticator', '=', authenticator)
          .where('authenticatorAtMs', 'is', null)
          .executeTakeFirstOrThrow();
        if (numUpdatedRows !== 1n) return false;
        await transaction.deleteFrom('recoveryCodes').where('userId', '=', id).execute();
        await transaction
          .insertInto('recoveryCodes')
          .values(codeHashes.map((codeHash) => ({ tenantId, userId: id, codeHash })))
          .execute();
        await writeNote(transaction, note);
        return true;
      }),

    useStep: ({ tenantId, id }, step) =>
      scope.write({ tenantId }, async (transaction) => {
        const { numUpdatedRows } = await transaction
          .updateTable('users')
          .set({ authenticatorStep: step })
          .where('tenantId', '=', tenantId)
          .where('id', '=', id)
          .where('authenticatorAtMs', 'is not', null)
          .where('authenticatorStep', '<', step)
          .executeTakeFirstOrThrow();
        return numUpdatedRows === 1n;
      }),

    useRecoveryCode: ({ tenantId, id }, codeHash) =>
      scope.write({ tenantId }, async (transaction) => {
        const { numDeletedRows } = await transaction
          .deleteFrom('recoveryCodes')
          .where('tenantId', '=', tenantId)
          .where('userId', '=', id)
          .where('codeHash', '=', codeHash)
          .executeTakeFirstOrThrow();
        return numDeletedRows === 1n;
      }),

    removeAuthenticator: ({ tenantId, id }, note) =>
      scope.writeLocked({ tenantId }, async (transaction) => {
        const { numUpdatedRows } = await transaction
          .updateTable('users')
          .set({ authenticator: null, authenticatorAtMs: null, authenticatorStep: 0 })
          .where('tenantId', '=', tenantId)
          .where('id', '=', id)
          .where('authenticatorAtMs', 'is not', null)
          .executeTakeFirstOrThrow();
        if (numUpdatedRows !== 1n) return;
        await transaction.deleteFrom('recoveryCodes').where('userId', '=', id).execute();
        await writeNote(transaction, note);
      }),
  };
}

/** Throws `name-taken`. */
export async function addUser(
  transaction: Transaction<Schema>,
  user: UserRecord,
  token: SignInTokenRecord | undefined,
): Promise<void> {
  const row: UserRow = { ...user, emailFolded: user.email === null ? null : foldEmail(user.email) };
  const { numInsertedOrUpdatedRows } = await transaction
    .insertInto('users')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow();
  if (numInsertedOrUpdatedRows !== 1n) {
    throw emailTaken();
  }
  if (token !== undefined) await transaction.insertInto('signInTokens').values(token).execute();
}

async function requireFreeEmail(
  transaction: Transaction<Schema>,
  { tenantId, id, emailFolded }: TenantId & { readonly emailFolded: string },
): Promise<void> {
  const other = await transaction
    .selectFrom('users')
    .select('id')
    .where('tenantId', '=', tenantId)
    .where('emailFolded', '=', emailFolded)
    .where('id', '<>', id)
    .executeTakeFirst();
  if (other !== undefined) throw emailTaken();
}

function emailTaken(): FilesError {
  return new FilesError('name-taken', { detail: 'There is a user with this e-mail address or subject already.' });
}

/** Throws `last-owner` unless the tenant has an owner who is not disabled. */
async function requireOwner(transaction: Transaction<Schema>, tenantId: string): Promise<void> {
  const owner = await transaction
    .selectFrom('users')
    .select('id')
    .where('tenantId', '=', tenantId)
    .where('role', '=', 'owner')
    .where('disabledAtMs', 'is', null)
    .executeTakeFirst();
  if (owner === undefined) throw new FilesError('last-owner', { detail: 'Make somebody else an owner first.' });
}

/** Mail systems tell apart what differs in case so seldom that people never do. */
function foldEmail(email: string): string {
  return email.normalize('NFC').toLowerCase();
}

function recordOf({ emailFolded: _emailFolded, ...user }: UserRow): UserRecord {
  return user;
}

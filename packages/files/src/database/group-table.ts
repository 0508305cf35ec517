// Rows of groups and their members, and of grants on folders.

import { FilesError } from '../files-error.ts';
import { foldName } from '../tree/folder-record.ts';
import type { GroupRecord, GroupRow } from './account-rows.ts';
import type { GrantTable, GroupTable } from './account-tables.ts';
import type { WriteNote } from './audit-table.ts';
import { hasRoom } from './has-room.ts';
import type { SqlScope } from './sql-scope.ts';

export function openGroupTable(scope: SqlScope, writeNote: WriteNote): GroupTable {
  return {
    add: (group, note, atMost) =>
      scope.writeLocked(group, async (transaction) => {
        if (!(await hasRoom(transaction, 'userGroups', { tenantId: group.tenantId, atMost }))) return false;
        const { numInsertedOrUpdatedRows } = await transaction
          .insertInto('userGroups')
          .values({ ...group, nameFolded: foldName(group.name) })
          .onConflict((conflict) => conflict.columns(['tenantId', 'nameFolded']).doNothing())
          .executeTakeFirstOrThrow();
        if (numInsertedOrUpdatedRows !== 1n) throw nameTaken();
        await writeNote(transaction, note);
        return true;
      }),

    get: ({ tenantId, id }) =>
      scope.read({ tenantId }, async (query) => {
        const row = await query
          .selectFrom('userGroups')
          .selectAll()
          .where('tenantId', '=', tenantId)
          .where('id', '=', id)
          .executeTakeFirst();
        return row === undefined ? undefined : recordOf(row);
      }),

    list: (tenantId, limit) =>
      scope.read({ tenantId }, async (query) => {
        const rows = await query
          .selectFrom('userGroups')
          .selectAll()
          .where('tenantId', '=', tenantId)
          .orderBy('nameFolded')
          .limit(limit)
          .execute();
        return rows.map(recordOf);
      }),

    members: (tenantId, groupIds) => {
      if (groupIds.length === 0) return Promise.resolve(new Map());
      return scope.read({ tenantId }, async (query) => {
        const rows = await query
          .selectFrom('groupMembers')
          .selectAll()
          .where('tenantId', '=', tenantId)
          .where('groupId', 'in', groupIds)
          .orderBy('userId')
          .execute();
        const members = new Map<string, string[]>();
        for (const { groupId, userId } of rows) members.set(groupId, [...(members.get(groupId) ?? []), userId]);
        return members;
      });
    },

    rename: ({ tenantId, id }, name, note) =>
      scope.writeLocked({ tenantId }, async (transaction) => {
        const nameFolded = foldName(name);
        const other = await transaction
          .selectFrom('userGroups')
          .select('id')
          .where('tenantId', '=', tenantId)
          .where('nameFolded', '=', nameFolded)
          .where('id', '<>', id)
          .executeTakeFirst();
        if (other !== undefined) throw nameTaken();
        const { numUpdatedRows } = await transaction
          .updateTable('userGroups')
          .set({ name, nameFolded })
          .where('tenantId', '=', tenantId)
          .where('id', '=', id)
          .executeTakeFirstOrThrow();
        if (numUpdatedRows !== 1n) return false;
        await writeNote(transaction, note);
        return true;
      }),

    remove: ({ tenantId, id }, note) =>
      scope.writeLocked({ tenantId }, async (transaction) => {
        const mine = { tenantId, id };
        await transaction
          .deleteFrom('groupMembers')
          .where('tenantId', '=', mine.tenantId)
          .where('groupId', '=', id)
          .execute();
        await transaction.deleteFrom('grants').where('tenantId', '=', tenantId).where('subjectId', '=', id).execute();
        const { numDeletedRows } = await transaction
          .deleteFrom('userGroups')
          .where('tenantId', '=', tenantId)
          .where('id', '=', id)
          .executeTakeFirstOrThrow();
        if (numDeletedRows !== 1n) return false;
        await writeNote(transaction, note);
        return true;
      }),

    addMember: ({ tenantId, id }, userId, note) =>
      scope.writeLocked({ tenantId }, async (transaction) => {
        const group = await transaction
          .selectFrom('userGroups')
          .innerJoin('users', 'users.tenantId', 'userGroups.tenantId')
          .select('userGroups.id')
          .where('userGroups.tenantId', '=', tenantId)
          .where('userGroups.id', '=', id)
          .where('users.id', '=', userId)
          .executeTakeFirst();
        if (group === undefined) return false;
        const { numInsertedOrUpdatedRows } = await transaction
          .insertInto('groupMembers')
          .values({ tenantId, groupId: id, userId })
          .onConflict((conflict) => conflict.columns(['groupId', 'userId']).doNothing())
          .executeTakeFirstOrThrow();
        if (numInsertedOrUpdatedRows === 1n) await writeNote(transaction, note);
        return true;
      }),

    removeMember: ({ tenantId, id }, userId, note) =>
      scope.writeLocked({ tenantId }, async (transaction) => {
        const { numDeletedRows } = await transaction
          .deleteFrom('groupMembers')
          .where('tenantId', '=', tenantId)
          .where('groupId', '=', id)
          .where('userId', '=', userId)
          .executeTakeFirstOrThrow();
        if (numDeletedRows === 1n) await writeNote(transaction, note);
      }),
  };
}

/** Grants of one user that are looked at: more would make each request slow. */
const maxGrantsOfUser = 1_000;

export function openGrantTable(scope: SqlScope, writeNote: WriteNote): GrantTable {
  return {
    set: (grant, note, atMost) =>
      scope.writeLocked(grant, async (transaction) => {
        const { tenantId, subjectId, folderId, role } = grant;
        const replaced = await transaction
          .updateTable('grants')
          .set({ role })
          .where('tenantId', '=', tenantId)
          .where('subjectId', '=', subjectId)
          .where('folderId', '=', folderId)
          .returningAll()
          .executeTakeFirst();
        if (replaced === undefined) {
          if (!(await hasRoom(transaction, 'grants', { tenantId, atMost }))) return undefined;
          await transaction.insertInto('grants').values(grant).execute();
        }
        await writeNote(transaction, note);
        return replaced ?? grant;
      }),

    list: ({ tenantId, folderId, userId, groupId, limit }) =>
      scope.read({ tenantId }, (query) => {
        let rows = query.selectFrom('grants').selectAll().where('tenantId', '=', tenantId).orderBy('id').limit(limit);
        if (folderId !== undefined) rows = rows.where('folderId', '=', folderId);
        if (userId !== undefined) rows = rows.where('subjectKind', '=', 'user').where('subjectId', '=', userId);
        if (groupId !== undefined) rows = rows.where('subjectKind', '=', 'group').where('subjectId', '=', groupId);
        return rows.execute();
      }),

    get: ({ tenantId, id }) =>
      scope.read({ tenantId }, (query) =>
        query.selectFrom('grants').selectAll().where('tenantId', '=', tenantId).where('id', '=', id).executeTakeFirst(),
      ),

    remove: ({ tenantId, id }, note) =>
      scope.writeLocked({ tenantId }, async (transaction) => {
        const { numDeletedRows } = await transaction
          .deleteFrom('grants')
          .where('tenantId', '=', tenantId)
          .where('id', '=', id)
          .executeTakeFirstOrThrow();
        if (numDeletedRows !== 1n) return false;
        await writeNote(transaction, note);
        return true;
      }),

    of: ({ tenantId, id }) =>
      scope.read({ tenantId }, (query) =>
        query
          .selectFrom('grants')
          .select(['folderId', 'role'])
          .where('tenantId', '=', tenantId)
          .where(({ eb, or, selectFrom }) =>
            or([
              eb('subjectId', '=', id),
              eb(
                'subjectId',
                'in',
                selectFrom('groupMembers')
                  .select('groupMembers.groupId')
                  .where('groupMembers.tenantId', '=', tenantId)
                  .where('groupMembers.userId', '=', id),
              ),
            ]),
          )
          .orderBy('id')
          .limit(maxGrantsOfUser)
          .execute(),
      ),
  };
}

function nameTaken(): FilesError {
  return new FilesError('name-taken', { detail: 'There is a group of this name. Choose another name.' });
}

function recordOf({ nameFolded: _nameFolded, ...group }: GroupRow): GroupRecord {
  return group;
}

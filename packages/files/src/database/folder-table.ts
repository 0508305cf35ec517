// Rows of folders. The tree is walked by ids; names are unique in a folder, whatever their case.

import { type Kysely, sql, type Transaction } from 'kysely';
import { FilesError } from '../files-error.ts';
import { type FolderRecord, foldName, topFolderId } from '../folder-record.ts';
import type { FolderTable } from './database.ts';
import type { Schema } from './schema.ts';
import type { SqlScope } from './sql-scope.ts';

/** Folders above one another at most; deeper ones are refused. */
export const maxFolderDepth = 64;

export function openFolderTable(scope: SqlScope, { newId }: { readonly newId: () => string }): FolderTable {
  return {
    get: ({ tenantId, id }) =>
      scope.read({ tenantId }, async (query) => {
        const row = await query
          .selectFrom('folders')
          .selectAll()
          .where('id', '=', id)
          .where('tenantId', '=', tenantId)
          .executeTakeFirst();
        if (row === undefined) return undefined;
        const { nameFolded: _nameFolded, ...folder } = row;
        return folder;
      }),

    ensure: ({ tenantId, userId, parentId, names, nowMs }) => {
      if (names.length === 0) return Promise.resolve(parentId);
      return scope.write({ tenantId }, async (transaction) => {
        let id = parentId;
        for (const name of names) {
          id = await ensureFolder(transaction, {
            id: newId(),
            tenantId,
            parentId: id,
            name,
            createdBy: userId,
            createdAtMs: nowMs,
            updatedAtMs: nowMs,
            fence: 1,
          });
        }
        const depth = (await pathsOf(transaction, tenantId, [id])).get(id)?.length ?? 0;
        if (depth > maxFolderDepth) {
          throw new FilesError('invalid-request', {
            detail: `Folders may lie ${maxFolderDepth} deep; this one would be number ${depth}.`,
          });
        }
        return id;
      });
    },

    paths: (tenantId, ids) => scope.read({ tenantId }, (query) => pathsOf(query, tenantId, ids)),
  };
}

async function ensureFolder(transaction: Transaction<Schema>, folder: FolderRecord): Promise<string> {
  const nameFolded = foldName(folder.name);
  await transaction
    .insertInto('folders')
    .values({ ...folder, nameFolded })
    .onConflict((conflict) => conflict.columns(['tenantId', 'parentId', 'nameFolded']).doNothing())
    .execute();
  const { id } = await transaction
    .selectFrom('folders')
    .select('id')
    .where('tenantId', '=', folder.tenantId)
    .where('parentId', '=', folder.parentId)
    .where('nameFolded', '=', nameFolded)
    .executeTakeFirstOrThrow();
  return id;
}

/** The names from the top down to each of the folders; a folder that is not there is not in the answer. */
async function pathsOf(
  query: Kysely<Schema>,
  tenantId: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const wanted = [...new Set(ids)].filter((id) => id !== topFolderId);
  const paths = new Map<string, string[]>([[topFolderId, []]]);
  if (wanted.length === 0) return paths;
  const { rows } = await sql<{ readonly start: string; readonly name: string }>`
    WITH RECURSIVE above (start, id, parent_id, name, height) AS (
      SELECT id, id, parent_id, name, 0 FROM folders WHERE tenant_id = ${tenantId} AND id IN (${sql.join(wanted)})
      UNION ALL
      SELECT above.start, folders.id, folders.parent_id, folders.name, above.height + 1
      FROM folders JOIN above ON folders.id = above.parent_id
      WHERE folders.tenant_id = ${tenantId} AND above.height < ${maxFolderDepth * 2}
    )
    SELECT start, name FROM above ORDER BY start, height DESC`.execute(query);
  for (const { start, name } of rows) paths.set(start, [...(paths.get(start) ?? []), name]);
  return paths;
}

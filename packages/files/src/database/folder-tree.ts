// Walks the tree of folders inside a query: up to the top, and down to all that lies below.

import { type Kysely, type RawBuilder, sql } from 'kysely';
import { topFolderId } from '../tree/folder-record.ts';
import type { SqlDialect } from './migrations/migration.ts';
import type { Schema } from './schema.ts';

/** Folders above one another at most; deeper ones are refused. */
export const maxFolderDepth = 64;

/** The names from the top down to each of the folders; a folder that is not there is not in the answer. */
export async function pathsOf(
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

/** The folders from each of some up to the top, itself first; one that is not there is not in the answer. */
export async function chainsOf(
  query: Kysely<Schema>,
  tenantId: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const wanted = [...new Set(ids)].filter((id) => id !== topFolderId);
  const chains = new Map<string, string[]>();
  if (wanted.length === 0) return chains;
  const { rows } = await sql<{ readonly start: string; readonly id: string }>`
    WITH RECURSIVE above (start, id, parent_id, height) AS (
      SELECT id, id, parent_id, 0 FROM folders WHERE tenant_id = ${tenantId} AND id IN (${sql.join(wanted)})
      UNION ALL
      SELECT above.start, folders.id, folders.parent_id, above.height + 1
      FROM folders JOIN above ON folders.id = above.parent_id
      WHERE folders.tenant_id = ${tenantId} AND above.height < ${maxFolderDepth * 2}
    )
    SELECT start, id FROM above ORDER BY start, height`.execute(query);
  for (const { start, id } of rows) chains.set(start, [...(chains.get(start) ?? []), id]);
  return chains;
}

/** The folders from one up to the top, itself first. */
export async function chainOf(query: Kysely<Schema>, tenantId: string, id: string): Promise<readonly string[]> {
  if (id === topFolderId) return [];
  const { rows } = await sql<{ readonly id: string }>`
    WITH RECURSIVE above (id, parent_id, height) AS (
      SELECT id, parent_id, 0 FROM folders WHERE tenant_id = ${tenantId} AND id = ${id}
      UNION ALL
      SELECT folders.id, folders.parent_id, above.height + 1
      FROM folders JOIN above ON folders.id = above.parent_id
      WHERE folders.tenant_id = ${tenantId} AND above.height < ${maxFolderDepth * 2}
    )
    SELECT id FROM above ORDER BY height`.execute(query);
  return rows.map((row) => row.id);
}

/** A subquery: the ids of a folder and of all that lie below it. Not for the top, below which lies everything. */
export function subtreeOf(tenantId: string, id: string): RawBuilder<string> {
  return subtreesOf(tenantId, [id]);
}

/** As `subtreeOf`, for several folders. None gives no id. */
export function subtreesOf(tenantId: string, ids: readonly string[]): RawBuilder<string> {
  // IN () is no SQL; no folder has the empty id.
  const roots = sql.join(ids.length === 0 ? [topFolderId] : ids);
  return sql<string>`(
    WITH RECURSIVE below (id, depth) AS (
      SELECT id, 0 FROM folders WHERE tenant_id = ${tenantId} AND id IN (${roots})
      UNION ALL
      SELECT folders.id, below.depth + 1
      FROM folders JOIN below ON folders.parent_id = below.id
      WHERE folders.tenant_id = ${tenantId} AND below.depth < ${maxFolderDepth * 2}
    )
    SELECT id FROM below)`;
}

/**
 * Whether a column names a folder of the tree, as a condition that is looked up in an index by folder. PostgreSQL takes a subquery
 * for half of all folders, whatever it holds, and reads every file of the tenant; an array it looks up one by one.
 */
export function liesWithin(column: string, tree: RawBuilder<string>, dialect: SqlDialect): RawBuilder<boolean> {
  return dialect === 'postgres' ? sql`${sql.ref(column)} = ANY(ARRAY${tree})` : sql`${sql.ref(column)} IN ${tree}`;
}

/**
 * Whether a column names a folder that is in sight: the top, or one that is not in the trash. What lies in a folder of the trash is
 * out of sight with it, before its own row is in the trash too. Looked up row by row: a join would make PostgreSQL read all files.
 */
export function isInSight(column: string): RawBuilder<boolean> {
  return sql<boolean>`(SELECT trashed_at_ms FROM folders WHERE folders.id = ${sql.ref(column)}) IS NULL`;
}

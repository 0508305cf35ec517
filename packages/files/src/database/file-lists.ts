// Pages of files, in order. Each page is read off an index from the place where it begins, however many files there are: of a tenant,
// of one folder, or of each folder of some trees, whose beginnings are put together. Names that hold a text are in no index: for them a
// page looks at so many files, and says how far it came.

import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { FileRecord } from '../file-record.ts';
import { foldName } from '../tree/folder-record.ts';
import type { FilePage, ListOptions, ListPlace, NamedListOptions, SortColumn } from './database.ts';
import { recordOf, rowOf } from './file-rows.ts';
import { isInSight, liesWithin, subtreesOf } from './folder-tree.ts';
import { holding } from './like-pattern.ts';
import type { SqlDialect } from './migrations/migration.ts';
import type { FileRow, Schema } from './schema.ts';

const sortColumns = { name: 'nameFolded', createdAt: 'createdAtMs', sizeBytes: 'sizeBytes' } as const satisfies Record<
  SortColumn,
  keyof FileRow
>;
const sqlColumns = {
  name: 'name_folded',
  createdAt: 'created_at_ms',
  sizeBytes: 'size_bytes',
} as const satisfies Record<SortColumn, string>;

const defaultMaxLookedAt = 20_000;

/** The place of a row in a list so sorted. */
export function placeOf(file: FileRecord, sort: SortColumn): ListPlace {
  return { value: rowOf(file)[sortColumns[sort]], id: file.id };
}

/** In order, at most `limit`, whatever their names. */
export async function listFiles(
  query: Kysely<Schema>,
  options: ListOptions,
  dialect: SqlDialect,
): Promise<readonly FileRecord[]> {
  if (options.within !== undefined) return readFound(query, options, firstWithin(options, options.within, dialect));
  const column = sortColumns[options.sort];
  const direction = options.descending ? 'desc' : 'asc';
  let rows = query
    .selectFrom('files')
    .selectAll()
    .where('tenantId', '=', options.tenantId)
    .where('shelf', '=', options.shelf)
    .orderBy(column, direction)
    .orderBy('id', direction)
    .limit(options.limit);
  if (options.shelf === 'files') rows = rows.where(isInSight('files.folderId'));
  if (options.folderId !== undefined) rows = rows.where('folderId', '=', options.folderId);
  if (options.userId !== undefined) rows = rows.where('userId', '=', options.userId);
  const { after } = options;
  if (after !== undefined) {
    const past = options.descending ? '<' : '>';
    // As one comparison of rows: both databases then begin to read there. Of an OR they read all that comes before.
    rows = rows.where(({ eb, refTuple, tuple }) => eb(refTuple(column, 'id'), past, tuple(after.value, after.id)));
  }
  return (await rows.execute()).map(recordOf);
}

/** As `listFiles`, of those whose names hold a text. Below folders that were granted, all names are looked at: they are the caller's. */
export async function listNamedFiles(
  query: Kysely<Schema>,
  options: NamedListOptions,
  dialect: SqlDialect,
): Promise<FilePage> {
  const { tenantId, within, limit, maxLookedAt = defaultMaxLookedAt } = options;
  const named = holding('name_folded', foldName(options.name));
  if (within !== undefined) {
    const filter = sql`AND ${liesWithin('folder_id', subtreesOf(tenantId, within), dialect)} AND ${named} ${inSight(options, 'files.folder_id')}`;
    return { files: await readFound(query, options, firstOf(options, { limit, filter })) };
  }
  const looked = firstOf(options, { limit: maxLookedAt, columns: 'name_folded, folder_id' });
  const found = sql`SELECT id, value FROM (${looked}) AS looked WHERE ${named} ${inSight(options, 'looked.folder_id')} ORDER BY ${orderOf(options)} LIMIT ${limit}`;
  const files = await readFound(query, options, found);
  if (files.length === limit) return { files };
  const { rows } = await sql<ListPlace>`SELECT value, id FROM (${firstOf(options, { limit: maxLookedAt })}) AS looked
    ORDER BY ${orderOf(options)} LIMIT 1 OFFSET ${maxLookedAt - 1}`.execute(query);
  const [lookedUntil] = rows;
  return { files, ...(lookedUntil === undefined ? {} : { lookedUntil }) };
}

/** The rows of ids that were found, in order. */
async function readFound(
  query: Kysely<Schema>,
  options: ListOptions,
  found: RawBuilder<unknown>,
): Promise<readonly FileRecord[]> {
  const { rows } = await sql<FileRow>`
    SELECT files.* FROM (${found}) AS found JOIN files ON files.id = found.id
    ORDER BY ${orderOf(options, 'value', 'found.')}`.execute(query);
  return rows.map(recordOf);
}

interface FirstOptions {
  readonly limit: number;
  /** A condition more, with its AND. */
  readonly filter?: RawBuilder<unknown>;
  readonly columns?: 'name_folded, folder_id';
}

/** A query of the first files in order, by `id` and `value`, which is what is sorted by. */
function firstOf(
  { tenantId, shelf, sort, descending, folderId, userId, after }: ListOptions,
  { limit, filter = sql``, columns }: FirstOptions,
): RawBuilder<unknown> {
  const column = sql.raw(sqlColumns[sort]);
  return sql`SELECT id, ${column} AS value ${columns === undefined ? sql`` : sql`, ${sql.raw(columns)}`} FROM files
    WHERE tenant_id = ${tenantId} AND shelf = ${shelf} ${filter}
    ${folderId === undefined ? sql`` : sql`AND folder_id = ${folderId}`}
    ${userId === undefined ? sql`` : sql`AND user_id = ${userId}`}
    ${after === undefined ? sql`` : sql`AND (${column}, id) ${sql.raw(descending ? '<' : '>')} (${after.value}, ${after.id})`}
    ORDER BY ${orderOf({ descending }, sqlColumns[sort])} LIMIT ${limit}`;
}

/** As `firstOf`, of all folders of some trees: the first of each folder, and the first of those. */
function firstWithin(options: ListOptions, within: readonly string[], dialect: SqlDialect): RawBuilder<unknown> {
  const { limit } = options;
  const inFolder = firstOf(options, {
    limit,
    filter: sql`AND folder_id = folder.folder ${inSight(options, 'files.folder_id')}`,
  });
  const folders = sql`(SELECT id AS folder FROM ${subtreesOf(options.tenantId, within)} AS tree) AS folder`;
  // SQLite knows no LATERAL; a list of JSON may depend on what stands before it.
  const ofEach =
    dialect === 'postgres'
      ? sql`SELECT one.id, one.value FROM ${folders} CROSS JOIN LATERAL (${inFolder}) AS one`
      : sql`SELECT one.value ->> 0 AS id, one.value ->> 1 AS value FROM ${folders}
          CROSS JOIN json_each((SELECT json_group_array(json_array(id, value)) FROM (${inFolder}))) AS one`;
  return sql`SELECT id, value FROM (${ofEach}) AS ones ORDER BY ${orderOf(options)} LIMIT ${limit}`;
}

/** Of what is in the trash, its folder may be there too. */
function inSight({ shelf }: Pick<ListOptions, 'shelf'>, column: string): RawBuilder<unknown> {
  return shelf === 'files' ? sql`AND ${isInSight(column)}` : sql``;
}

function orderOf({ descending }: Pick<ListOptions, 'descending'>, column = 'value', table = ''): RawBuilder<unknown> {
  const direction = descending ? 'DESC' : 'ASC';
  return sql.raw(`${table}${column} ${direction}, ${table}id ${direction}`);
}

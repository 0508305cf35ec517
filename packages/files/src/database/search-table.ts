// Finds files by words: FTS5 on SQLite, a GIN index over a tsvector on PostgreSQL. Both keep and ask the words of
// search-words.ts. The newest documents come first, which both can read off in order, however many match.

import { type Kysely, sql, type Transaction } from 'kysely';
import { type FileRecord, shelfOf } from '../file-record.ts';
import { topFolderId } from '../tree/folder-record.ts';
import { askedWords, searchWords, tenantWord } from '../tree/search-words.ts';
import type { SearchOptions, SearchTable } from './database.ts';
import { recordOf } from './file-rows.ts';
import { isInSight, liesWithin, subtreeOf, subtreesOf } from './folder-tree.ts';
import { beginningWith, holding } from './like-pattern.ts';
import type { FileRow, Schema } from './schema.ts';
import type { SqlScope } from './sql-scope.ts';

export function openSearchTable(scope: SqlScope): SearchTable {
  return {
    find: (options) => {
      // A tag is words of the file too: asked for as such, what has it not is passed over without being read.
      const words = [...askedWords(options.question), ...askedWords(options.tag ?? '')];
      if (words.length === 0) return Promise.resolve([]);
      const asked = [tenantWord(options.tenantId), ...words];
      return scope.read(options, async (query) => {
        const rows = await select(query, options, { asked, dialect: scope.dialect });
        return rows.map(({ documentNumber, ...row }) => ({ file: recordOf(row), number: Number(documentNumber) }));
      });
    },
  };
}

/** Keeps what a file is found by in step with its row, in the transaction that changes it. */
export async function indexWords(
  transaction: Transaction<Schema>,
  before: FileRecord | undefined,
  after: FileRecord,
): Promise<void> {
  const was = before !== undefined && isFound(before);
  const is = isFound(after);
  if (!was && !is) return;
  if (!is) {
    await transaction.deleteFrom('searchDocuments').where('fileId', '=', after.id).execute();
    return;
  }
  const same =
    was &&
    before.name === after.name &&
    before.tags.join('\n') === after.tags.join('\n') &&
    textOf(before) === textOf(after);
  if (same) return;
  const words = searchWords({ ...after, text: textOf(after) });
  await transaction
    .insertInto('searchDocuments')
    .values({ fileId: after.id, tenantId: after.tenantId, words })
    .onConflict((conflict) => conflict.column('fileId').doUpdateSet({ words }))
    .execute();
}

/** Bytes that are not ready are not found by what they say. */
function textOf({ state, excerpt }: FileRecord): string {
  return state === 'ready' ? (excerpt ?? '') : '';
}

function isFound(file: FileRecord): boolean {
  return file.role === 'current' && shelfOf(file) === 'files';
}

async function select(
  query: Kysely<Schema>,
  options: SearchOptions,
  { asked, dialect }: { readonly asked: readonly string[]; readonly dialect: SqlScope['dialect'] },
): Promise<readonly (FileRow & { readonly documentNumber: number | string })[]> {
  const matching =
    dialect === 'postgres'
      ? sql<boolean>`search_documents.document @@ to_tsquery('simple', ${asked.map((word) => `${word}:*`).join(' & ')})`
      : sql<boolean>`search_documents.number IN (
          SELECT rowid FROM search_words WHERE search_words MATCH ${asked.map((word) => `"${word}"*`).join(' AND ')}
          ${options.before === undefined ? sql`` : sql`AND rowid < ${options.before}`} ORDER BY rowid DESC)`;
  let rows = query
    .selectFrom('searchDocuments')
    .innerJoin('files', 'files.id', 'searchDocuments.fileId')
    .selectAll('files')
    .select('searchDocuments.number as documentNumber')
    .where('searchDocuments.tenantId', '=', options.tenantId)
    .where('files.tenantId', '=', options.tenantId)
    .where(matching)
    .where(isInSight('files.folderId'))
    .orderBy('searchDocuments.number', 'desc')
    .limit(options.limit);
  if (options.before !== undefined) rows = rows.where('searchDocuments.number', '<', options.before);
  const { type, tag, folderId } = options;
  if (folderId !== undefined && folderId !== topFolderId) {
    rows = rows.where(liesWithin('files.folderId', subtreeOf(options.tenantId, folderId), dialect));
  }
  const { within } = options;
  if (within !== undefined) rows = rows.where('files.folderId', 'in', subtreesOf(options.tenantId, within));
  if (type?.endsWith('/*')) rows = rows.where(beginningWith('files.contentType', type.slice(0, -1)));
  else if (type !== undefined) rows = rows.where('files.contentType', '=', type);
  // Tags are kept as JSON text, in which each stands between quotes.
  if (tag !== undefined) rows = rows.where(holding('files.tags', JSON.stringify(tag)));
  if (options.minSizeBytes !== undefined) rows = rows.where('files.sizeBytes', '>=', options.minSizeBytes);
  if (options.maxSizeBytes !== undefined) rows = rows.where('files.sizeBytes', '<=', options.maxSizeBytes);
  if (options.fromMs !== undefined) rows = rows.where('files.createdAtMs', '>=', options.fromMs);
  if (options.untilMs !== undefined) rows = rows.where('files.createdAtMs', '<', options.untilMs);
  return rows.execute();
}

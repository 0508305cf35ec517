// Finds files by words, for one tenant, a page at a time.

import type { FileList, SearchQuery } from '@stowage/contract';
import type { Database } from '../database/database.ts';
import { FilesError } from '../files-error.ts';
import { topFolderId } from './folder-record.ts';
import { readPlace, writePlace } from './list-cursor.ts';
import { askedWords } from './search-words.ts';
import type { StoredFiles } from './stored-files.ts';

/**
 * `within`: only what lies in these folders, however deep. Throws `invalid-request` for a question without a word (a tag alone, when it
 * has words, is one), `not-found` for a folder that is not there.
 */
export type SearchFiles = (tenantId: string, query: SearchQuery, within?: readonly string[]) => Promise<FileList>;

interface SearchFilesOptions {
  readonly database: Pick<Database, 'search' | 'folders'>;
  readonly storedFiles: Pick<StoredFiles, 'entries'>;
}

const defaultPageSize = 50;
/** A cursor of a search belongs to this order alone. */
const order = 'found';

export function openSearch({ database, storedFiles }: SearchFilesOptions): SearchFiles {
  return async (tenantId, query, within) => {
    const { q: question, tag, cursor, limit = defaultPageSize, folderId = topFolderId } = query;
    requireWords(question, tag);
    if (folderId !== topFolderId && (await database.folders.get({ tenantId, id: folderId })) === undefined) {
      throw new FilesError('not-found', { detail: `There is no folder ${folderId}.` });
    }
    const found = await database.search.find({
      tenantId,
      question: question ?? '',
      limit: limit + 1,
      before: cursor === undefined ? undefined : Number(readPlace(cursor, order).value),
      folderId,
      within,
      type: query.type,
      tag,
      minSizeBytes: query.minSizeBytes,
      maxSizeBytes: query.maxSizeBytes,
      fromMs: query.from === undefined ? undefined : Date.parse(query.from),
      untilMs: query.until === undefined ? undefined : Date.parse(query.until),
    });
    const page = found.slice(0, limit);
    const last = page.at(-1);
    const more = found.length > limit && last !== undefined;
    return {
      files: await storedFiles.entries(page.map(({ file }) => file)),
      ...(more ? { nextCursor: writePlace({ value: last.number, id: last.file.id }, order) } : {}),
    };
  };
}

/** The index of words is what makes a search quick: without one word of question or tag, every file would be looked at. */
function requireWords(question: string | undefined, tag: string | undefined): void {
  const [name, text] = question === undefined ? ['tag', tag] : ['q', question];
  if (askedWords(text ?? '').length > 0) return;
  const more = name === 'tag' ? ' as q, beside the tag' : '';
  throw new FilesError('invalid-request', { detail: `${name} holds no letter and no digit. Ask for a word${more}.` });
}

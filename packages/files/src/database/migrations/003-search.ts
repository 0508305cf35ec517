// Words of files, to be found by; folders in the trash; copies.

import { searchWords } from '../../tree/search-words.ts';
import type { Migration } from './migration.ts';

export const search = {
  name: 'search',
  statements: (dialect) => [
    `ALTER TABLE files ADD COLUMN copied_from text`,

    `ALTER TABLE folders ADD COLUMN trashed_at_ms bigint`,
    `DROP INDEX folders_by_name`,
    `CREATE UNIQUE INDEX folders_by_name ON folders (tenant_id, parent_id, name_folded) WHERE trashed_at_ms IS NULL`,
    `CREATE INDEX folders_in_trash ON folders (trashed_at_ms) WHERE trashed_at_ms IS NOT NULL`,

    // The words are cut by search-words.ts, the same for both databases; these only keep and find them.
    ...(dialect === 'postgres'
      ? [
          `CREATE TABLE search_documents (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            file_id text NOT NULL UNIQUE,
            tenant_id text NOT NULL,
            words text NOT NULL,
            document tsvector GENERATED ALWAYS AS (array_to_tsvector(string_to_array(words, ' '))) STORED
          )`,
          `CREATE INDEX search_documents_by_word ON search_documents USING GIN (document)`,
        ]
      : [
          `CREATE TABLE search_documents (
            number integer PRIMARY KEY AUTOINCREMENT,
            file_id text NOT NULL UNIQUE,
            tenant_id text NOT NULL,
            words text NOT NULL
          )`,
          `CREATE VIRTUAL TABLE search_words USING fts5 (
            words, content = 'search_documents', content_rowid = 'number',
            tokenize = 'unicode61 remove_diacritics 0', prefix = '2 3'
          )`,
          `CREATE TRIGGER search_documents_added AFTER INSERT ON search_documents BEGIN
            INSERT INTO search_words (rowid, words) VALUES (new.number, new.words);
          END`,
          `CREATE TRIGGER search_documents_removed AFTER DELETE ON search_documents BEGIN
            INSERT INTO search_words (search_words, rowid, words) VALUES ('delete', old.number, old.words);
          END`,
          `CREATE TRIGGER search_documents_changed AFTER UPDATE ON search_documents BEGIN
            INSERT INTO search_words (search_words, rowid, words) VALUES ('delete', old.number, old.words);
            INSERT INTO search_words (rowid, words) VALUES (new.number, new.words);
          END`,
        ]),
  ],

  /** Files that were there before can be found by their names too. */
  run: async (transaction) => {
    const rows = await transaction
      .selectFrom('files')
      .select(['id', 'tenantId', 'name'])
      .where('shelf', '=', 'files')
      .where('role', '=', 'current')
      .execute();
    for (const { id, tenantId, name } of rows) {
      const words = searchWords({ tenantId, name, tags: [], text: '' });
      await transaction.insertInto('searchDocuments').values({ fileId: id, tenantId, words }).execute();
    }
  },
} as const satisfies Migration;

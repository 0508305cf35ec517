// A tenant of many files, by SQL in bulk: each row is what the service writes for a file that was uploaded, checked and is ready, taken from
// one that was, with an id, a key, a name, a folder and words of its own. Names are made of words as frequent as words are: few are common.

import { DatabaseSync } from 'node:sqlite';
import type { FileServiceOptions } from '@stowage/files';
import pg from 'pg';
import { openFileKeys } from '../../packages/files/src/file-key.ts';
import { searchWords } from '../../packages/files/src/tree/search-words.ts';

type Row = Record<string, string | number | null>;

export interface FilledTenant {
  /** A file in a hundred, spread over all. */
  readonly sample: readonly { readonly id: string; readonly name: string; readonly createdAtMs: number }[];
  readonly largeFolderId: string;
  readonly smallFolderId: string;
}

/** The database beside the service, which is closed meanwhile. */
interface BulkDatabase {
  /** One row, and the columns of its table. */
  read(sql: string): Promise<Row>;
  insert(table: string, rows: readonly Row[]): Promise<void>;
  run(sql: string): Promise<void>;
  close(): Promise<void>;
}

export const commonWord = 'report';
export const rareWord = 'zyzzyva';
const vocabulary = 3_000;
const folderCount = 1_000;
const lot = 500;
const syllables = ['ba', 'ce', 'di', 'fo', 'gu', 'ha', 'ki', 'lo', 'mu', 'ne', 'pa', 'ri', 'so', 'tu', 've', 'wa'];
const kinds = [
  ['pdf', 'application/pdf'],
  ['jpg', 'image/jpeg'],
  ['txt', 'text/plain'],
  ['xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
] as const;

/** Fills up from `from` files to `to`. `templateId` is a file that the service made. */
export async function fillTenant(options: {
  readonly database: FileServiceOptions['database'];
  readonly secret: Uint8Array;
  readonly templateId: string;
  readonly from: number;
  readonly to: number;
  readonly nowMs: number;
}): Promise<FilledTenant> {
  const { templateId, from, to, nowMs } = options;
  const database =
    'path' in options.database ? openSqlite(options.database.path) : await openPostgres(options.database.url);
  const keys = openFileKeys(options.secret);
  const random = numbersFrom(from + 1);
  const sample: { id: string; name: string; createdAtMs: number }[] = [];
  try {
    const template = await database.read(`SELECT * FROM files WHERE id = '${templateId}'`);
    if (from === 0) await database.insert('folders', folderRows(nowMs));
    for (let first = from; first < to; first += lot) {
      const files: Row[] = [];
      const documents: Row[] = [];
      for (let number = first; number < Math.min(to, first + lot); number++) {
        const id = idOf('F', number);
        const [extension, contentType] = kinds[number % kinds.length] ?? kinds[0];
        const rare = number % 50_000 === 17 ? ` ${rareWord}` : '';
        const name = `${word(random())} ${word(random())}${rare} ${number}.${extension}`;
        const createdAtMs = nowMs - (to - number) * 1_000;
        const tags = number % 1_000 === 3 ? ['approved'] : [];
        files.push({
          ...template,
          id,
          line_id: id,
          name,
          name_folded: name,
          tags: JSON.stringify(tags),
          folder_id:
            number % 10 === 0 ? idOf('D', 0) : number % 10 < 4 ? '' : idOf('D', 1 + (number % (folderCount - 1))),
          content_type: contentType,
          size_bytes: Math.floor(random() ** 4 * 1e9),
          object_key: keys.make({ tenantId: 'main', userId: 'owner', contentType, fileId: id }),
          created_at_ms: createdAtMs,
          updated_at_ms: createdAtMs,
        });
        documents.push({
          file_id: id,
          tenant_id: 'main',
          words: searchWords({ tenantId: 'main', name, tags, text: '' }),
        });
        if (number % 100 === 0) sample.push({ id, name, createdAtMs });
      }
      await database.insert('files', files);
      await database.insert('search_documents', documents);
    }
    await database.run(`UPDATE usage_totals SET used_files = (SELECT count(*) FROM files WHERE user_id = 'owner'),
      used_bytes = (SELECT sum(size_bytes) FROM files WHERE user_id = 'owner') WHERE user_id = 'owner'`);
    await database.run('DELETE FROM category_totals');
    await database.run(`INSERT INTO category_totals (tenant_id, user_id, category, held_bytes)
      SELECT tenant_id, user_id, category, sum(size_bytes) FROM files GROUP BY tenant_id, user_id, category`);
    // What a database that runs for long does by itself.
    await database.run('ANALYZE');
  } finally {
    await database.close();
  }
  return { sample, largeFolderId: idOf('D', 0), smallFolderId: idOf('D', 7) };
}

function folderRows(nowMs: number): Row[] {
  return Array.from({ length: folderCount }, (_, number) => ({
    id: idOf('D', number),
    tenant_id: 'main',
    parent_id: '',
    name: `Folder ${number}`,
    name_folded: `folder ${number}`,
    created_by: 'owner',
    created_at_ms: nowMs,
    updated_at_ms: nowMs,
    fence: 1,
  }));
}

function idOf(kind: string, number: number): string {
  return `01J00${kind}${String(number).padStart(20, '0')}`;
}

/** The n-th of all words is about n times rarer than the first ones. */
function word(random: number): string {
  const index = Math.floor(vocabulary * random ** 3);
  if (index === 0) return commonWord;
  const syllable = (shift: number): string => syllables[(index >> shift) & 15] ?? '';
  return syllable(0) + syllable(4) + syllable(8) + String.fromCharCode(97 + (index % 23));
}

/** The same numbers from 0 to 1 for the same seed. Mulberry32. */
function numbersFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function openSqlite(path: string): BulkDatabase {
  const database = new DatabaseSync(path);
  return {
    // The columns are the table's.
    read: async (sql) => database.prepare(sql).get() as Row,
    insert: async (table, rows) => {
      const columns = Object.keys(rows[0] ?? {});
      const insert = database.prepare(
        `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
      );
      database.exec('BEGIN');
      for (const row of rows) insert.run(...columns.map((column) => row[column] ?? null));
      database.exec('COMMIT');
    },
    run: async (sql) => database.exec(sql),
    close: async () => database.close(),
  };
}

async function openPostgres(url: string): Promise<BulkDatabase> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(`SELECT set_config('stowage.tenant', '*', false)`);
  return {
    // The columns are the table's.
    read: async (sql) => (await client.query(sql)).rows[0] as Row,
    insert: async (table, rows) => {
      const columns = Object.keys(rows[0] ?? {});
      // One parameter for all: the server takes the rows out of JSON.
      await client.query(
        `INSERT INTO ${table} (${columns.join(', ')}) SELECT ${columns.join(', ')} FROM json_populate_recordset(NULL::${table}, $1)`,
        [JSON.stringify(rows)],
      );
    },
    run: async (sql) => {
      await client.query(sql);
    },
    close: () => client.end(),
  };
}

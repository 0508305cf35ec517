// The tables of the file service, read beside it: SQLite's file or PostgreSQL, by plain SQL. Tests break rows by hand through it too.

import { DatabaseSync } from 'node:sqlite';
import type { FileServiceOptions } from '@stowage/files';
import { writeBeside } from '../../files/beside-database.ts';

type SqlValue = string | number | null;
type SqlRow = Readonly<Record<string, unknown>>;

export interface ProofDatabase {
  /** Rows with their columns named in camelCase. `?` stands for each value in turn. */
  rows(sql: string, values?: readonly SqlValue[]): Promise<readonly SqlRow[]>;
  /** Writes behind the service's back. Answers how many rows it changed. */
  run(sql: string, values?: readonly SqlValue[]): Promise<number>;
  close(): Promise<void>;
}

const readTimeoutMs = 5_000;
/** PostgreSQL's 64-bit integers, which `pg` gives as text; all of ours fit a double. */
const bigintType = 20;

export async function openProofDatabase(settings: FileServiceOptions['database']): Promise<ProofDatabase> {
  return 'path' in settings ? openSqlite(settings.path) : openPostgres(settings.url);
}

function openSqlite(path: string): ProofDatabase {
  const database = new DatabaseSync(path, { timeout: readTimeoutMs });
  return {
    rows: async (sql, values = []) =>
      database
        .prepare(sql)
        .all(...values)
        .map(inCamelCase),
    run: (sql, values = []) => writeBeside(path, (writing) => Number(writing.prepare(sql).run(...values).changes)),
    close: async () => database.close(),
  };
}

async function openPostgres(url: string): Promise<ProofDatabase> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({
    connectionString: url,
    types: {
      getTypeParser: (oid, format) =>
        oid === bigintType ? (text: string): number => Number(text) : pg.types.getTypeParser(oid, format),
    },
  });
  await client.connect();
  // Row-level security shows nothing to who does not say whose rows they want.
  await client.query(`SELECT set_config('stowage.tenant', '*', false)`);
  const query = async (sql: string, values: readonly SqlValue[]) => {
    let number = 0;
    return client.query(
      sql.replaceAll('?', () => `$${++number}`),
      [...values],
    );
  };
  return {
    rows: async (sql, values = []) => (await query(sql, values)).rows.map(inCamelCase),
    run: async (sql, values = []) => (await query(sql, values)).rowCount ?? 0,
    close: () => client.end(),
  };
}

function inCamelCase(row: unknown): SqlRow {
  return Object.fromEntries(
    Object.entries(Object(row)).map(([name, value]) => [
      name.replace(/_([a-z])/g, (_whole, letter: string) => letter.toUpperCase()),
      value,
    ]),
  );
}

// One connection of Node's own SQLite: opened as every connection of the service is, with its statements compiled once.
// WAL with synchronous FULL: a transaction that was committed is on disk.

import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { lockDatabase } from './sqlite-lock.ts';
import type { SqliteAnswer, SqliteStatement, SqliteThreadSettings } from './sqlite-messages.ts';

interface SqliteConnection {
  /** Throws SQLite's own error. */
  run(statement: SqliteStatement): SqliteAnswer;
  close(): void;
}

interface CompiledStatement {
  readonly statement: StatementSync;
  readonly reads: boolean;
}

/** Compiled statements that are kept; the oldest goes for a further one. */
const maxStatements = 300;
/** How long another process's transaction is waited for. */
const busyTimeoutMs = 5_000;
/** 64 MiB of pages, in KiB as SQLite wants it: a million files' index pages stay warm. */
const cacheKib = -64 * 1024;

/**
 * Opens the file, making it when missing. `readOnly` connections see what was committed when they begin to read. Throws when it is to be
 * alone and another process has the database.
 */
export function openSqliteConnection({ path, readOnly, alone }: SqliteThreadSettings): SqliteConnection {
  const unlock = alone ? lockDatabase(path) : undefined;
  try {
    return openConnection({ path, readOnly, unlock });
  } catch (error) {
    unlock?.();
    throw error;
  }
}

function openConnection({
  path,
  readOnly,
  unlock,
}: Pick<SqliteThreadSettings, 'path' | 'readOnly'> & { readonly unlock: (() => void) | undefined }): SqliteConnection {
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs, readOnly });
  database.exec(`PRAGMA cache_size = ${cacheKib}; PRAGMA temp_store = MEMORY;`);
  if (!readOnly) {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;');
  }
  const compiled = new Map<string, CompiledStatement>();

  function compile(sql: string): CompiledStatement {
    const known = compiled.get(sql);
    if (known !== undefined) return known;
    const statement = database.prepare(sql);
    const made = { statement, reads: statement.columns().length > 0 };
    if (compiled.size >= maxStatements) {
      const [oldest] = compiled.keys();
      if (oldest !== undefined) compiled.delete(oldest);
    }
    compiled.set(sql, made);
    return made;
  }

  return {
    run: ({ sql, parameters }) => {
      const { statement, reads } = compile(sql);
      const values = bindable(parameters);
      // Rows are plain data of column names and values.
      if (reads) return { rows: statement.all(...values) as Record<string, unknown>[], changes: 0 };
      return { rows: [], changes: Number(statement.run(...values).changes) };
    },
    close: () => {
      compiled.clear();
      database.close();
      unlock?.();
    },
  };
}

function bindable(parameters: readonly unknown[]): SQLInputValue[] {
  return parameters.map((value) => {
    if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint')
      return value;
    if (value instanceof Uint8Array) return value;
    throw new TypeError(`SQLite cannot hold a value of type ${typeof value}.`);
  });
}

// Kysely over SQLite in threads of its own: one connection that writes, and one that reads beside it, which WAL lets see the
// last commit while the next one is on its way to the disk. A transaction has the writing connection to itself.

import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { type SqliteThread, startSqliteThread } from './sqlite-thread.ts';

/** Keeps nothing, and cannot be seen by a second connection. */
const inMemory = ':memory:';

/** `alone`: no other process may have the database so; opening it throws when one has. Default: whoever wants to. */
export function sqliteDialect(path: string, { alone = false }: { readonly alone?: boolean } = {}): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new SqliteDriver(path, alone && path !== inMemory),
    createIntrospector: (database) => new SqliteIntrospector(database),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

class SqliteDriver implements Driver {
  readonly #path: string;
  readonly #alone: boolean;
  #writer: SqliteThread | undefined;
  #reader: SqliteThread | undefined;
  /** Ends when the transaction that has the writing connection ends. */
  #turn: Promise<void> = Promise.resolve();

  constructor(path: string, alone: boolean) {
    this.#path = path;
    this.#alone = alone;
  }

  async init(): Promise<void> {
    this.#writer = startSqliteThread({ path: this.#path, readOnly: false, alone: this.#alone });
    // The reader finds a file, and one in WAL, only after the writer has made it so.
    await this.#writer.run({ sql: 'SELECT 1', parameters: [] });
    if (this.#path !== inMemory) this.#reader = startSqliteThread({ path: this.#path, readOnly: true, alone: false });
  }

  async acquireConnection(): Promise<SqliteSession> {
    const writer = this.#writer;
    if (writer === undefined) throw new Error('The database is not open.');
    return new SqliteSession({ writer, reader: this.#reader ?? writer, takeTurn: () => this.#takeTurn() });
  }

  async beginTransaction(session: SqliteSession): Promise<void> {
    await session.begin();
  }

  async commitTransaction(session: SqliteSession): Promise<void> {
    await session.end('COMMIT');
  }

  async rollbackTransaction(session: SqliteSession): Promise<void> {
    await session.end('ROLLBACK');
  }

  async releaseConnection(): Promise<void> {
    // Sessions hold nothing outside of a transaction.
  }

  async destroy(): Promise<void> {
    await this.#turn;
    await Promise.all([this.#writer?.close(), this.#reader?.close()]);
  }

  /** Waits for the writing connection; answers how to give it back. */
  async #takeTurn(): Promise<() => void> {
    const before = this.#turn;
    const mine = Promise.withResolvers<void>();
    this.#turn = before.then(() => mine.promise);
    await before;
    return mine.resolve;
  }
}

interface SessionParts {
  readonly writer: SqliteThread;
  readonly reader: SqliteThread;
  readonly takeTurn: () => Promise<() => void>;
}

class SqliteSession implements DatabaseConnection {
  readonly #parts: SessionParts;
  #giveBack: (() => void) | undefined;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  async begin(): Promise<void> {
    const giveBack = await this.#parts.takeTurn();
    try {
      // Immediate: a transaction that reads first and writes later must not find that another has written meanwhile.
      await this.#parts.writer.run({ sql: 'BEGIN IMMEDIATE', parameters: [] });
      this.#giveBack = giveBack;
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  async end(how: 'COMMIT' | 'ROLLBACK'): Promise<void> {
    try {
      await this.#parts.writer.run({ sql: how, parameters: [] });
    } catch (error) {
      if (how === 'COMMIT') throw error; // Kysely rolls back then, which ends the turn.
    }
    this.#giveBack?.();
    this.#giveBack = undefined;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const { sql, parameters } = query;
    const { rows, changes } = await this.#choose(query).then((run) => run({ sql, parameters }));
    // What the columns of a row are is known to the query that was compiled.
    return { rows: rows as Row[], numAffectedRows: BigInt(changes) };
  }

  // biome-ignore lint/correctness/useYield: the interface wants a generator, and there is nothing to give.
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new Error('Rows are not streamed; ask for a page.');
  }

  /** Where a statement is to run. A single write waits its turn like a transaction of one statement. */
  async #choose(query: CompiledQuery): Promise<SqliteThread['run']> {
    const { writer, reader, takeTurn } = this.#parts;
    if (this.#giveBack !== undefined) return (statement) => writer.run(statement);
    if (query.query.kind === 'SelectQueryNode') return (statement) => reader.run(statement);
    const giveBack = await takeTurn();
    return (statement) => writer.run(statement).finally(giveBack);
  }
}

// Kysely over SQLite in threads of its own: one connection that writes, and one that reads beside it, which WAL lets see the
// last commit while the next one is on its way to the disk: each statement that reads begins anew, and sees all that was committed when
// it was asked. A transaction has the writing connection to itself.

import { setTimeout as sleep } from 'node:timers/promises';
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
import { defaultCloseTimeoutMs, type SqliteThread, startSqliteThread } from './sqlite-thread.ts';

/** Keeps nothing, and cannot be seen by a second connection. */
const inMemory = ':memory:';

/** `alone`: no other process may have the database so; opening it throws when one has. Default: whoever wants to. */
export function sqliteDialect(path: string, { alone = false }: { readonly alone?: boolean } = {}): Dialect {
  return {
    createAdapter: () => new TurnsOfItsOwn(),
    createDriver: () => new SqliteDriver(path, alone && path !== inMemory),
    createIntrospector: (database) => new SqliteIntrospector(database),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

/** Kysely would let one query in at a time, and reads wait for transactions: the turns here are for what writes alone. */
class TurnsOfItsOwn extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
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
    const writer = startSqliteThread({ path: this.#path, readOnly: false, alone: this.#alone });
    // The reader finds a file, and one in WAL, only after the writer has made it so.
    await writer.opened;
    if (this.#path !== inMemory) {
      const reader = startSqliteThread({ path: this.#path, readOnly: true, alone: false });
      try {
        await reader.opened;
      } catch (error) {
        // Kysely ends nothing that did not begin.
        await writer.close();
        throw error;
      }
      this.#reader = reader;
    }
    this.#writer = writer;
  }

  async acquireConnection(): Promise<SqliteSession> {
    const writer = this.#writer;
    if (writer === undefined) throw new Error('The database is not open.');
    return new SqliteSession({ writer, reader: this.#reader, takeTurn: () => this.#takeTurn() });
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
    // A transaction that hangs holds its turn for ever; its thread is given up below.
    const ended = new AbortController();
    const late = sleep(defaultCloseTimeoutMs, undefined, { signal: ended.signal }).catch(() => undefined);
    await Promise.race([this.#turn, late]);
    ended.abort();
    const closed = await Promise.allSettled([this.#writer?.close(), this.#reader?.close()]);
    for (const outcome of closed) if (outcome.status === 'rejected') throw outcome.reason;
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

/**
 * Whether a statement only reads. Of one that was written out, its first word tells: a `WITH` of ours reads, and one that would write is
 * refused by the connection that reads.
 */
function isRead({ query, sql }: CompiledQuery): boolean {
  return query.kind === 'SelectQueryNode' || (query.kind === 'RawNode' && /^\s*(?:SELECT|WITH)\b/i.test(sql));
}

interface SessionParts {
  readonly writer: SqliteThread;
  /** `undefined`: the one that writes reads too, when it is nobody's turn. */
  readonly reader: SqliteThread | undefined;
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
    if (reader !== undefined && isRead(query)) return (statement) => reader.run(statement);
    const giveBack = await takeTurn();
    return (statement) => writer.run(statement).finally(giveBack);
  }
}

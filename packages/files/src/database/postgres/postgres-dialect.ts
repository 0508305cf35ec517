// Kysely over PostgreSQL: a bounded pool, with time limits on everything that could wait for ever.

import { type Dialect, PostgresDialect } from 'kysely';

/** Where the database is, and how it is used. */
export interface PostgresSettings {
  /** `postgres://user:password@host:port/database`, or with `?host=/socket/folder`. */
  readonly url: string;
  /** Connections of this process. Default 10. */
  readonly maxConnections?: number;
}

const defaultMaxConnections = 10;
const connectTimeoutMs = 10_000;
const statementTimeoutMs = 60_000;
const lockTimeoutMs = 15_000;
const idleInTransactionTimeoutMs = 30_000;
/** The server's own limit says more, where the server can still be reached. */
const answerTimeoutMs = statementTimeoutMs + 5_000;

/** PostgreSQL's types of 64-bit integers and of exact numbers, which `pg` gives as text; all of ours fit a double. */
const numberTypes = new Set([20, 1700]);

export function postgresDialect({ url, maxConnections = defaultMaxConnections }: PostgresSettings): Dialect {
  return new PostgresDialect({
    pool: async () => {
      const { default: pg } = await import('pg');
      const pool = new pg.Pool({
        connectionString: url,
        max: maxConnections,
        connectionTimeoutMillis: connectTimeoutMs,
        statement_timeout: statementTimeoutMs,
        query_timeout: answerTimeoutMs,
        keepAlive: true,
        lock_timeout: lockTimeoutMs,
        idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
        application_name: 'stowage',
        // Compiling a query takes longer than any of ours runs. What the URL says of options stands instead.
        options: '-c jit=off',
        types: {
          getTypeParser: (oid, format) =>
            numberTypes.has(oid) ? (text: string): number => Number(text) : pg.types.getTypeParser(oid, format),
        },
      });
      // An idle connection that the server ends is no fault of a query; the pool opens another.
      pool.on('error', () => undefined);
      // One that ends while it is used tells whoever asked, and then everybody; with nobody listening the process would end by it.
      pool.on('connect', (client) => client.on('error', () => undefined));
      return pool;
    },
  });
}

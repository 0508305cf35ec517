// One connection in a thread of its own, as a function that answers a statement with a promise. It opens and closes in time or is given
// up: a disk that does not answer holds neither the start of a service nor its end for ever.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type {
  SqliteAnswer,
  SqliteReply,
  SqliteRequest,
  SqliteStatement,
  SqliteThreadSettings,
} from './sqlite-messages.ts';

export interface SqliteThread {
  /** Resolves when the database is open. Rejects with what the connection throws, and when that takes longer than `openTimeoutMs`. */
  readonly opened: Promise<void>;
  /** Rejects with a `SqliteError`. Statements are done in the order in which they are given. */
  run(statement: SqliteStatement): Promise<SqliteAnswer>;
  /** Finishes what was asked, closes the connection, ends the thread. Rejects when that takes longer than `closeTimeoutMs`. */
  close(): Promise<void>;
}

interface SqliteThreadOptions {
  /** What the thread runs. Default: sqlite-worker.ts. */
  readonly source?: URL;
  /** Default 60 seconds: what a crash left in the WAL is read first. */
  readonly openTimeoutMs?: number;
  /** Default 30 seconds: what is in the WAL goes into the database. */
  readonly closeTimeoutMs?: number;
}

const defaultOpenTimeoutMs = 60_000;
export const defaultCloseTimeoutMs = 30_000;

/** What SQLite refused, brought over from its thread. */
class SqliteError extends Error {
  override readonly name = 'SqliteError';
  /** SQLite's result code: sqlite.org/rescode.html. */
  readonly errcode: number | undefined;

  constructor(message: string, errcode: number | undefined) {
    super(message);
    this.errcode = errcode;
  }
}

interface Waiting {
  readonly resolve: (answer: SqliteAnswer) => void;
  readonly reject: (error: unknown) => void;
}

export function startSqliteThread(
  settings: SqliteThreadSettings,
  {
    source = new URL('./sqlite-worker.ts', import.meta.url),
    openTimeoutMs = defaultOpenTimeoutMs,
    closeTimeoutMs = defaultCloseTimeoutMs,
  }: SqliteThreadOptions = {},
): SqliteThread {
  const worker = new Worker(source, {
    workerData: settings,
    name: settings.readOnly ? 'sqlite reader' : 'sqlite writer',
  });
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let ended: Error | undefined;
  const opening = Promise.withResolvers<void>();
  // Who does not wait for it hears of it by the first statement.
  opening.promise.catch(() => undefined);
  const openTimer = setTimeout(() => {
    const seconds = openTimeoutMs / 1000;
    giveUp(
      `The database ${settings.path} could not be opened within ${seconds} s: its disk does not answer, or is far too slow.`,
    );
  }, openTimeoutMs);

  function end(error: Error): void {
    clearTimeout(openTimer);
    ended ??= error;
    opening.reject(ended);
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
    worker.unref();
  }

  function giveUp(why: string): Error {
    const error = new Error(why);
    end(error);
    // A thread that hangs in the system's call ends when that returns; nobody waits for it.
    worker.terminate().catch(() => undefined);
    return error;
  }

  worker.on('message', (reply: SqliteReply) => {
    if (reply === 'open') {
      clearTimeout(openTimer);
      opening.resolve();
      if (waiting.size === 0) worker.unref();
      return;
    }
    const asker = waiting.get(reply.id);
    waiting.delete(reply.id);
    // The thread holds the process only while somebody waits for it.
    if (waiting.size === 0) worker.unref();
    if (asker === undefined) return;
    if ('message' in reply) asker.reject(new SqliteError(reply.message, reply.errcode));
    else asker.resolve(reply);
  });
  worker.on('error', (error) => end(error instanceof Error ? error : new Error(String(error))));
  worker.on('exit', () => end(new Error('The database is closed.')));

  return {
    opened: opening.promise,
    run: ({ sql, parameters }) =>
      new Promise((resolve, reject) => {
        if (ended !== undefined) {
          reject(ended);
          return;
        }
        lastId += 1;
        const request: SqliteRequest = { id: lastId, sql, parameters };
        waiting.set(request.id, { resolve, reject });
        worker.ref();
        worker.postMessage(request);
      }),
    close: async () => {
      if (ended !== undefined) return;
      const exited = once(worker, 'exit');
      worker.ref();
      worker.postMessage('close');
      const late = Promise.withResolvers<'late'>();
      const timer = setTimeout(() => late.resolve('late'), closeTimeoutMs);
      try {
        if ((await Promise.race([exited, late.promise])) !== 'late') return;
      } finally {
        clearTimeout(timer);
      }
      const seconds = closeTimeoutMs / 1000;
      throw giveUp(
        `The database ${settings.path} could not be closed within ${seconds} s and was given up. What was acknowledged is in it; it is opened as after a crash.`,
      );
    },
  };
}

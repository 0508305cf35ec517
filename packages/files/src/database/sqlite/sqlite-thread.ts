// One connection in a thread of its own, as a function that answers a statement with a promise.

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
  /** Rejects with a `SqliteError`. Statements are done in the order in which they are given. */
  run(statement: SqliteStatement): Promise<SqliteAnswer>;
  /** Finishes what was asked, closes the connection, ends the thread. */
  close(): Promise<void>;
}

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

export function startSqliteThread(settings: SqliteThreadSettings): SqliteThread {
  const worker = new Worker(new URL('./sqlite-worker.ts', import.meta.url), {
    workerData: settings,
    name: settings.readOnly ? 'sqlite reader' : 'sqlite writer',
  });
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let ended: Error | undefined;

  function end(error: Error): void {
    ended ??= error;
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
    worker.unref();
  }

  worker.on('message', (reply: SqliteReply) => {
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
  worker.unref();

  return {
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
      await exited;
    },
  };
}

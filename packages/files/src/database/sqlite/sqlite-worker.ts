// The thread that holds one connection: SQLite reads, writes and fsyncs on the thread that calls it, and that must not be the
// one that answers requests.

import { parentPort, workerData } from 'node:worker_threads';
import { openSqliteConnection } from './sqlite-connection.ts';
import type { SqliteReply, SqliteRequest, SqliteThreadSettings } from './sqlite-messages.ts';

if (parentPort === null) throw new Error('This module runs as a worker thread only.');
const port = parentPort;
// Given by sqlite-thread.ts, which starts this thread.
const connection = openSqliteConnection(workerData as SqliteThreadSettings);
const greeting: SqliteReply = 'open';
port.postMessage(greeting);

port.on('message', (request: SqliteRequest | 'close') => {
  if (request === 'close') {
    connection.close();
    port.close();
    return;
  }
  port.postMessage(answer(request));
});

function answer(request: SqliteRequest): SqliteReply {
  try {
    return { id: request.id, ...connection.run(request) };
  } catch (error) {
    const errcode =
      error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : undefined;
    return { id: request.id, message: error instanceof Error ? error.message : String(error), errcode };
  }
}

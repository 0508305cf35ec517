// What a worker of the engine does: it serves S3 at the port that all workers share, over the store that the main thread has
// open, until it is told to end.

import { parentPort } from 'node:worker_threads';
import { openWorkerStore } from '@stowage/store';
import type { EngineOverview } from '../engine-context.ts';
import type { EngineLog, LogFields } from '../log.ts';
import { Metrics } from '../metrics.ts';
import { createServing } from '../serving.ts';
import type { LogLine, WorkerCommand, WorkerOrders, WorkerReport } from './messages.ts';

/** Lines of the log that wait to be sent; beyond it the newest are dropped, and how many is told. */
const maxWaitingLines = 1000;

/** Resolves once it listens, or has said why not. */
export async function serveAsWorker(orders: WorkerOrders): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('A worker of the engine is started by startEngine, as a thread.');
  const report = (message: WorkerReport): void => port.postMessage(message);
  const { logRequests } = orders;
  const log = logRequests === undefined ? undefined : forwardingLog(logRequests, report);
  const store = openWorkerStore(orders.invitation, (level, message, fields) => log?.[level](message, fields));
  const asked = new Map<number, (overview: EngineOverview) => void>();
  let lastTicket = 0;
  const { server, metrics } = createServing(orders.settings, {
    store,
    clock: Date.now,
    random: Math.random,
    log,
    overview: () => {
      lastTicket += 1;
      const ticket = lastTicket;
      report({ kind: 'overview', ticket });
      return new Promise((resolve) => asked.set(ticket, resolve));
    },
  });
  /** Never rejects: who cannot listen says so, and ends. */
  const listen = async (): Promise<void> => {
    try {
      const address = await server.listen(orders.host, orders.port, true);
      report({ kind: 'listening', port: address.port });
    } catch (cause) {
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
      report({ kind: 'notListening', message: cause instanceof Error ? cause.message : String(cause), code });
      await end();
    }
  };
  const end = async (): Promise<void> => {
    await server.close();
    await store.close();
    port.close();
  };
  const listening = listen();
  port.on('message', (command: WorkerCommand) => {
    switch (command.kind) {
      case 'count':
        report({
          kind: 'counts',
          ticket: command.ticket,
          counts: metrics.counts,
          runningRequests: server.runningRequests,
        });
        break;
      case 'overview': {
        const sum = new Metrics();
        sum.add(command.counts);
        asked.get(command.ticket)?.({ ...command.state, metrics: sum });
        asked.delete(command.ticket);
        break;
      }
      case 'close':
        // Whatever fails here fails the thread, and the main thread hears of it.
        void listening.then(end);
        break;
    }
  });
  await listening;
}

/** A log whose lines go to the main thread, those of one turn of the event loop together. */
function forwardingLog(requests: 'all' | 'failed', report: (message: WorkerReport) => void): EngineLog {
  let waiting: LogLine[] = [];
  let dropped = 0;
  const send = (): void => {
    const lines = waiting;
    waiting = [];
    if (dropped > 0) lines.push({ level: 'warn', message: 'lines of the log were dropped', fields: { dropped } });
    dropped = 0;
    report({ kind: 'log', lines });
  };
  const add = (level: LogLine['level'], message: string, fields: LogFields): void => {
    if (waiting.length >= maxWaitingLines) {
      dropped += 1;
      return;
    }
    waiting.push({ level, message, fields });
    if (waiting.length === 1) setImmediate(send);
  };
  return {
    debug: (message, fields) => add('debug', message, fields),
    info: (message, fields) => add('info', message, fields),
    warn: (message, fields) => add('warn', message, fields),
    error: (message, fields) => add('error', message, fields),
    requests,
  };
}

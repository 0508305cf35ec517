// Where a worker of the engine begins: a thread that ends when it is told to, or by the first error that nobody caught; then
// the main thread starts another one. Compiled code that the main thread keeps between runs is kept here too, which halves
// the time to start; so nothing is imported before that is said.

import module from 'node:module';
import { workerData } from 'node:worker_threads';
import type { WorkerOrders } from './messages.ts';

// What a worker is started with is what engine-worker-thread.ts gives it.
const orders = workerData as WorkerOrders;
if (orders.compileCache !== undefined) module.enableCompileCache(orders.compileCache);
const { serveAsWorker } = await import('./worker-server.ts');
await serveAsWorker(orders);

// A hashing thread: takes pieces of bodies in the order in which they come and hashes them, so that the main thread is free
// to read sockets. It never touches the disk. Started by hash-threads.ts.

import { parentPort, workerData } from 'node:worker_threads';
import { BodyHashes } from './body-hashes.ts';
import type { HashAnswer, HashCommand } from './thread-messages.ts';

// Proof of the cast: hash-threads.ts gives this and nothing else.
const { memory } = workerData as { readonly memory: SharedArrayBuffer };
const bodies = new Map<number, BodyHashes>();

function obey(command: HashCommand): void {
  switch (command.kind) {
    case 'begin':
      bodies.set(command.body, new BodyHashes(command.algorithms));
      return;
    case 'update':
      bodies.get(command.body)?.update(Buffer.from(memory, command.start, command.sizeBytes));
      answer({ kind: 'used', body: command.body });
      return;
    case 'finish':
      finish(command.body);
      return;
    case 'discard':
      bodies.delete(command.body);
      return;
    case 'close':
      parentPort?.close(); // with it goes all that keeps the thread alive
  }
}

function finish(body: number): void {
  const sums = bodies.get(body)?.finish();
  bodies.delete(body);
  if (sums === undefined) throw new Error(`There is no body ${body} to finish.`);
  answer({ kind: 'sums', body, digests: [...sums.digests], checksums: sums.checksums });
}

function answer(message: HashAnswer): void {
  parentPort?.postMessage(message);
}

parentPort?.on('message', obey);
answer({ kind: 'ready' });

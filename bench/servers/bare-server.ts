// The limit: a bare node:http server that does what a store cannot leave out (bare/bare-process.ts). And the limit of the
// load itself: a server that does nothing (bare/no-op-process.ts).

import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { startChildServer } from './child-server.ts';
import { bucketNames, everyAbility, type PeerServer } from './peer-server.ts';

export async function startBare({ directory }: { readonly directory: string }): Promise<PeerServer> {
  const entry = fileURLToPath(new URL('./bare/bare-process.ts', import.meta.url));
  const args = (port: number): readonly string[] => [entry, '--port', String(port), '--directory', directory];
  const server = await startChildServer({ name: 'bare', file: process.execPath, args });
  return {
    name: 'bare node:http',
    durability: 'on the disk before the answer; its index is lost at the end',
    endpoint: server.endpoint,
    ...bucketNames,
    credentials: undefined,
    pids: () => [server.pid],
    abilities: everyAbility,
    stop: server.stop,
  };
}

export async function startNoOp(): Promise<PeerServer> {
  const entry = fileURLToPath(new URL('./bare/no-op-process.ts', import.meta.url));
  const args = (port: number): readonly string[] => [entry, '--port', String(port)];
  const server = await startChildServer({ name: 'no-op', file: process.execPath, args });
  return {
    name: 'no-op (load limit)',
    durability: 'none: keeps nothing',
    endpoint: server.endpoint,
    ...bucketNames,
    credentials: undefined,
    pids: () => [server.pid],
    abilities: new Set(['objects', 'ranges', 'list']),
    keepsBytes: false,
    stop: server.stop,
  };
}

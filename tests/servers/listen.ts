// Puts an HTTP server of a test on a free port of the loopback, and takes it down again when the test ends.

import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a server lives as long as: a test, `node:test` itself, or whatever else tells of its end. */
export interface Lifetime {
  after(cleanUp: () => unknown): void;
}

/** Listens, and answers the server's URL, without a slash at its end. Connections that are open at the end are broken off. */
export async function listen(t: Lifetime, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  // A TCP server's address is never a path.
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

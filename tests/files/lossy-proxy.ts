// Stands between the service and the bucket and loses what a test says: a request before it arrives, or a reply after it took
// effect. What the network and a crash do, from outside.

import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';

type Fate = 'pass' | 'lose-request' | 'lose-reply';

export interface LossyProxy {
  readonly endpoint: string;
  /** Asked about every request that comes. */
  fate: (method: string, url: string) => Fate;
  close(): Promise<void>;
}

/** `target` may be given later, before the first request. */
export async function startLossyProxy(target: { endpoint: string }): Promise<LossyProxy> {
  const proxy = { fate: (): Fate => 'pass' } as { fate: LossyProxy['fate'] };
  const server = createServer((incoming, outgoing) => {
    const { method = '', url = '', headers } = incoming;
    const fate = proxy.fate(method, url);
    if (fate === 'lose-request') {
      incoming.socket.destroy();
      return;
    }
    // The host is signed: it goes on as it came.
    const onward = request(`${target.endpoint}${url}`, { method, headers }, (answer: IncomingMessage) => {
      if (fate === 'lose-reply') {
        answer.resume();
        answer.on('end', () => incoming.socket.destroy());
        return;
      }
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => incoming.socket.destroy());
    incoming.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return Object.assign(proxy, {
    endpoint: `http://127.0.0.1:${port}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  });
}

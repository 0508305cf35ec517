// Stands between the file service and S3 on loopback and misbehaves on request: loses replies of what was done, refuses
// before anything is done, or says 200 with an error inside. What it does not disturb passes unchanged, Host included, so that
// signatures stay good.

import { once } from 'node:events';
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export type Fault =
  /** S3 does it; the reply is lost. */
  | { readonly kind: 'drop-reply' }
  /** S3 never hears of it. */
  | { readonly kind: 'answer'; readonly status: number; readonly body: string }
  /** S3 does it, and something else is answered. */
  | { readonly kind: 'answer-after'; readonly status: number; readonly body: string };

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
}

export interface FaultProxy {
  readonly endpoint: string;
  /** Asked for each request. Default: no fault. */
  fault: (request: SeenRequest) => Fault | undefined;
  /** Faults done so far. */
  faultCount: number;
}

export async function startFaultProxy(t: TestContext, target: string): Promise<FaultProxy> {
  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const proxy: FaultProxy = {
    // A TCP server's address is never a path.
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fault: () => undefined,
    faultCount: 0,
  };

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '/', target);
    const fault = proxy.fault({ method: incoming.method ?? '', path: url.pathname, query: url.searchParams });
    if (fault !== undefined) proxy.faultCount++;
    if (fault?.kind === 'answer') {
      incoming.resume();
      await once(incoming, 'end');
      answer(outgoing, fault);
      return;
    }
    const { hostname, port } = new URL(target);
    const { method, headers, url: path } = incoming;
    const onward = forward({ hostname, port, method, path, headers, agent: false });
    incoming.pipe(onward);
    // Node answers a request's 'response' with its message.
    const [reply] = (await once(onward, 'response')) as [IncomingMessage];
    if (fault === undefined) {
      outgoing.writeHead(reply.statusCode ?? 502, reply.rawHeaders);
      reply.pipe(outgoing);
      return;
    }
    reply.resume();
    await once(reply, 'end');
    if (fault.kind === 'drop-reply') incoming.socket.destroy();
    else answer(outgoing, fault);
  }

  return proxy;
}

function answer(outgoing: ServerResponse, { status, body }: { readonly status: number; readonly body: string }): void {
  outgoing.writeHead(status, { 'content-type': 'application/xml' }).end(body);
}

/** An error document of S3. */
export function errorDocument(code: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>Injected.</Message><RequestId>1</RequestId></Error>`;
}

// Stands between the file service and S3 on loopback and misbehaves on request: loses requests and replies, refuses before or after
// the deed, says 200 with an error inside, breaks off, holds back, answers with what was so before. What it does not disturb
// passes unchanged, Host included, so that signatures stay good.

import { once } from 'node:events';
import {
  createServer,
  request as forward,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { type Lifetime, listen } from '../servers/listen.ts';

export type Fault =
  /** S3 never hears of it; the connection breaks. */
  | { readonly kind: 'lose-request' }
  /** S3 does it; the connection breaks instead of a reply. */
  | { readonly kind: 'lose-reply' }
  /** S3 does it; the reply breaks off in the middle. */
  | { readonly kind: 'break-reply' }
  /** S3 never hears of it. */
  | { readonly kind: 'answer'; readonly status: number; readonly body: string }
  /** S3 does it, and something else is answered. */
  | { readonly kind: 'answer-after'; readonly status: number; readonly body: string }
  /** S3 does it, and the reply carries other headers: those named here in place of its own. */
  | { readonly kind: 'alter'; readonly headers: Readonly<Record<string, string>> }
  /** It goes on only when this resolves, whoever has gone meanwhile; then it passes. */
  | { readonly kind: 'hold'; readonly until: Promise<void> };

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

export interface FaultProxy {
  readonly endpoint: string;
  /** Asked for each request. Default: no fault. */
  fault: (request: SeenRequest) => Fault | undefined;
  /** Faults done so far. */
  faultCount: number;
}

export async function startFaultProxy(t: Lifetime, target: string): Promise<FaultProxy> {
  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => outgoing.destroy());
  });
  const proxy: FaultProxy = {
    endpoint: await listen(t, server),
    fault: () => undefined,
    faultCount: 0,
  };

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method = '', headers } = incoming;
    const url = new URL(incoming.url ?? '/', target);
    const fault = proxy.fault({ method, path: url.pathname, query: url.searchParams, headers });
    if (fault !== undefined) proxy.faultCount++;
    switch (fault?.kind) {
      case 'lose-request':
        incoming.socket.destroy();
        return;
      case 'answer':
        incoming.resume();
        await once(incoming, 'end');
        answer(outgoing, fault);
        return;
      case 'hold':
        await fault.until;
    }
    const reply = await passOn(incoming);
    if (fault === undefined || fault.kind === 'hold') {
      outgoing.writeHead(reply.statusCode ?? 502, reply.rawHeaders);
      reply.pipe(outgoing);
      return;
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of reply) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    switch (fault.kind) {
      case 'lose-reply':
        incoming.socket.destroy();
        return;
      case 'break-reply':
        breakOff(incoming, reply, body);
        return;
      case 'answer-after':
        answer(outgoing, fault);
        return;
      case 'alter':
        outgoing.writeHead(reply.statusCode ?? 502, { ...reply.headers, ...fault.headers }).end(body);
    }
  }

  /** The reply's beginning. */
  async function passOn(incoming: IncomingMessage): Promise<IncomingMessage> {
    const { hostname, port } = new URL(target);
    const { method, headers, url: path } = incoming;
    const onward = forward({ hostname, port, method, path, headers, agent: false });
    // Who was held may have gone.
    if (incoming.destroyed) onward.end();
    else incoming.pipe(onward);
    // Node answers a request's 'response' with its message.
    const [reply] = (await once(onward, 'response')) as [IncomingMessage];
    return reply;
  }

  return proxy;
}

/** As much of a reply as a connection carries that breaks: half of the body, or of the head where there is no body. */
function breakOff({ socket }: IncomingMessage, { statusCode, headers }: IncomingMessage, body: Buffer): void {
  const head = `HTTP/1.1 ${statusCode} Some\r\ncontent-type: ${headers['content-type'] ?? 'text/plain'}\r\n`;
  if (body.length === 0) socket.write(head.slice(0, -4));
  else {
    socket.write(`${head}content-length: ${body.length}\r\n\r\n`);
    socket.write(body.subarray(0, Math.floor(body.length / 2)));
  }
  socket.destroySoon();
}

function answer(outgoing: ServerResponse, { status, body }: { readonly status: number; readonly body: string }): void {
  // Of this machine's clock, which need not be S3's: clients set theirs by it.
  outgoing.sendDate = false;
  outgoing.writeHead(status, { 'content-type': 'application/xml' }).end(body);
}

/** An error document of S3. */
export function errorDocument(code: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>Injected.</Message><RequestId>1</RequestId></Error>`;
}

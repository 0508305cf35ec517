// The file service on a port of its own: Node's HTTP server before the one `fetch`.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { FileServiceOptions } from './file-service-options.ts';
import { openTrustedProxies } from './http/client-address.ts';
import { type FileService, openFileService } from './open-file-service.ts';
import { requireOptions } from './require-options.ts';

export interface StartFileServiceOptions extends FileServiceOptions {
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** 0 chooses a free one. Default 3000. */
  readonly port?: number;
  /**
   * Proxies whose `X-Forwarded-For` is believed: addresses, ranges such as `10.0.0.0/8`, `loopback` or `private`. Default: none,
   * requests are known by the address of their connection.
   */
  readonly trustedProxies?: readonly string[];
}

export interface RunningFileService {
  /** Where people reach it, without a slash at the end: `publicUrl` where that was given. */
  readonly url: string;
  readonly port: number;
  readonly service: FileService;
  /** An address of the console that signs its opener in, once. */
  signInUrl(): Promise<string>;
  /**
   * Takes no more requests, finishes those that run, and jobs, within `graceMs` (default 5 seconds), gives back what has not ended
   * then, and stops.
   */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

const defaultPort = 3000;
const defaultGraceMs = 5_000;
const idleSweepMs = 50;

/** Throws what `listen` throws, e.g. EADDRINUSE, and what `openFileService` throws; then nothing is left running. */
export async function startFileService(options: StartFileServiceOptions): Promise<RunningFileService> {
  requireOptions(options);
  const { host = '127.0.0.1', port = defaultPort } = options;
  const proxies = openTrustedProxies(options.trustedProxies ?? []);
  // The port comes first: the bucket's CORS rule names it.
  let answer: (request: Request, incoming: IncomingMessage) => Promise<Response> = async () =>
    new Response('The service is starting.\n', { status: 503, headers: { 'retry-after': '1' } });
  const listener = getRequestListener((request, { incoming }) => answer(request, incoming as IncomingMessage), {
    overrideGlobalObjects: false,
  });
  const server = createServer({ requestTimeout: 60_000, headersTimeout: 20_000 }, (incoming, outgoing) => {
    void listener(incoming, outgoing);
  });
  server.listen(port, host);
  await once(server, 'listening');
  // A TCP server's address is never a path.
  const bound = (server.address() as AddressInfo).port;
  const url = (options.publicUrl ?? `http://${host.includes(':') ? `[${host}]` : host}:${bound}`).replace(/\/+$/, '');

  let service: FileService;
  try {
    service = await openFileService({
      ...options,
      publicUrl: url,
      allowedOrigins: [...originsOf(host, bound, url), ...(options.allowedOrigins ?? [])],
    });
  } catch (error) {
    server.closeAllConnections();
    server.close();
    throw error;
  }
  const proxied = isProxied(url, bound);
  answer = (request, incoming) => {
    const connection = incoming.socket.remoteAddress;
    if (connection === undefined) return service.fetch(request, { proxied });
    const forwardedFor = request.headers.get('x-forwarded-for') ?? undefined;
    return service.fetch(request, { clientAddress: proxies.clientAddress(connection, forwardedFor), proxied });
  };

  return {
    url,
    port: bound,
    service,
    // After `#`, so that the token reaches no server, no log and no Referer.
    signInUrl: async () => `${url}/sign-in#token=${await service.issueSignInToken()}`,
    close: async ({ graceMs = defaultGraceMs } = {}) => {
      // Together: requests that wait for a change are let go by the service, and then answered.
      const stopped = stop(server, graceMs);
      await service.close({ graceMs });
      await stopped;
    },
  };
}

/** Whether people reach it by what it does not speak, or at a port that it does not listen at. */
function isProxied(url: string, port: number): boolean {
  const { protocol, port: shown } = new URL(url);
  return protocol === 'https:' || Number(shown === '' ? 80 : shown) !== port;
}

/** The page may have been opened under any of the names of this machine's loopback. */
function originsOf(host: string, port: number, url: string): readonly string[] {
  const local = ['127.0.0.1', 'localhost', '::1', '0.0.0.0', '::'].includes(host);
  const origins = local ? [`http://127.0.0.1:${port}`, `http://localhost:${port}`] : [];
  return [new URL(url).origin, ...origins];
}

async function stop(server: Server, graceMs: number): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  // A connection whose request ran until now would be kept for the next one: it is closed as soon as it is idle.
  const sweep = setInterval(() => server.closeIdleConnections(), idleSweepMs);
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(timer);
}

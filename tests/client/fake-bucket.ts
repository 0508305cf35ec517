// A bucket as the client sees it: PUT of a whole object or of a part by a signed URL, GET by another, CORS for browsers.
// In memory. Signatures are a random word that expires or is revoked; faults are injected per request.

import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface BucketFault {
  /** Answers with this status, without storing. */
  readonly status?: number;
  readonly code?: string;
  /** Cuts the connection: before anything is stored, or after it was. */
  readonly drop?: 'before' | 'after';
}

export interface FakeBucket {
  readonly endpoint: string;
  /** Finished objects. */
  readonly objects: Map<string, Buffer>;
  /** Parts by upload id and number. */
  readonly parts: Map<string, Map<number, Buffer>>;
  /** PUTs seen, in order, as `put <key>` or `part <upload> <number>`. */
  readonly puts: string[];
  /** PUTs under way at this moment, and the most there were. */
  readonly load: { now: number; most: number };
  /** Asked before each PUT. */
  fault: (put: string) => BucketFault | undefined;
  /** Bytes a second that each connection is read with; undefined: as fast as it comes. */
  bytesPerSecond: number | undefined;
  sign(target: string): { url: string; headers: Record<string, string> };
  /** Makes all URLs handed out so far answer 403. */
  revokeUrls(): void;
  close(): Promise<void>;
}

export async function startFakeBucket(): Promise<FakeBucket> {
  const signed = new Map<string, string>();
  const server = createServer((request, response) => void serve(request, response));
  server.requestTimeout = 0;
  await listen(server);
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('access-control-allow-origin', request.headers.origin ?? '*');
    response.setHeader('access-control-allow-headers', '*');
    response.setHeader('access-control-allow-methods', 'GET, PUT, HEAD');
    response.setHeader('access-control-max-age', '600');
    if (request.method === 'OPTIONS') {
      response.writeHead(204).end();
      return;
    }
    const url = new URL(request.url ?? '/', endpoint);
    const target = signed.get(url.searchParams.get('word') ?? '');
    if (target === undefined) {
      request.resume();
      refuse(response, 403, 'AccessDenied');
      return;
    }
    if (request.method === 'GET') {
      serveObject(target, url, response);
      return;
    }
    await servePut(target, request, response);
  }

  function serveObject(key: string, url: URL, response: ServerResponse): void {
    const bytes = bucket.objects.get(key);
    if (bytes === undefined) {
      refuse(response, 404, 'NoSuchKey');
      return;
    }
    response.writeHead(200, {
      'content-length': bytes.length,
      'content-type': url.searchParams.get('type') ?? 'application/octet-stream',
      'content-disposition': url.searchParams.get('disposition') ?? 'attachment',
    });
    response.end(bytes);
  }

  async function servePut(target: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    bucket.puts.push(target);
    const fault = bucket.fault(target);
    if (fault?.drop === 'before') {
      request.socket.destroy();
      return;
    }
    bucket.load.now += 1;
    bucket.load.most = Math.max(bucket.load.most, bucket.load.now);
    try {
      const bytes = await readBody(request);
      if (fault?.status !== undefined) {
        refuse(response, fault.status, fault.code ?? 'InternalError');
        return;
      }
      if (!store(target, bytes, request)) {
        refuse(response, 412, 'PreconditionFailed');
        return;
      }
      if (fault?.drop === 'after') request.socket.destroy();
      else response.writeHead(200, { etag: `"${bytes.length}"` }).end();
    } catch {
      // The sender hung up: nothing is stored.
    } finally {
      bucket.load.now -= 1;
    }
  }

  function store(target: string, bytes: Buffer, request: IncomingMessage): boolean {
    const part = /^part (\S+) (\d+)$/.exec(target);
    if (part?.[1] !== undefined) {
      const parts = bucket.parts.get(part[1]) ?? new Map<number, Buffer>();
      parts.set(Number(part[2]), bytes);
      bucket.parts.set(part[1], parts);
      return true;
    }
    const key = target.replace(/^put /, '');
    if (request.headers['if-none-match'] === '*' && bucket.objects.has(key)) return false;
    bucket.objects.set(key, bytes);
    return true;
  }

  async function readBody(request: IncomingMessage): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      const piece = chunk as Buffer;
      chunks.push(piece);
      if (bucket.bytesPerSecond !== undefined) await pause((piece.length / bucket.bytesPerSecond) * 1000);
    }
    return Buffer.concat(chunks);
  }

  const bucket: FakeBucket = {
    endpoint,
    objects: new Map(),
    parts: new Map(),
    puts: [],
    load: { now: 0, most: 0 },
    fault: () => undefined,
    bytesPerSecond: undefined,
    sign(target) {
      const word = randomBytes(8).toString('hex');
      signed.set(word, target);
      return { url: `${endpoint}/${encodeURIComponent(target)}?word=${word}`, headers: {} };
    },
    revokeUrls: () => signed.clear(),
    close: () => stop(server),
  };
  return bucket;
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(`<Error><Code>${code}</Code><Message>As the test wanted.</Message></Error>`);
}

export function listen(server: Server, port = 0): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}

export function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

// A server that does nothing: it finds where a request ends, remembers how long the object was, and answers with as many
// zeros. Bare sockets, no HTTP parser. Whatever the load reaches against it is the load's own limit.

import { createServer, type Socket } from 'node:net';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { port: { type: 'string' } } });
const sizes = new Map<string, number>();
const zeros = Buffer.alloc(64 * 1024 * 1024);
const etag = 'ETag: "00000000000000000000000000000000"\r\n';
const putAnswer = Buffer.from(`HTTP/1.1 200 OK\r\n${etag}Content-Length: 0\r\n\r\n`);
const deleteAnswer = Buffer.from('HTTP/1.1 204 No Content\r\n\r\n');
const page = `<?xml version="1.0"?><ListBucketResult>${row().repeat(1000)}</ListBucketResult>`;
const listAnswer = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${page.length}\r\n\r\n${page}`);

createServer({ noDelay: true }, (socket) => {
  let partial = '';
  let bodyLeft = 0;
  socket.on('error', () => socket.destroy()); // The load has closed its end.
  socket.on('data', (chunk: Buffer) => {
    if (bodyLeft > 0) {
      bodyLeft -= chunk.length;
      if (bodyLeft === 0) socket.write(putAnswer);
      return;
    }
    const text = partial + chunk.toString('latin1', 0, Math.min(chunk.length, 4096));
    const end = text.indexOf('\r\n\r\n');
    if (end === -1) {
      partial = text;
      return;
    }
    const headBytes = end + 4 - partial.length;
    partial = '';
    bodyLeft = take(socket, text, chunk.length - headBytes);
  });
}).listen(Number(values.port), '127.0.0.1');
process.on('SIGTERM', () => process.exit());

/** Answers, unless a body is still to come; returns how much of it. */
function take(socket: Socket, head: string, bodyHere: number): number {
  const method = head.slice(0, head.indexOf(' '));
  const path = head.slice(method.length + 1, head.indexOf('?') === -1 ? undefined : head.indexOf('?'));
  if (method === 'PUT') {
    const sizeBytes = Number(/\r\nContent-Length: (\d+)/.exec(head)?.[1] ?? 0);
    sizes.set(path, sizeBytes);
    if (sizeBytes === bodyHere) socket.write(putAnswer);
    return sizeBytes - bodyHere;
  }
  if (method === 'DELETE') socket.write(deleteAnswer);
  else if (head.includes('list-type=2')) socket.write(listAnswer);
  else {
    const range = /\r\nRange: bytes=(\d+)-(\d+)/.exec(head);
    const sizeBytes = range === null ? (sizes.get(path) ?? 0) : Number(range[2]) - Number(range[1]) + 1;
    socket.cork();
    socket.write(`HTTP/1.1 ${range === null ? 200 : 206} OK\r\n${etag}Content-Length: ${sizeBytes}\r\n\r\n`);
    if (method === 'GET') socket.write(zeros.subarray(0, sizeBytes));
    socket.uncork();
  }
  return 0;
}

function row(): string {
  return '<Contents><Key>prefix-000/object-00000000</Key><LastModified>2026-11-21T00:00:00.000Z</LastModified><ETag>&quot;00000000000000000000000000000000&quot;</ETag><Size>100</Size><StorageClass>STANDARD</StorageClass></Contents>';
}

// What large bodies are measured against: node:http and nothing else, as one would write it in an afternoon. A PUT is hashed
// (MD5) on the main thread, appended to a new file and made durable with one fdatasync; a GET is a read stream piped into
// the answer. No signature, no index, no checksum, no limit: it is a yardstick, not a server.
// Run as a process of its own by body-server.ts, which gives it a folder; it tells its port over IPC.

import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, fdatasync, renameSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import process from 'node:process';

let count = 0;
const [folder = '.'] = process.argv.slice(2);

const server = createServer((request, response) => {
  if (request.method === 'PUT') put(request, response);
  else if (request.method === 'GET') get(request, response);
  else complete(request, response);
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' && address !== null ? address.port : 0 });
});
process.on('disconnect', () => process.exit());

function put(request: IncomingMessage, response: ServerResponse): void {
  const hash = createHash('md5');
  const path = fileOf(request);
  const written = `${path}.${count}`;
  count += 1;
  const file = createWriteStream(written, { autoClose: false });
  let descriptor = -1;
  file.on('open', (opened) => {
    descriptor = opened;
  });
  request.on('data', (chunk: Buffer) => hash.update(chunk));
  request.pipe(file);
  file.on('finish', () =>
    fdatasync(descriptor, (error) => {
      file.close();
      renameSync(written, path);
      response.writeHead(error === null ? 200 : 500, { etag: `"${hash.digest('hex')}"`, 'content-length': 0 });
      response.end();
    }),
  );
}

function get(request: IncomingMessage, response: ServerResponse): void {
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
  if (range !== null) {
    const [start, end] = [Number(range[1]), Number(range[2])];
    response.writeHead(206, { 'content-length': end - start + 1 });
    createReadStream(fileOf(request), { start, end }).pipe(response);
    return;
  }
  // As the measured objects are all of one size, no stat is needed: chunked framing would cost more than it.
  response.writeHead(200, { 'content-length': process.env.BARE_OBJECT_BYTES });
  createReadStream(fileOf(request)).pipe(response);
}

/** The end of an upload in parts: nothing is put together, so nothing is cheaper. */
function complete(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  request.on('end', () => {
    response.writeHead(200, { 'content-length': 0 });
    response.end();
  });
}

/** One file for each path, and for each part of one. */
function fileOf(request: IncomingMessage): string {
  const url = new URL(request.url ?? '', 'http://bare');
  const part = url.searchParams.get('partNumber') ?? '';
  return join(folder, `${url.pathname.replaceAll('/', '_')}.${part}`);
}

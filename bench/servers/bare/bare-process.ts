// The limit for our engine: node:http with what no store can leave out, and nothing else. A small body is hashed (MD5),
// appended to one file and made durable in groups; a large one, naively, hashed on the main thread as it comes and written
// to a file of its own. The index is a map in memory. No signatures, no checks of what is read, nothing to recover, no S3
// beyond put, get, head, delete, range, list and multipart as the bench sends them.

import { createHash } from 'node:crypto';
import { close, createReadStream, fdatasync, mkdirSync, openSync, read, unlink, writev } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { BareIndex, type BareObject, type Extent } from './bare-index.ts';
import { GroupLog } from './group-log.ts';

const smallBytes = 1024 * 1024;
/** While more of a large body waits for the disk, its socket is not read. */
const maxWaitingBytes = 4 * 1024 * 1024;
const readStreamBytes = 256 * 1024;

const syncFile = promisify(fdatasync);
const { values } = parseArgs({ options: { port: { type: 'string' }, directory: { type: 'string' } } });
const directory = values.directory ?? '.';
mkdirSync(directory, { recursive: true });
const log = new GroupLog(join(directory, 'log'));
const index = new BareIndex();
const uploads = new Map<string, Map<number, BareObject>>();
/** Names of the large ones' files, by descriptor. */
const largeFiles = new Map<number, string>();
let fileNumber = 0;

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    response.writeHead(500);
    response.end(String(error));
  });
});
server.keepAliveTimeout = 600_000;
server.listen(Number(values.port), '127.0.0.1');
process.on('SIGTERM', () => process.exit());

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  const path = mark === -1 ? url : url.slice(0, mark);
  const query = mark === -1 ? '' : url.slice(mark + 1);
  if (request.method === 'PUT') return put(request, response, { path, query });
  if (request.method === 'DELETE') {
    await log.append(Buffer.from(path));
    index.delete(path);
    response.writeHead(204);
    response.end();
    return;
  }
  if (request.method === 'POST') return post(request, response, { path, query });
  const object = index.get(path);
  if (object !== undefined) return sendObject(request, response, object);
  if (!query.includes('list-type=2')) {
    response.writeHead(404);
    response.end();
    return;
  }
  const text = index.list(path.endsWith('/') ? path : `${path}/`, new URLSearchParams(query));
  response.writeHead(200, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

async function put(
  request: IncomingMessage,
  response: ServerResponse,
  { path, query }: { readonly path: string; readonly query: string },
): Promise<void> {
  const sizeBytes = Number(request.headers['content-length']);
  const object = sizeBytes <= smallBytes ? await takeSmall(request) : await takeLarge(request);
  const part = /(?:^|&)partNumber=(\d+)/.exec(query)?.[1];
  if (part === undefined) replace(path, object);
  else uploads.get(uploadIdOf(query))?.set(Number(part), object);
  response.writeHead(200, { etag: `"${object.etag}"`, 'content-length': 0 });
  response.end();
}

async function takeSmall(request: IncomingMessage): Promise<BareObject> {
  const chunks: Buffer[] = [];
  await new Promise<void>((resolve, reject) => {
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', resolve);
    request.on('error', reject);
  });
  const bytes = chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks);
  const etag = createHash('md5').update(bytes).digest('hex');
  const offset = await log.append(bytes);
  const extents = [{ file: log.file, offset, sizeBytes: bytes.length }];
  return { extents, sizeBytes: bytes.length, etag };
}

async function takeLarge(request: IncomingMessage): Promise<BareObject> {
  const name = join(directory, `large-${fileNumber}`);
  fileNumber += 1;
  const file = openSync(name, 'w+');
  largeFiles.set(file, name);
  const hash = createHash('md5');
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let sizeBytes = 0;
  let ended = false;
  await new Promise<void>((resolve, reject) => {
    let writing = false;
    const flush = (): void => {
      if (writing) return;
      if (waiting.length === 0) {
        if (ended) resolve();
        return;
      }
      const pieces = waiting;
      const bytes = waitingBytes;
      waiting = [];
      waitingBytes = 0;
      writing = true;
      writev(file, pieces, (error, written) => {
        writing = false;
        if (error !== null || written !== bytes) return reject(error ?? new Error('A short write.'));
        if (request.isPaused()) request.resume();
        flush();
      });
    };
    request.on('data', (chunk: Buffer) => {
      hash.update(chunk);
      waiting.push(chunk);
      waitingBytes += chunk.length;
      sizeBytes += chunk.length;
      if (waitingBytes > maxWaitingBytes) request.pause();
      flush();
    });
    request.on('end', () => {
      ended = true;
      flush();
    });
    request.on('error', reject);
  });
  await syncFile(file);
  return { extents: [{ file, offset: 0, sizeBytes }], sizeBytes, etag: hash.digest('hex') };
}

async function post(
  request: IncomingMessage,
  response: ServerResponse,
  { path, query }: { readonly path: string; readonly query: string },
): Promise<void> {
  for await (const _ of request); // The list of parts is believed to be all of them.
  let text: string;
  const uploadId = uploadIdOf(query);
  const parts = uploads.get(uploadId);
  if (parts === undefined) {
    const id = `upload-${uploads.size}`;
    uploads.set(id, new Map());
    text = `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`;
  } else {
    const inOrder = [...parts].sort(([a], [b]) => a - b).map(([, part]) => part);
    const extents = inOrder.flatMap((part) => part.extents);
    const sizeBytes = inOrder.reduce((sum, part) => sum + part.sizeBytes, 0);
    await log.append(Buffer.from(uploadId));
    replace(path, { extents, sizeBytes, etag: `upload-${inOrder.length}` });
    text = '<CompleteMultipartUploadResult></CompleteMultipartUploadResult>';
  }
  response.writeHead(200, { 'content-type': 'application/xml', 'content-length': text.length });
  response.end(text);
}

/** Files of what was there before are removed at once: in this bench nobody reads them any more. */
function replace(path: string, object: BareObject): void {
  for (const { file } of index.get(path)?.extents ?? []) {
    const name = largeFiles.get(file);
    if (name === undefined) continue;
    largeFiles.delete(file);
    close(file, () => unlink(name, () => undefined));
  }
  index.set(path, object);
}

function sendObject(request: IncomingMessage, response: ServerResponse, object: BareObject): void {
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
  const from = range === null ? 0 : Number(range[1]);
  const sizeBytes = range === null ? object.sizeBytes : Number(range[2]) - from + 1;
  response.writeHead(range === null ? 200 : 206, { etag: `"${object.etag}"`, 'content-length': sizeBytes });
  const [extent] = object.extents;
  if (request.method === 'HEAD' || sizeBytes === 0 || extent === undefined) {
    response.end();
    return;
  }
  const piece: Extent = { file: extent.file, offset: extent.offset + from, sizeBytes };
  if (sizeBytes > smallBytes) {
    streamPiece(response, piece);
    return;
  }
  const bytes = Buffer.allocUnsafe(sizeBytes);
  read(piece.file, bytes, 0, sizeBytes, piece.offset, (error, length) => {
    if (error !== null || length !== sizeBytes) response.destroy(error ?? new Error('A short read.'));
    else response.end(bytes);
  });
}

function streamPiece(response: ServerResponse, { file, offset, sizeBytes }: Extent): void {
  const options = { fd: file, autoClose: false, start: offset, end: offset + sizeBytes - 1 };
  createReadStream('', { ...options, highWaterMark: readStreamBytes }).pipe(response);
}

function uploadIdOf(query: string): string {
  return /(?:^|&)uploadId=([^&]*)/.exec(query)?.[1] ?? '';
}

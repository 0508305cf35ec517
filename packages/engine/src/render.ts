// From a plain result, or an error, to bytes on the socket: the only place that writes answers, and the only one that
// turns errors into documents. Spec: "Common response headers" and "Error responses" of the S3 API reference.
// An error after the answer began cannot be told any more: the connection is destroyed, so that the client sees a
// truncated body and not a wrong one.

import { once } from 'node:events';
import { isS3Error, S3Error, writeErrorDocument } from '@stowage/s3';
import { isStoreError } from '@stowage/store';
import type { Exchange } from './exchange.ts';
import type { EngineLog } from './log.ts';
import type { Result, StoredBytes } from './result.ts';
import { explainRefusal } from './store-refusals.ts';

interface RenderContext {
  readonly clock: () => number;
  /** `x-amz-id-2`: names this engine. */
  readonly hostId: string;
  readonly limits: { readonly drainBytes: number; readonly lingerMs: number };
  readonly log: EngineLog | undefined;
}

/**
 * Sends a result. `headers` go with every answer of this request, errors too (CORS). What is small is handed to node at
 * once, without a promise; rejects when an object's bytes cannot be read.
 */
export function render(
  exchange: Exchange,
  context: RenderContext,
  result: Result,
  headers: readonly string[],
): Promise<void> | undefined {
  const body = result.body;
  const isHead = exchange.message.method === 'HEAD';
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) {
    const length = body === undefined ? (result.headLengthBytes ?? 0) : Buffer.byteLength(body);
    const all = [...commonHeaders(exchange, context), ...result.headers, ...headers];
    if (result.status !== 204 && result.status !== 304) all.push('content-length', String(length));
    return send(exchange, context, result.status, all, isHead ? undefined : body);
  }
  return stream(exchange, body, () => {
    const length = body.range.end - body.range.start + 1;
    const all = [...commonHeaders(exchange, context), ...result.headers, ...headers, 'content-length', String(length)];
    exchange.response.writeHead(result.status, all);
  });
}

/** Sends an error as S3 does. Whatever is neither an S3Error nor a store's refusal is logged, and answered as InternalError. */
export function renderError(
  exchange: Exchange,
  context: RenderContext,
  thrown: unknown,
  headers: readonly string[],
): Promise<void> | undefined {
  const error = asS3Error(thrown);
  exchange.errorCode = error.code;
  if (error.status >= 500 && error.code !== 'NotImplemented') {
    context.log?.error('request failed', {
      requestId: exchange.id,
      operation: exchange.operation,
      code: error.code,
      cause: describeCause(error.cause ?? thrown),
    });
  }
  if (exchange.response.headersSent || exchange.response.destroyed) {
    exchange.message.socket.destroy();
    return undefined;
  }
  const all = [...commonHeaders(exchange, context), ...headers];
  if (error.status === 304) return send(exchange, context, 304, all, undefined);
  const document = writeErrorDocument(error, {
    requestId: exchange.id,
    hostId: context.hostId,
    resource: exchange.path,
  });
  all.push('content-type', 'application/xml');
  if (error.status === 405) all.push('allow', 'GET, HEAD, PUT, POST, DELETE');
  if (exchange.message.method === 'HEAD') return send(exchange, context, error.status, all, undefined);
  all.push('content-length', String(Buffer.byteLength(document)));
  return send(exchange, context, error.status, all, document);
}

function asS3Error(thrown: unknown): S3Error {
  if (isS3Error(thrown)) return thrown;
  if (isStoreError(thrown)) return explainRefusal(thrown);
  return new S3Error('InternalError', undefined, { cause: thrown });
}

function describeCause(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}

function commonHeaders(exchange: Exchange, context: RenderContext): string[] {
  return [
    'x-amz-request-id',
    exchange.id,
    'x-amz-id-2',
    context.hostId,
    'date',
    httpDate(context.clock()),
    'server',
    'Stowage',
  ];
}

function send(
  exchange: Exchange,
  context: RenderContext,
  status: number,
  headers: string[],
  body: string | Uint8Array | undefined,
): Promise<void> | undefined {
  const { response } = exchange;
  exchange.sentBytes = body === undefined ? 0 : body.length;
  const outstanding = exchange.outstandingBytes;
  if (outstanding === 0) {
    response.writeHead(status, headers);
    response.end(body);
    return undefined;
  }
  // The client was told not to send it, or was never told to: whether it comes cannot be known, so the connection ends.
  const neverAskedFor = exchange.expectsContinue && exchange.body?.begun !== true;
  if (neverAskedFor || outstanding === undefined || outstanding > context.limits.drainBytes)
    headers.push('connection', 'close');
  response.writeHead(status, headers);
  if (neverAskedFor) {
    response.end(body);
    return undefined;
  }
  return sendWhileDropping(exchange, context.limits.lingerMs, body);
}

/**
 * Answers while a body is still on its way. Closing now would make the client's kernel throw the answer away (RST), so what
 * comes is read and dropped, and the answer ends, and with it perhaps the connection, only after that.
 */
async function sendWhileDropping(
  exchange: Exchange,
  lingerMs: number,
  body: string | Uint8Array | undefined,
): Promise<void> {
  const { message, response } = exchange;
  response.flushHeaders();
  if (body !== undefined) response.write(body);
  const timer = setTimeout(() => message.socket.destroy(), lingerMs);
  message.resume();
  if (!message.readableEnded && !message.destroyed) {
    await new Promise<void>((resolve) => {
      message.once('end', resolve);
      message.once('close', resolve);
    });
  }
  clearTimeout(timer);
  response.end();
}

async function stream(exchange: Exchange, stored: StoredBytes, begin: () => void): Promise<void> {
  const { response } = exchange;
  const chunks = stored.object.chunks(stored.range)[Symbol.asyncIterator]();
  try {
    // The first chunk is read before the head is written: what goes wrong until then can still be answered properly.
    let next = await chunks.next();
    begin();
    while (next.done !== true && !response.destroyed) {
      exchange.sentBytes += next.value.length;
      if (!response.write(next.value) && !response.destroyed) await drained(exchange);
      next = await chunks.next();
    }
    response.end();
  } finally {
    await chunks.return?.();
    stored.object.close();
  }
}

/** Resolves when the client has taken what was written, or is gone. */
async function drained(exchange: Exchange): Promise<void> {
  const over = new AbortController();
  try {
    await Promise.race([
      once(exchange.response, 'drain', { signal: over.signal }),
      once(exchange.response, 'close', { signal: over.signal }),
    ]);
  } finally {
    over.abort();
  }
}

let dateSecond = -1;
let dateText = '';

/** RFC 9110 date of a moment, made once a second. */
function httpDate(nowMs: number): string {
  const second = Math.floor(nowMs / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = new Date(second * 1000).toUTCString();
  }
  return dateText;
}

// From a plain result, or an error, to bytes on the socket: the only place that writes answers, and the only one that
// turns errors into documents. Spec: "Common response headers" and "Error responses" of the S3 API reference.
// An error after the answer began cannot be told any more: the connection is destroyed, so that the client sees a
// truncated body and not a wrong one.

import { formatHttpDate, isS3Error, S3Error, writeErrorDocument } from '@stowage/s3';
import { isStoreError } from '@stowage/store';
import type { Exchange } from './exchange.ts';
import type { EngineLog } from './log.ts';
import type { Result } from './result.ts';
import { sendStored } from './send-stored.ts';
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
  const { body, status } = result;
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) {
    // A long text is encoded once, here: asking for its length and then having node write it would go over it twice.
    const bytes = typeof body === 'string' && body.length > longTextCharacters ? Buffer.from(body) : body;
    const length = bytes === undefined ? (result.headLengthBytes ?? 0) : byteLength(bytes);
    const all = answerHeaders(exchange, context, result.headers, headers);
    if (status !== 204 && status !== 304) all.push('content-length', String(length));
    return send(exchange, context, {
      status,
      headers: all,
      body: exchange.message.method === 'HEAD' ? undefined : bytes,
    });
  }
  return sendStored(exchange, body, () => {
    const length = body.range.end - body.range.start + 1;
    const all = answerHeaders(exchange, context, result.headers, headers);
    all.push('content-length', String(length));
    exchange.response.writeHead(status, all);
  });
}

const longTextCharacters = 16 * 1024;

function byteLength(body: string | Uint8Array): number {
  return typeof body === 'string' ? Buffer.byteLength(body) : body.length;
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
  const { status } = error;
  const all = answerHeaders(exchange, context, [], headers);
  if (status === 304) return send(exchange, context, { status, headers: all, body: undefined });
  const document = writeErrorDocument(error, {
    requestId: exchange.id,
    hostId: context.hostId,
    resource: exchange.path,
  });
  all.push('content-type', 'application/xml');
  if (status === 405) all.push('allow', 'GET, HEAD, PUT, POST, DELETE');
  const isHead = exchange.message.method === 'HEAD';
  if (!isHead) all.push('content-length', String(Buffer.byteLength(document)));
  return send(exchange, context, { status, headers: all, body: isHead ? undefined : document });
}

function asS3Error(thrown: unknown): S3Error {
  if (isS3Error(thrown)) return thrown;
  if (isStoreError(thrown)) return explainRefusal(thrown);
  return new S3Error('InternalError', undefined, { cause: thrown });
}

function describeCause(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}

/** The headers that every answer has, then those of the result and those that go with every answer of this request. */
function answerHeaders(
  exchange: Exchange,
  context: RenderContext,
  ofResult: readonly string[],
  ofRequest: readonly string[],
): string[] {
  const headers = ['x-amz-request-id', exchange.id, 'x-amz-id-2', context.hostId];
  headers.push('date', formatHttpDate(context.clock()), 'server', 'Stowage', ...ofResult, ...ofRequest);
  return headers;
}

interface Answer {
  readonly status: number;
  readonly headers: string[];
  readonly body: string | Uint8Array | undefined;
}

function send(exchange: Exchange, context: RenderContext, answer: Answer): Promise<void> | undefined {
  const { response } = exchange;
  const { status, headers, body } = answer;
  exchange.sentBytes = body === undefined ? 0 : byteLength(body);
  const outstanding = exchange.outstandingBytes;
  if (outstanding === 0) {
    response.writeHead(status, headers);
    exchange.end(body);
    return undefined;
  }
  // The client was told not to send it, or was never told to: whether it comes cannot be known, so the connection ends.
  const neverAskedFor = exchange.expectsContinue && exchange.body?.begun !== true;
  if (neverAskedFor || outstanding === undefined || outstanding > context.limits.drainBytes)
    headers.push('connection', 'close');
  response.writeHead(status, headers);
  if (neverAskedFor) {
    exchange.end(body);
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

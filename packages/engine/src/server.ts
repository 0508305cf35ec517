// The HTTP server: connections, their limits and their end. It hands every request to the pipeline as an Exchange, sweeps
// for clients that have stopped moving, answers what node's parser refuses, and closes without cutting running requests.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { S3Error, type S3ErrorCode, writeErrorDocument } from '@stowage/s3';
import { AnswerTurn } from './answer-turn.ts';
import type { EngineContext } from './engine-context.ts';
import { Exchange } from './exchange.ts';
import { answer } from './pipeline.ts';
import { RunningExchanges } from './running-exchanges.ts';
import { answerService, isServicePath } from './service-pages.ts';

interface ServerOptions {
  readonly engine: EngineContext;
  readonly nextRequestId: () => string;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
}

export class S3Server {
  readonly #engine: EngineContext;
  readonly #nextRequestId: () => string;
  readonly #server: Server;
  readonly #scheme: 'http' | 'https';
  readonly #exchanges = new RunningExchanges();
  readonly #turn = new AnswerTurn();
  #connections = 0;
  /** Connections on which nothing is under way and the last request, if any, was not signed: the longest unused one first. */
  readonly #strangers = new Set<Duplex>();
  #sweeper: NodeJS.Timeout | undefined;
  #closing = false;

  constructor(options: ServerOptions) {
    const { engine, tls } = options;
    const { limits } = engine;
    this.#engine = engine;
    this.#nextRequestId = options.nextRequestId;
    this.#scheme = tls === undefined ? 'http' : 'https';
    const settings = {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersTimeoutMs,
      // Of the body, only standing still and trickling count (see sweep): a large upload may take hours.
      requestTimeout: 0,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: Math.max(50, Math.min(5_000, limits.headersTimeoutMs / 4)),
      // Checked in s3-request.ts, with an S3 error.
      requireHostHeader: false,
      noDelay: true,
    };
    this.#server = tls === undefined ? createServer(settings) : createSecureServer({ ...settings, ...tls });
    this.#server.maxConnections = limits.connections;
    // node drops headers beyond its count silently; ours are counted and refused, and their size is bounded.
    this.#server.maxHeadersCount = 0;
    this.#server.on('request', (message, response) => this.#begin(message, response, false));
    this.#server.on('checkContinue', (message, response) => this.#begin(message, response, true));
    // An Expect header that says anything else is ignored, as S3 does.
    this.#server.on('checkExpectation', (message, response) => this.#begin(message, response, false));
    this.#server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Duplex) => this.#admit(socket));
    this.#server.on('clientError', (error, socket) => this.#refuse(error, socket as Socket)); // node gives a net.Socket
  }

  /** `reusePort`: others may listen there too, and the system deals out connections among them. */
  async listen(host: string, port: number, reusePort = false): Promise<AddressInfo> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ port, host, reusePort, backlog: this.#engine.limits.connectionBacklog }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    const { bodyIdleTimeoutMs, bodyRateWindowMs, answerIdleTimeoutMs, answerRateWindowMs } = this.#engine.limits;
    const shortestMs = Math.min(bodyIdleTimeoutMs, bodyRateWindowMs, answerIdleTimeoutMs, answerRateWindowMs);
    const everyMs = Math.max(20, Math.min(5_000, shortestMs / 4));
    this.#sweeper = setInterval(() => this.#sweep(), everyMs);
    this.#sweeper.unref();
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('The server has no TCP address.');
    return address;
  }

  get runningRequests(): number {
    return this.#exchanges.size;
  }

  /** Takes no new connections, lets running requests finish for `closeGraceMs`, then cuts what is left. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    // A connection whose request is still running must not wait for the next one: its answer says `connection: close`.
    this.#exchanges.forEach(({ response }) => {
      if (!response.headersSent) response.shouldKeepAlive = false;
    });
    const grace = setTimeout(() => this.#server.closeAllConnections(), this.#engine.limits.closeGraceMs);
    await closed;
    clearTimeout(grace);
    clearInterval(this.#sweeper);
  }

  /** Nobody who signs is kept out by those who only hold connections open. */
  #admit(socket: Duplex): void {
    this.#connections += 1;
    this.#strangers.add(socket);
    socket.once('close', () => {
      this.#connections -= 1;
      this.#strangers.delete(socket);
    });
    // One below the limit: at the limit node drops the next one before anybody is asked.
    if (this.#connections < this.#engine.limits.connections) return;
    const [oldest] = this.#strangers;
    if (oldest !== undefined && oldest !== socket) oldest.destroy();
  }

  #begin(message: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    const exchange = new Exchange({
      message,
      response,
      id: this.#nextRequestId(),
      expectsContinue,
      startedAt: performance.now(),
      origin: `${this.#scheme}://${message.headers.host ?? ''}`,
      turn: this.#turn,
    });
    this.#exchanges.add(exchange);
    this.#strangers.delete(message.socket);
    response.sendDate = false;
    response.on('close', () => this.#end(exchange));
    if (this.#closing) response.shouldKeepAlive = false;
    try {
      const work = isServicePath(message.url)
        ? answerService(exchange, this.#engine, this.runningRequests)
        : answer(exchange, this.#engine);
      work?.catch((cause: unknown) => this.#giveUp(exchange, cause));
    } catch (cause) {
      this.#giveUp(exchange, cause);
    }
  }

  /** Not even an error could be answered. */
  #giveUp(exchange: Exchange, cause: unknown): void {
    this.#engine.log?.error('answering failed', { requestId: exchange.id, cause: String(cause) });
    exchange.message.socket.destroy();
  }

  #end(exchange: Exchange): void {
    this.#exchanges.delete(exchange);
    // An answer that had begun before could not say so: its connection is idle in a moment.
    if (this.#closing) setImmediate(() => this.#server.closeIdleConnections());
    const { message, response } = exchange;
    if (exchange.account === '' && !message.socket.destroyed) this.#strangers.add(message.socket);
    const durationMs = performance.now() - exchange.startedAt;
    const receivedBytes = exchange.body?.receivedBytes ?? 0;
    const { operation, sentBytes } = exchange;
    // 499: the client went before it had an answer; S3 has no status for it, nginx's is widely known.
    const status = response.headersSent ? response.statusCode : 499;
    this.#engine.metrics.record({ operation, status, durationMs, receivedBytes, sentBytes });
    const { log } = this.#engine;
    if (log === undefined || (log.requests === 'failed' && status < 500)) return;
    log.info('request', {
      requestId: exchange.id,
      operation,
      method: message.method,
      path: exchange.path,
      status,
      code: exchange.errorCode === '' ? undefined : exchange.errorCode,
      account: exchange.account === '' ? undefined : exchange.account,
      receivedBytes,
      sentBytes,
      durationMs: Math.round(durationMs * 100) / 100,
      remoteAddress: message.socket.remoteAddress,
    });
  }

  /** Gives up on clients that send nothing of a body being read, or too little, or take nothing of an answer being sent. */
  #sweep(): void {
    const now = performance.now();
    const { bodyIdleTimeoutMs, bodyMinBytesPerSecond, bodyRateWindowMs, answerIdleTimeoutMs } = this.#engine.limits;
    const { answerMinBytesPerSecond, answerRateWindowMs } = this.#engine.limits;
    const rate = { minBytesPerSecond: bodyMinBytesPerSecond, windowMs: bodyRateWindowMs };
    const answerRate = { minBytesPerSecond: answerMinBytesPerSecond, windowMs: answerRateWindowMs };
    this.#exchanges.forEach((exchange) => {
      const idleMs = exchange.idleMs(now);
      if (exchange.body?.reading === true && idleMs >= bodyIdleTimeoutMs) {
        exchange.body.fail(new S3Error('RequestTimeout'));
      } else if (exchange.body?.fallsBehind(now, rate) === true) {
        exchange.body.fail(tooSlow(bodyMinBytesPerSecond));
      } else if (exchange.takesTooLittle(now, answerRate) || (exchange.writing && idleMs >= answerIdleTimeoutMs)) {
        exchange.message.socket.destroy();
      }
    });
  }

  /** Answers what node's parser would not take: there is no request, so there is no pipeline. */
  #refuse(error: NodeJS.ErrnoException, socket: Socket): void {
    const exchange = this.#exchanges.find((candidate) => candidate.message.socket === socket);
    if (error.code === 'ECONNRESET' || !socket.writable || exchange?.response.headersSent === true) {
      socket.destroy();
      return;
    }
    const { code, message } = describeParserError(error, exchange);
    const refusal = new S3Error(code, message);
    const requestId = exchange?.id ?? this.#nextRequestId();
    const document = writeErrorDocument(refusal, { requestId, hostId: this.#engine.hostId });
    this.#engine.metrics.record({
      operation: 'none',
      status: refusal.status,
      durationMs: 0,
      receivedBytes: 0,
      sentBytes: 0,
    });
    // A client that stops within a body, as a paused upload does, has done nothing wrong.
    const level = code === 'IncompleteBody' ? 'debug' : 'warn';
    this.#engine.log?.[level]?.('request refused', { requestId, code, cause: error.code ?? error.message });
    socket.end(
      `HTTP/1.1 ${refusal.status} Bad Request\r\nconnection: close\r\ncontent-type: application/xml\r\n` +
        `x-amz-request-id: ${requestId}\r\ndate: ${new Date(this.#engine.clock()).toUTCString()}\r\nserver: Stowage\r\n` +
        `content-length: ${Buffer.byteLength(document)}\r\n\r\n${document}`,
    );
    // What the client still sends is not read; give the answer a moment to arrive before the reset.
    const timer = setTimeout(() => socket.destroy(), this.#engine.limits.lingerMs);
    socket.once('close', () => clearTimeout(timer));
    socket.resume();
  }
}

function tooSlow(minBytesPerSecond: number): S3Error {
  return new S3Error(
    'RequestTimeout',
    `The body came at less than ${minBytesPerSecond} bytes a second; send it faster.`,
  );
}

function describeParserError(
  error: NodeJS.ErrnoException,
  exchange: Exchange | undefined,
): { readonly code: S3ErrorCode; readonly message: string | undefined } {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return { code: 'RequestHeaderSectionTooLarge', message: undefined };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { code: 'RequestTimeout', message: undefined };
    case 'HPE_INVALID_EOF_STATE':
      return exchange === undefined
        ? { code: 'BadRequest', message: 'The request ended before its headers did.' }
        : { code: 'IncompleteBody', message: undefined };
    default:
      return { code: 'BadRequest', message: `The request is not valid HTTP (${error.code ?? 'unknown'}).` };
  }
}

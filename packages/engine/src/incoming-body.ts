// A request's body, pushed to whoever takes it: decoded when it is aws-chunked, held back while the taker is busy.
// Uses the message's own 'data' events, because an async iterator costs several promises even for a body of one chunk.
// It knows lengths and framing; digests are compared by whoever took the bytes (stored-body.ts, document-body.ts).

import type { IncomingMessage } from 'node:http';
import { S3Error } from '@stowage/s3';

/** Takes a body, chunk by chunk, in order. A promise asks to wait before the next one. */
export interface BodySink {
  /** The chunk is used up when this returns or resolves: its memory goes back at once. What is kept must be copied. */
  write(chunk: Uint8Array): Promise<void> | undefined;
}

/** Undoes aws-chunked. */
export interface BodyDecoder {
  /** The payload bytes that are complete with this chunk. Throws S3Error for broken framing or a wrong signature. */
  decode(chunk: Uint8Array): readonly Uint8Array[];
  /** Call after the last chunk: throws `IncompleteBody` when more should have come. */
  end(): Trailers;
}

/** What came after an aws-chunked body, by lower-case name. */
export type Trailers = ReadonlyMap<string, string>;

/** The body as handlers see it. Exactly one of `deliver` and `collect` may be called, once. */
export interface RequestBody {
  /** Length of the decoded body where it was announced. */
  readonly sizeBytes: number | undefined;
  /** Sends all of it into `sink`. Rejects when the client goes away, is too slow, or breaks the framing. */
  deliver(sink: BodySink): Promise<Trailers>;
  /** Reads all of it into memory. @throws S3Error `MaxMessageLengthExceeded` beyond `maxBytes`. */
  collect(maxBytes: number): Promise<CollectedBody>;
}

interface CollectedBody {
  readonly bytes: Buffer;
  readonly trailers: Trailers;
}

const noTrailers: Trailers = new Map();

interface IncomingBodyOptions {
  readonly message: IncomingMessage;
  readonly decoder: BodyDecoder | undefined;
  readonly sizeBytes: number | undefined;
  /** Called before the first byte is asked for: this is when `100 Continue` is sent. */
  readonly onBegin: (() => void) | undefined;
}

export class IncomingBody implements RequestBody {
  readonly sizeBytes: number | undefined;
  /** As they came over the wire, framing included. */
  receivedBytes = 0;
  readonly #message: IncomingMessage;
  readonly #decoder: BodyDecoder | undefined;
  readonly #onBegin: (() => void) | undefined;
  #state: 'untouched' | 'reading' | 'over' = 'untouched';
  #sinkIsBusy = false;
  /** What the rate is judged by: the client's own time, without that in which the sink was busy. */
  #begunAtMs = 0;
  #heldSinceMs = 0;
  #heldMs = 0;
  #window = { beganMs: 0, receivedBytes: 0 };
  #fail: ((cause: unknown) => void) | undefined;

  constructor(options: IncomingBodyOptions) {
    this.#message = options.message;
    this.#decoder = options.decoder;
    this.sizeBytes = options.sizeBytes;
    this.#onBegin = options.onBegin;
  }

  /** Whether the client is being waited for: not while the sink is, whose slowness is not the client's. */
  get reading(): boolean {
    return this.#state === 'reading' && !this.#sinkIsBusy;
  }

  /** Whether any of it was asked for. */
  get begun(): boolean {
    return this.#state !== 'untouched';
  }

  /**
   * Whether the client sent less than it must in the last whole window of its own time. To be asked every now and then;
   * `nowMs` is of the clock of `performance.now()`.
   */
  fallsBehind(nowMs: number, rate: { readonly minBytesPerSecond: number; readonly windowMs: number }): boolean {
    if (!this.reading) return false;
    const clientMs = nowMs - this.#begunAtMs - this.#heldMs;
    const elapsedMs = clientMs - this.#window.beganMs;
    if (elapsedMs < rate.windowMs) return false;
    const windowBytes = this.receivedBytes - this.#window.receivedBytes;
    this.#window = { beganMs: clientMs, receivedBytes: this.receivedBytes };
    return windowBytes < (rate.minBytesPerSecond * elapsedMs) / 1000;
  }

  /** Gives up waiting: what was taken so far is worth nothing. */
  fail(cause: S3Error): void {
    this.#fail?.(cause);
  }

  deliver(sink: BodySink): Promise<Trailers> {
    if (this.#state !== 'untouched') throw new Error('A request body can be read only once.');
    this.#state = 'reading';
    this.#begunAtMs = performance.now();
    this.#onBegin?.();
    return new Promise((resolve, reject) => this.#read(sink, resolve, reject));
  }

  #read(sink: BodySink, resolve: (trailers: Trailers) => void, reject: (cause: unknown) => void): void {
    const message = this.#message;
    const decoder = this.#decoder;
    const stop = (): void => {
      this.#state = 'over';
      this.#fail = undefined;
      message.off('data', onData);
      message.off('end', onEnd);
      message.off('close', onClose);
    };
    const fail = (cause: unknown): void => {
      if (this.#state !== 'reading') return;
      stop();
      message.pause();
      reject(cause);
    };
    // Chunks that node handed on although the message was paused: at most what one read of the socket held.
    const held: Buffer[] = [];
    const onData = (chunk: Buffer): void => {
      this.receivedBytes += chunk.length;
      if (this.#sinkIsBusy) held.push(chunk);
      else take(chunk);
    };
    const take = (chunk: Buffer): void => {
      try {
        const wait = decoder === undefined ? sink.write(chunk) : forward(decoder.decode(chunk), 0, sink);
        if (wait === undefined) {
          release(chunk);
          return;
        }
        message.pause();
        this.#sinkIsBusy = true;
        this.#heldSinceMs = performance.now();
        wait.then(() => {
          release(chunk);
          goOn();
        }, fail);
      } catch (cause) {
        fail(cause);
      }
    };
    const goOn = (): void => {
      this.#sinkIsBusy = false;
      this.#heldMs += performance.now() - this.#heldSinceMs;
      while (this.#state === 'reading' && !this.#sinkIsBusy) {
        const chunk = held.shift();
        if (chunk !== undefined) take(chunk);
        else if (message.readableEnded) onEnd();
        else {
          message.resume();
          return;
        }
      }
    };
    const onEnd = (): void => {
      // node says 'end' though the message is paused, when nothing is left in it: the last chunk may still be on its way.
      if (this.#sinkIsBusy) return;
      try {
        const trailers = decoder === undefined ? noTrailers : decoder.end();
        stop();
        resolve(trailers);
      } catch (cause) {
        fail(cause);
      }
    };
    const onClose = (): void => {
      // After a whole body, 'close' is no news: the sink may still be busy with the end of it.
      if (!message.readableEnded) fail(new S3Error('IncompleteBody'));
    };
    this.#fail = fail;
    message.on('data', onData);
    message.on('end', onEnd);
    message.on('close', onClose);
    // The error that comes with a broken connection says no more than 'close' does, but someone must listen.
    message.on('error', onClose);
    if (message.destroyed) onClose();
  }

  async collect(maxBytes: number): Promise<CollectedBody> {
    const tooLong = (bytes: number): S3Error =>
      new S3Error(
        'MaxMessageLengthExceeded',
        `Your request was too big: ${bytes} bytes came, at most ${maxBytes} are taken.`,
        {
          details: { MaxMessageLengthBytes: String(maxBytes) },
        },
      );
    if (this.sizeBytes !== undefined && this.sizeBytes > maxBytes) throw tooLong(this.sizeBytes);
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    const trailers = await this.deliver({
      write(chunk) {
        bytes += chunk.length;
        if (bytes > maxBytes) throw tooLong(bytes);
        chunks.push(Buffer.from(chunk));
        return undefined;
      },
    });
    return { bytes: Buffer.concat(chunks, bytes), trailers };
  }
}

/** Smaller chunks are left to the collector: they are no burden. */
const minReleasedBytes = 16 * 1024;

/**
 * Gives a chunk's memory back now. Left to the collector, a stream of chunks of 64 KiB makes V8 look through everything
 * that lives after each 64 MiB, which took a third of the processor time of a large PUT (bench/large-bodies.ts).
 */
function release(chunk: Buffer): void {
  const { buffer } = chunk;
  // Only memory that is this chunk's alone.
  if (chunk.length < minReleasedBytes || buffer.byteLength !== chunk.length || !(buffer instanceof ArrayBuffer)) return;
  buffer.transfer(0);
}

/** Writes slices one after the other, waiting only where the sink asks for it. */
function forward(slices: readonly Uint8Array[], from: number, sink: BodySink): Promise<void> | undefined {
  for (let index = from; index < slices.length; index++) {
    const slice = slices[index];
    const wait = slice === undefined ? undefined : sink.write(slice);
    if (wait !== undefined) return wait.then(() => forward(slices, index + 1, sink));
  }
  return undefined;
}

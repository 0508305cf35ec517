// One keep-alive connection that sends a request, waits for the whole answer, and takes the next: HTTP/1.1 over a bare
// socket with one read buffer of its own, so that the load costs as little as it can beside the server that is measured.
// It knows what S3 servers answer: a length, chunks whose end is looked for, or no body; nothing else of HTTP.

import { connect, type Socket } from 'node:net';

/** What came back. Reused: read it before the next request. */
export interface Answer {
  status: number;
  /** Of the body, with the framing of its chunks if it came in chunks. */
  bodyBytes: number;
  /** Status line and headers; only when the request was watched, or failed. */
  head: string;
  chunked: boolean;
}

export interface Exchange {
  readonly head: Buffer;
  readonly body?: Buffer | undefined;
  /** The answer has headers alone, whatever length they say. */
  readonly headOnly: boolean;
  /** Sees every piece of the answer's body; the bytes are overwritten afterwards. A request with it is watched. */
  readonly watch?: ((piece: Buffer) => void) | undefined;
}

const headEnd = Buffer.from('\r\n\r\n');
const lastChunk = '0\r\n\r\n';
const maxHeadBytes = 64 * 1024;
const firstFailureStatus = 300;

export class Connection {
  readonly #answer: Answer = { status: 0, bodyBytes: 0, head: '', chunked: false };
  #socket: Socket | undefined;
  /** A head that has not come whole yet. */
  #partialHead: Buffer | undefined;
  #inBody = false;
  #expectedBytes = 0;
  #tail = '';
  #exchange: Exchange | undefined;
  #settle: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;

  static async open(options: { host: string; port: number; readBufferBytes: number }): Promise<Connection> {
    const connection = new Connection();
    const buffer = Buffer.allocUnsafeSlow(options.readBufferBytes);
    await new Promise<void>((resolve, reject) => {
      const socket = connect({
        host: options.host,
        port: options.port,
        noDelay: true,
        onread: {
          buffer,
          callback: (length) => {
            connection.#take(buffer.subarray(0, length));
            return true;
          },
        },
      });
      connection.#socket = socket;
      socket.once('connect', resolve);
      socket.on('error', (error) => {
        reject(error);
        connection.#fail(error);
      });
      socket.on('close', () => connection.#fail(new Error('The server closed the connection.')));
    });
    return connection;
  }

  /** The body is not copied. Rejects when the connection breaks, never because of a status. */
  async send(exchange: Exchange): Promise<Answer> {
    const socket = this.#socket;
    if (socket === undefined || socket.destroyed) throw new Error('The server closed the connection.');
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#exchange = exchange;
      if (exchange.body === undefined) {
        socket.write(exchange.head);
        return;
      }
      socket.cork();
      socket.write(exchange.head);
      socket.write(exchange.body);
      socket.uncork();
    });
  }

  close(): void {
    this.#settle = undefined;
    this.#socket?.destroy();
  }

  #take(chunk: Buffer): void {
    if (this.#inBody) {
      this.#takeBody(chunk);
      return;
    }
    const head = this.#partialHead === undefined ? chunk : Buffer.concat([this.#partialHead, chunk]);
    const end = head.indexOf(headEnd);
    if (end === -1) {
      this.#partialHead = Buffer.from(head);
      if (head.length > maxHeadBytes) this.#fail(new Error('The head of an answer is too long.'));
      return;
    }
    this.#partialHead = undefined;
    const text = head.toString('latin1', 0, end);
    const answer = this.#answer;
    answer.status = Number(text.slice(9, 12));
    answer.bodyBytes = 0;
    const shown = this.#exchange?.watch !== undefined || answer.status >= firstFailureStatus;
    answer.head = shown ? text : '';
    this.#tail = '';
    const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
    const bodiless = this.#exchange?.headOnly === true || answer.status === 204 || answer.status === 304;
    answer.chunked = length === undefined && !bodiless;
    this.#expectedBytes = bodiless ? 0 : Number(length ?? Number.POSITIVE_INFINITY);
    this.#inBody = true;
    this.#takeBody(head.subarray(end + headEnd.length));
  }

  #takeBody(piece: Buffer): void {
    const answer = this.#answer;
    answer.bodyBytes += piece.length;
    this.#exchange?.watch?.(piece);
    if (answer.status >= firstFailureStatus) answer.head += piece.toString('latin1', 0, 500);
    if (answer.chunked) {
      this.#tail = (this.#tail + piece.toString('latin1', Math.max(0, piece.length - lastChunk.length))).slice(
        -lastChunk.length,
      );
      if (this.#tail !== lastChunk) return;
    } else if (answer.bodyBytes < this.#expectedBytes) return;
    this.#inBody = false;
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.resolve(answer);
  }

  #fail(error: Error): void {
    const settle = this.#settle;
    this.#settle = undefined;
    this.#socket?.destroy();
    settle?.reject(error);
  }
}

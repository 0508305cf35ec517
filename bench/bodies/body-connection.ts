// One keep-alive connection over a bare socket that sends a request, waits for the whole answer and counts its bytes.

import { connect, type Socket } from 'node:net';

interface BodyAnswer {
  readonly status: number;
  readonly bodyBytes: number;
  /** The first bytes of it, as text: what a document or an error says. */
  readonly start: string;
}

const headEnd = '\r\n\r\n';
const shownBytes = 500;

export class BodyConnection {
  readonly #socket: Socket;
  #head = '';
  #status = 0;
  #expectedBytes = -1;
  #receivedBytes = 0;
  #start = '';
  #waiting: PromiseWithResolvers<BodyAnswer> | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', (error) => this.#waiting?.reject(error));
    socket.on('close', () => this.#waiting?.reject(new Error('The server closed the connection.')));
  }

  static async open(host: string, port: number): Promise<BodyConnection> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const socket = connect({ host, port, noDelay: true }, resolve);
    socket.once('error', reject);
    await promise;
    socket.off('error', reject);
    return new BodyConnection(socket);
  }

  request(head: string, body: Uint8Array | undefined): Promise<BodyAnswer> {
    this.#waiting = Promise.withResolvers();
    this.#socket.cork();
    this.#socket.write(head, 'latin1');
    if (body !== undefined) this.#socket.write(body);
    this.#socket.uncork();
    return this.#waiting.promise;
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    let piece = chunk;
    if (this.#expectedBytes === -1) {
      const text = this.#head + chunk.toString('latin1', 0, 16 * 1024);
      const end = text.indexOf(headEnd);
      if (end === -1) {
        this.#head = text;
        return;
      }
      this.#status = Number(text.slice(9, 12));
      this.#expectedBytes = Number(/\r\ncontent-length: *(\d+)/i.exec(text)?.[1] ?? 0);
      piece = chunk.subarray(end + headEnd.length - this.#head.length);
      this.#head = '';
    }
    if (this.#start.length < shownBytes) this.#start += piece.toString('latin1', 0, shownBytes);
    this.#receivedBytes += piece.length;
    if (this.#receivedBytes < this.#expectedBytes) return;
    const answer = { status: this.#status, bodyBytes: this.#receivedBytes, start: this.#start };
    this.#expectedBytes = -1;
    this.#receivedBytes = 0;
    this.#start = '';
    this.#waiting?.resolve(answer);
  }
}

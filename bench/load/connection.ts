// One keep-alive connection that sends a request, waits for the whole answer, and sends the next: HTTP/1.1 over a bare
// socket, so that the load costs as little as it can beside the server that is measured. It knows what S3 servers answer
// to a GET and a PUT: a length, or chunks whose end is looked for; nothing else.

import { connect, type Socket } from 'node:net';

interface Answer {
  readonly status: number;
  readonly bodyBytes: number;
  /** The first bytes of it, as text: what an error says. */
  readonly start: string;
}

const headEnd = Buffer.from('\r\n\r\n');
const lastChunk = Buffer.from('0\r\n\r\n');
const maxHeadBytes = 64 * 1024;
const shownBytes = 300;

export class Connection {
  readonly #socket: Socket;
  #head: Buffer = Buffer.alloc(0);
  #answer: { status: number; lengthBytes: number | undefined; receivedBytes: number; start: string } | undefined;
  #settle: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', (error) => this.#settle?.reject(error));
    socket.on('close', () => this.#settle?.reject(new Error('The server closed the connection.')));
  }

  static async open(host: string, port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true }, () => {
        socket.off('error', reject);
        resolve(new Connection(socket));
      });
      socket.once('error', reject);
    });
  }

  /** Sends one request; the body is not copied. */
  async request(head: string, body: Uint8Array | undefined): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      if (this.#socket.destroyed) return reject(new Error('The server closed the connection between two requests.'));
      if (body === undefined) {
        this.#socket.write(head, 'latin1');
        return;
      }
      this.#socket.cork();
      this.#socket.write(head, 'latin1');
      this.#socket.write(body);
      this.#socket.uncork();
    });
  }

  close(): void {
    this.#settle = undefined;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    let rest = chunk;
    if (this.#answer === undefined) {
      const head = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk]);
      const end = head.indexOf(headEnd);
      if (end === -1) {
        this.#head = head;
        if (head.length > maxHeadBytes) this.#fail('The head of an answer is too long.');
        return;
      }
      this.#head = Buffer.alloc(0);
      const text = head.toString('latin1', 0, end);

      const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
      const status = Number(text.slice(9, 12));
      this.#answer = {
        status,
        lengthBytes: length === undefined ? undefined : Number(length),
        receivedBytes: 0,
        start: '',
      };
      rest = head.subarray(end + headEnd.length);
      if (status === 204) this.#answer.lengthBytes = 0;
    }
    const answer = this.#answer;
    if (answer.start.length < shownBytes) answer.start += rest.toString('latin1', 0, shownBytes);
    answer.receivedBytes += rest.length;
    const complete =
      answer.lengthBytes === undefined
        ? rest.subarray(-lastChunk.length).equals(lastChunk)
        : answer.receivedBytes >= answer.lengthBytes;
    if (!complete) return;
    const settle = this.#settle;
    this.#answer = undefined;
    this.#settle = undefined;
    settle?.resolve({ status: answer.status, bodyBytes: answer.receivedBytes, start: answer.start });
  }

  #fail(message: string): void {
    this.#settle?.reject(new Error(message));
    this.#socket.destroy();
  }
}

// Speaks HTTP over a bare socket, so that a test can send what no HTTP library would: half requests, wrong lengths, bytes
// that are no text. Everything that comes back until the server closes, or until it has answered once, is kept.

import { connect, type Socket } from 'node:net';
import type { Engine } from '@stowage/engine';
import { presignUrl, SigningKeys, signRequest } from '@stowage/s3';

interface RawAnswer {
  readonly status: number;
  readonly code: string;
  readonly text: string;
  /** The server closed the connection. */
  readonly closed: boolean;
}

export class RawClient {
  readonly socket: Socket;
  #received = '';
  #closed = false;
  #wake: (() => void) | undefined;

  constructor(engine: Engine) {
    this.socket = connect(Number(new URL(engine.endpoint).port), '127.0.0.1');
    this.socket.setNoDelay(true);
    this.socket.on('data', (chunk) => {
      this.#received += chunk.toString('latin1');
      this.#wake?.();
    });
    this.socket.on('close', () => {
      this.#closed = true;
      this.#wake?.();
    });
    // A reset is one way for the server to close.
    this.socket.on('error', () => this.#wake?.());
  }

  send(bytes: string | Uint8Array): this {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    return this;
  }

  /** The next whole answer, or what there is when the server closes. */
  async answer(options: { readonly untilClosed?: boolean } = {}): Promise<RawAnswer> {
    while (!this.#closed && (options.untilClosed === true || this.#end() === undefined)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const end = this.#end() ?? this.#received.length;
    const text = this.#received.slice(0, end);
    this.#received = this.#received.slice(end);
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
    return { status, code: /<Code>([^<]*)/.exec(text)?.[1] ?? '', text, closed: this.#closed };
  }

  close(): void {
    this.socket.destroy();
  }

  /** Where the first whole answer ends. */
  #end(): number | undefined {
    const head = this.#received.indexOf('\r\n\r\n');
    if (head === -1) return undefined;
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(this.#received.slice(0, head))?.[1] ?? 0);
    return this.#received.length >= head + 4 + length ? head + 4 + length : undefined;
  }
}

const signingKeys = new SigningKeys();

/** The request target of a presigned URL. */
export function presignedTarget(engine: Engine, method: string, path: string): string {
  const url = presignUrl({ ...signing(engine), method, path, expiresSeconds: 600 });
  return url.slice(engine.endpoint.length);
}

/** The head of a signed request, without its last empty line. */
export function signedHead(
  engine: Engine,
  method: string,
  path: string,
  options: {
    readonly headers?: Readonly<Record<string, string>>;
    readonly query?: readonly (readonly [string, string])[];
    readonly payload?: string;
  } = {},
): string {
  const signed = signRequest({ ...signing(engine), method, path, ...options });
  const target = signed.url.slice(engine.endpoint.length);
  const headers = Object.entries({ ...options.headers, ...signed.headers });
  return `${method} ${target} HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}`;
}

function signing(engine: Engine): {
  readonly endpoint: string;
  readonly credentials: Engine['credentials'];
  readonly region: string;
  readonly nowMs: number;
  readonly signingKeys: SigningKeys;
} {
  const { endpoint, credentials, region } = engine;
  return { endpoint, credentials, region, nowMs: Date.now(), signingKeys };
}

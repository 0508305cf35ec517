// Large bodies over a few connections, from this process: puts, gets, random ranges and whole uploads in parts. Everything
// is signed by URL before the clock starts, except where a client signs headers (aws-chunked).

import { encodeChunks, presignUrl, type RequestQuery, SigningKeys, signRequest } from '@stowage/s3';
import { BodyConnection } from './body-connection.ts';
import type { BodyServer } from './body-server.ts';

/** What was moved in a time; `extraMs` is whatever else a load measures of itself. */
export interface BodyLoadResult {
  readonly requests: number;
  readonly bytes: number;
  readonly elapsedMs: number;
  readonly extraMs: readonly number[];
}

export class BodyClient {
  readonly #server: BodyServer;
  readonly #url: URL;
  readonly #signingKeys = new SigningKeys();

  constructor(server: BodyServer) {
    this.#server = server;
    this.#url = new URL(server.endpoint);
  }

  /** Runs `lane` on so many connections at once, each over and over until the time is up. */
  async run(
    connections: number,
    durationMs: number,
    lane: (connection: BodyConnection, round: number, extraMs: number[]) => Promise<number>,
  ): Promise<BodyLoadResult> {
    const opened = await this.open(connections);
    const extraMs: number[] = [];
    let requests = 0;
    let bytes = 0;
    const startedAt = performance.now();
    const endsAt = startedAt + durationMs;
    try {
      await Promise.all(
        opened.map(async (connection, first) => {
          for (let round = first; performance.now() < endsAt; round += connections) {
            const moved = await lane(connection, round, extraMs);
            bytes += moved; // not `+= await`, which would take the sum before waiting
            requests += 1;
          }
        }),
      );
    } finally {
      for (const connection of opened) connection.close();
    }
    return { requests, bytes, elapsedMs: performance.now() - startedAt, extraMs };
  }

  async open(connections: number): Promise<BodyConnection[]> {
    const { hostname, port } = this.#url;
    return Promise.all(Array.from({ length: connections }, () => BodyConnection.open(hostname, Number(port))));
  }

  /** The head of a request whose URL carries the signature. */
  head(
    method: string,
    key: string,
    options: { query?: RequestQuery; lengthBytes?: number; range?: string } = {},
  ): string {
    const url = presignUrl({ ...this.#signing(method, key), query: options.query ?? [], expiresSeconds: 6 * 3600 });
    const length = options.lengthBytes === undefined ? '' : `Content-Length: ${options.lengthBytes}\r\n`;
    const range = options.range === undefined ? '' : `Range: ${options.range}\r\n`;
    return `${method} ${url.slice(this.#url.origin.length)} HTTP/1.1\r\nHost: ${this.#url.host}\r\n${length}${range}\r\n`;
  }

  /** Head and body of a PUT as the SDKs send it by default: aws-chunked, with a CRC32 in the trailer. */
  chunkedPut(key: string, body: Buffer, crc32: string): { readonly head: string; readonly body: Buffer } {
    const trailers = [['x-amz-checksum-crc32', crc32]] as const;
    const encoded = encodeChunks(body, { mode: 'unsigned-trailer', trailers });
    const { headers } = signRequest({
      ...this.#signing('PUT', key),
      payload: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      headers: {
        'content-encoding': 'aws-chunked',
        'x-amz-decoded-content-length': String(body.length),
        'x-amz-trailer': 'x-amz-checksum-crc32',
      },
    });
    const lines = Object.entries({ ...headers, 'content-length': String(encoded.length) });
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    return { head: `PUT /${this.#server.bucket}/${key} HTTP/1.1\r\n${head}\r\n`, body: encoded };
  }

  #signing(method: string, key: string): Parameters<typeof signRequest>[0] {
    return {
      method,
      endpoint: this.#server.endpoint,
      path: `/${this.#server.bucket}/${key}`,
      credentials: this.#server.credentials,
      region: 'us-east-1',
      nowMs: Date.now(),
      signingKeys: this.#signingKeys,
    };
  }
}

/** Sends a request and wants this status. */
export async function demand(
  connection: BodyConnection,
  head: string,
  body: Uint8Array | undefined,
  wanted: { readonly status: number; readonly bodyBytes?: number },
): Promise<string> {
  const answer = await connection.request(head, body);
  const right = answer.status === wanted.status && (wanted.bodyBytes ?? answer.bodyBytes) === answer.bodyBytes;
  if (!right) throw new Error(`${head.split('?')[0]}: ${answer.status}, ${answer.bodyBytes} bytes: ${answer.start}`);
  return answer.start;
}

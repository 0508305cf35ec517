// Multipart uploads as a client makes them: create, the parts over all connections at once, complete. Addresses are signed
// while the upload runs, because they hold its id.

import { presignUrl, SigningKeys } from '@stowage/s3';
import type { Connection, Exchange } from './connection.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import type { MultipartPlan } from './load-plan.ts';
import { Payloads } from './payloads.ts';
import { openConnections, type PreparedLoad, requestHead } from './run-requests.ts';

const expiresSeconds = 6 * 3600;

interface Part {
  readonly number: number;
  readonly etag: string;
}

/** As `prepareRequests`, for whole uploads: at least one, and as many as begin within the plan's time. */
export async function prepareMultipart(plan: MultipartPlan): Promise<PreparedLoad> {
  const payloads = new Payloads(plan.payloadBytes);
  const connections = await openConnections(plan);
  const [first] = connections;
  if (first === undefined) throw new Error('A multipart load needs a connection.');
  const client = new UploadClient(plan);
  return async (start) => {
    const latencies = new LatencyHistogram();
    const completeMs: number[] = [];
    let operations = 0;
    let bytes = 0;
    start();
    const startedAt = performance.now();
    try {
      do {
        const beganAt = performance.now();
        const created = await client.send(first, { method: 'POST', query: [['uploads', '']] });
        const uploadId = /<UploadId>([^<]+)<\/UploadId>/.exec(created.text)?.[1];
        if (uploadId === undefined) throw new Error(`No UploadId: ${created.text}`);
        const parts = await client.putParts({ uploadId, connections, payloads });
        const completedAt = performance.now();
        await client.complete(first, { uploadId, parts });
        completeMs.push(performance.now() - completedAt);
        latencies.add(performance.now() - beganAt);
        operations += 1;
        bytes += plan.partCount * plan.payloadBytes;
      } while (performance.now() - startedAt < plan.durationMs);
    } finally {
      for (const connection of connections) connection.close();
    }
    const elapsedMs = performance.now() - startedAt;
    return {
      ...{ operations, failures: 0, firstFailure: '', elapsedMs, bytes, completeMs },
      counted: { answers: 0, items: 0 },
      latencies: latencies.counts(),
    };
  };
}

interface UploadRequest {
  readonly method: 'POST' | 'PUT';
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly body?: Buffer;
}

class UploadClient {
  readonly #plan: MultipartPlan;
  readonly #signingKeys = new SigningKeys();

  constructor(plan: MultipartPlan) {
    this.#plan = plan;
  }

  /** Rejects on any status but 200. */
  async send(connection: Connection, { method, query, body }: UploadRequest): Promise<{ text: string; head: string }> {
    const plan = this.#plan;
    const url = presignUrl({
      method,
      endpoint: plan.endpoint,
      path: plan.path,
      query,
      credentials: plan.credentials,
      region: 'us-east-1',
      nowMs: Date.now(),
      expiresSeconds,
      signingKeys: this.#signingKeys,
    });
    const pieces: Buffer[] = [];
    const target = url.slice(plan.endpoint.length);
    const exchange: Exchange = {
      head: requestHead(plan, { method, target, bodyBytes: body?.length ?? 0 }),
      body,
      headOnly: false,
      watch: (piece) => pieces.push(Buffer.from(piece)),
    };
    const { status, head } = await connection.send(exchange);
    const text = Buffer.concat(pieces).toString('utf8');
    if (status !== 200) throw new Error(`${method} ?${query.join('&')}: status ${status}: ${text}`);
    return { text, head };
  }

  async putParts(upload: {
    readonly uploadId: string;
    readonly connections: readonly Connection[];
    readonly payloads: Payloads;
  }): Promise<Part[]> {
    const parts: Part[] = [];
    let next = 1;
    const lane = async (connection: Connection): Promise<void> => {
      while (next <= this.#plan.partCount) {
        const number = next;
        next += 1;
        const query = [
          ['partNumber', String(number)],
          ['uploadId', upload.uploadId],
        ] as const;
        const body = upload.payloads.bytes(upload.payloads.whole(number));
        const { head } = await this.send(connection, { method: 'PUT', query, body });
        const etag = /\r\netag: *"?([^"\r\n]*)/i.exec(head)?.[1] ?? '';
        if (etag !== upload.payloads.etag(number)) throw new Error(`Part ${number} has ETag ${etag}.`);
        parts.push({ number, etag });
      }
    };
    await Promise.all(upload.connections.map(lane));
    return parts.sort((a, b) => a.number - b.number);
  }

  async complete(
    connection: Connection,
    upload: { readonly uploadId: string; readonly parts: readonly Part[] },
  ): Promise<void> {
    const listed = upload.parts.map(
      ({ number, etag }) => `<Part><PartNumber>${number}</PartNumber><ETag>"${etag}"</ETag></Part>`,
    );
    const body = Buffer.from(`<CompleteMultipartUpload>${listed.join('')}</CompleteMultipartUpload>`);
    const { text } = await this.send(connection, { method: 'POST', query: [['uploadId', upload.uploadId]], body });
    if (!text.includes('<CompleteMultipartUploadResult')) throw new Error(`The upload was not completed: ${text}`);
  }
}

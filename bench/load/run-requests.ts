// Sends the requests of a plan over its connections and judges the answers: status and length of every one, and of a
// sample ETag and bytes too, so that a fast wrong server is noticed.

import { type Answer, Connection, type Exchange } from './connection.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import type { LoadResult, PlannedRequest, RequestsPlan } from './load-plan.ts';
import { Payloads } from './payloads.ts';

const maxFailures = 100;
const sampleEvery = 16;
/** Bodies up to this length are joined to their heads ahead of time: one write for each request. */
const joinedBytes = 8 * 1024;
const smallReadBytes = 64 * 1024;
const largeReadBytes = 1024 * 1024;

interface Prepared {
  readonly request: PlannedRequest;
  readonly exchange: Exchange;
}

export type PreparedLoad = (start: () => void) => Promise<Omit<LoadResult, 'loadCpuSeconds'>>;

/** Connects and prepares; the load begins when what is returned is called. */
export async function prepareRequests(plan: RequestsPlan): Promise<PreparedLoad> {
  const payloads = new Payloads(plan.payloadBytes);
  const prepared = plan.requests.map((request) => prepare(plan, payloads, request));
  const connections = await openConnections(plan);
  return async (start) => {
    const latencies = new LatencyHistogram();
    let next = 0;
    let operations = 0;
    let failures = 0;
    let bytes = 0;
    let firstFailure = '';
    const counted = { answers: 0, items: 0 };
    start();
    const startedAt = performance.now();
    const endsAt = startedAt + plan.durationMs;
    const lane = async (connection: Connection): Promise<void> => {
      while (failures < maxFailures) {
        const number = next;
        next += 1;
        const chosen = prepared[plan.repeat ? number % prepared.length : number];
        const sentAt = performance.now();
        if (chosen === undefined || sentAt >= endsAt) return;
        const { request, exchange } = chosen;
        const sample = number % sampleEvery === 0 ? new Sample(request, payloads) : undefined;
        const answer = await connection.send(sample === undefined ? exchange : { ...exchange, watch: sample.watch });
        latencies.add(performance.now() - sentAt);
        operations += 1;
        bytes += (request.sends === undefined ? 0 : plan.payloadBytes) + (request.sizeBytes ?? 0);
        const wrong = faultOf(request, answer) ?? sample?.fault(answer);
        if (sample !== undefined && request.contains !== undefined) {
          counted.answers += 1;
          counted.items += sample.items();
        }
        if (wrong === undefined) continue;
        failures += 1;
        if (firstFailure === '') firstFailure = `${request.method} ${request.target.split('?')[0]}: ${wrong}`;
      }
    };
    try {
      await Promise.all(connections.map(lane));
    } finally {
      for (const connection of connections) connection.close();
    }
    const elapsedMs = performance.now() - startedAt;
    return {
      ...{ operations, failures, firstFailure, elapsedMs, bytes, counted },
      latencies: latencies.counts(),
      completeMs: [],
    };
  };
}

export async function openConnections(plan: {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  readonly payloadBytes: number;
}): Promise<Connection[]> {
  const readBufferBytes = plan.payloadBytes > joinedBytes ? largeReadBytes : smallReadBytes;
  const { host, port } = plan;
  return Promise.all(Array.from({ length: plan.connections }, () => Connection.open({ host, port, readBufferBytes })));
}

/** The first lines of a request. */
export function requestHead(
  plan: { readonly host: string; readonly port: number },
  request: { readonly method: string; readonly target: string; readonly range?: string; readonly bodyBytes?: number },
): Buffer {
  const lines = [`${request.method} ${request.target} HTTP/1.1`, `Host: ${plan.host}:${plan.port}`];
  if (request.range !== undefined) lines.push(`Range: ${request.range}`);
  if (request.bodyBytes !== undefined) lines.push(`Content-Length: ${request.bodyBytes}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

function prepare(plan: RequestsPlan, payloads: Payloads, request: PlannedRequest): Prepared {
  const body = request.sends === undefined ? undefined : payloads.bytes(request.sends);
  const head = requestHead(plan, { ...request, ...(body === undefined ? {} : { bodyBytes: body.length }) });
  const headOnly = request.method === 'HEAD';
  if (body === undefined || body.length > joinedBytes) return { request, exchange: { head, body, headOnly } };
  return { request, exchange: { head: Buffer.concat([head, body]), headOnly } };
}

function faultOf(request: PlannedRequest, answer: Answer): string | undefined {
  if (!request.statuses.includes(answer.status)) {
    return `status ${answer.status} instead of ${request.statuses.join(' or ')}: ${answer.head}`;
  }
  if (request.sizeBytes === undefined || answer.chunked || request.method === 'HEAD') return undefined;
  return answer.bodyBytes === request.sizeBytes
    ? undefined
    : `a body of ${answer.bodyBytes} bytes instead of ${request.sizeBytes}`;
}

/** Looks at everything of one answer. */
class Sample {
  readonly watch: (piece: Buffer) => void;
  readonly #request: PlannedRequest;
  readonly #expected: Buffer | undefined;
  readonly #text: Buffer[] = [];
  #position = 0;
  #differs = false;

  constructor(request: PlannedRequest, payloads: Payloads) {
    this.#request = request;
    this.#expected = request.receives === undefined ? undefined : payloads.bytes(request.receives);
    this.watch = (piece) => {
      if (request.contains !== undefined) this.#text.push(Buffer.from(piece));
      if (this.#expected === undefined) return;
      const expected = this.#expected.subarray(this.#position, this.#position + piece.length);
      this.#differs ||= !expected.equals(piece);
      this.#position += piece.length;
    };
  }

  fault(answer: Answer): string | undefined {
    const { etag, contains } = this.#request;
    if (this.#differs && !answer.chunked) return 'other bytes than were put';
    if (etag !== undefined) {
      const found = /\r\netag: *"?([^"\r\n]*)/i.exec(answer.head)?.[1];
      if (found !== etag) return `ETag ${found} instead of ${etag}`;
    }
    if (contains === undefined) return undefined;
    const times = this.items();
    const { text, atLeast, atMost } = contains;
    return times >= atLeast && times <= atMost
      ? undefined
      : `${text} ${times} times instead of ${atLeast} to ${atMost}`;
  }

  /** How often the text that the answer must contain stands in it. */
  items(): number {
    const text = this.#request.contains?.text ?? '';
    return Buffer.concat(this.#text).toString('latin1').split(text).length - 1;
  }
}

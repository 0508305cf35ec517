// Requests to the file service: JSON in, JSON out, problems (RFC 9457) as ClientError. One attempt each; retrying is the
// caller's. Bodies are taken as the contract types them: the service validates its answers against the schemas in its
// tests, so that the schema library stays out of the browser's bundle.

import type { Problem } from '@stowage/contract';
import { ClientError } from './client-error.ts';

export interface ServiceCall {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'PATCH';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  readonly idempotencyKey?: string;
  readonly ifMatch?: string;
  /** Added to the usual time limit: for calls that the service holds open. */
  readonly waitMs?: number;
}

export interface ServiceConnection {
  call<T>(call: ServiceCall): Promise<T>;
  /** The answer itself, once its head is there: for bytes. Redirects are followed. */
  open(call: ServiceCall): Promise<Response>;
  /** Absolute or page-relative address of a path, for links and images. */
  url(path: string, query?: ServiceCall['query']): string;
}

const timeLimitMs = 30_000;
const maxRetryAfterMs = 60_000;

interface ConnectionOptions {
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  readonly fetch: typeof globalThis.fetch;
}

export function createServiceConnection({ baseUrl, apiKey, fetch }: ConnectionOptions): ServiceConnection {
  // Else every request would fail as if the network were away, and be tried again without end.
  const root = rootOf(baseUrl);
  if (apiKey !== undefined) requireKey(apiKey);

  function url(path: string, query: ServiceCall['query'] = {}): string {
    const pairs = Object.entries(query).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]]));
    return root + path + (pairs.length === 0 ? '' : `?${new URLSearchParams(pairs)}`);
  }

  /** Sends one request; the answer's body is still to be read, under the same limit of time. */
  function send(request: ServiceCall, limit: AbortSignal | undefined): Promise<Response> {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (apiKey !== undefined) headers.authorization = `Bearer ${apiKey}`;
    if (request.body !== undefined) headers['content-type'] = 'application/json';
    if (request.idempotencyKey !== undefined) headers['idempotency-key'] = request.idempotencyKey;
    if (request.ifMatch !== undefined) headers['if-match'] = request.ifMatch;
    const signals = [request.signal, limit].filter((signal) => signal !== undefined);
    return fetch(url(request.path, request.query), {
      method: request.method,
      headers,
      credentials: 'same-origin',
      cache: 'no-store',
      signal: AbortSignal.any(signals),
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    });
  }

  /** What went wrong on the way: the caller's own abort, or the connection. */
  function throwLost(request: ServiceCall, error: unknown): never {
    if (request.signal?.aborted) throw request.signal.reason;
    if (!/^https?:/.test(root) && typeof location === 'undefined') {
      const message = 'There is no page here from whose address the service could be known: give baseUrl.';
      throw new ClientError('network', { message, retryable: false, cause: error });
    }
    throw new ClientError('network', { cause: error });
  }

  async function call<T>(request: ServiceCall): Promise<T> {
    let answer: Response;
    let text: string;
    try {
      answer = await send(request, AbortSignal.timeout(timeLimitMs + (request.waitMs ?? 0)));
      text = await answer.text();
    } catch (error) {
      throwLost(request, error);
    }
    if (!answer.ok) throw errorFromAnswer(answer, text);
    // Proof of the cast: see the header. 204 carries nothing, and its callers ask for undefined.
    return (text === '' ? undefined : parseJson(text, answer.status)) as T;
  }

  async function open(request: ServiceCall): Promise<Response> {
    // The head must come in time; how long the bytes take is for whoever reads them to judge.
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new Error('No answer came in time.')), timeLimitMs);
    let answer: Response;
    let text: string;
    try {
      answer = await send(request, late.signal);
      if (answer.ok) return answer;
      text = await answer.text();
    } catch (error) {
      throwLost(request, error);
    } finally {
      clearTimeout(timer);
    }
    throw errorFromAnswer(answer, text);
  }

  return { call, open, url };
}

/** What paths are put behind: without a slash at the end. `''` is where the page came from. */
function rootOf(baseUrl: string): string {
  if (/^(\/(?!\/)[^?#\s]*)?$/.test(baseUrl)) return baseUrl.replace(/\/+$/, '');
  const url = /^https?:\/\//i.test(baseUrl) && URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (url === undefined) refuseBaseUrl(baseUrl, 'that is no address of a web service');
  if (url.username !== '' || url.password !== '') {
    refuseBaseUrl(baseUrl, 'it holds a user or a password, which no browser sends; a program has apiKey');
  }
  if (url.search !== '' || url.hash !== '') refuseBaseUrl(baseUrl, 'it has something behind its path');
  return (url.origin + url.pathname).replace(/\/+$/, '');
}

function refuseBaseUrl(baseUrl: unknown, reason: string): never {
  const shown = JSON.stringify(
    String(baseUrl)
      .replace(/[^/@]*@/, '…@')
      .slice(0, 200),
  );
  throw new TypeError(
    `baseUrl: ${shown} came, and ${reason}. Expected http:// or https://, host and port, e.g. "http://127.0.0.1:3000".`,
  );
}

function requireKey(apiKey: string): void {
  if (apiKey === '') throw new TypeError('apiKey is empty: is STOWAGE_API_KEY set? A page leaves apiKey out.');
  if (typeof apiKey !== 'string' || !/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new TypeError('apiKey holds spaces, line ends or other characters that no key has; give the `secret` alone.');
  }
}

function parseJson(text: string, status: number): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ClientError('unexpected-answer', {
      status,
      cause: error,
      message: `Status ${status} came with a body that is not JSON; is this the address of a Stowage service?`,
    });
  }
}

function errorFromAnswer(answer: Response, text: string): ClientError {
  const { status } = answer;
  const retryable = status >= 500 || status === 429 || status === 408;
  const seconds = Number(answer.headers.get('retry-after'));
  const wait = seconds > 0 ? { retryAfterMs: Math.min(seconds * 1000, maxRetryAfterMs) } : {};
  const problem = problemFrom(text);
  if (problem !== undefined) {
    return new ClientError(problem.code, {
      message: problem.detail ?? problem.title,
      status,
      problem,
      retryable,
      ...wait,
    });
  }
  // A proxy, or something that is not the service.
  if (retryable) return new ClientError('service-unavailable', { status, ...wait });
  return new ClientError('unexpected-answer', { status, message: `The service answered ${status}.` });
}

function problemFrom(text: string): Problem | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && 'code' in value && typeof value.code === 'string') {
      return value as Problem;
    }
  } catch {
    // Not JSON: no problem document, which the caller handles.
  }
  return undefined;
}

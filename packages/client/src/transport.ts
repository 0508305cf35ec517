// Carries bytes to the bucket: one signed request, one Blob. XMLHttpRequest where there is one, because fetch cannot tell
// how much of a body has left; fetch elsewhere (Node), counting what is read from the Blob.
// A transport neither retries nor judges: any status is an answer.

import { ClientError } from './client-error.ts';
import type { Clock } from './clock.ts';

interface TransportRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface TransportAnswer {
  readonly status: number;
  /** At most the first 4 KiB. */
  readonly text: string;
}

interface SendOptions {
  readonly signal: AbortSignal;
  /** Bytes of this body sent so far. */
  readonly onProgress: (sentBytes: number) => void;
}

export interface Transport {
  /** Throws a retryable `network` error when no answer came, the signal's reason when aborted. */
  send(request: TransportRequest, body: Blob, options: SendOptions): Promise<TransportAnswer>;
}

/** A request over which nothing moved for this long is dead. */
const stallMs = 45_000;
const maxTextChars = 4096;

/** Set by the browser itself; a page may not. */
const browserHeaders = new Set(['content-length', 'host']);

export function xhrTransport(): Transport {
  return {
    send: (request, body, { signal, onProgress }) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(signal.reason);
          return;
        }
        const xhr = new XMLHttpRequest();
        let stall: ReturnType<typeof setTimeout> | undefined;
        const moved = (): void => {
          clearTimeout(stall);
          stall = setTimeout(() => xhr.abort(), stallMs);
        };
        const onAbort = (): void => xhr.abort();
        const finish = (): void => {
          clearTimeout(stall);
          signal.removeEventListener('abort', onAbort);
        };
        xhr.upload.onprogress = (event) => {
          moved();
          onProgress(event.loaded);
        };
        xhr.onload = () => {
          finish();
          resolve({ status: xhr.status, text: xhr.responseText.slice(0, maxTextChars) });
        };
        const fail = (): void => {
          finish();
          reject(signal.aborted ? signal.reason : new ClientError('network'));
        };
        xhr.onerror = fail;
        xhr.onabort = fail;
        signal.addEventListener('abort', onAbort, { once: true });
        xhr.open(request.method, request.url);
        for (const [name, value] of Object.entries(request.headers)) {
          if (!browserHeaders.has(name.toLowerCase())) xhr.setRequestHeader(name, value);
        }
        moved();
        xhr.send(body);
      }),
  };
}

export function fetchTransport(fetch: typeof globalThis.fetch, clock: Clock): Transport {
  return {
    async send(request, body, { signal, onProgress }) {
      let movedAtMs = clock.now();
      let sentBytes = 0;
      const counted = body.stream().pipeThrough(
        new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
          transform(chunk, controller) {
            sentBytes += chunk.byteLength;
            movedAtMs = clock.now();
            onProgress(sentBytes);
            controller.enqueue(chunk);
          },
        }),
      );
      const stalled = new AbortController();
      const watch = setInterval(() => {
        if (clock.now() - movedAtMs > stallMs) stalled.abort();
      }, stallMs / 3);
      try {
        const answer = await fetch(request.url, {
          method: request.method,
          // The length makes it a body of known size, which S3 wants, instead of a chunked one.
          headers: { ...request.headers, 'content-length': String(body.size) },
          signal: AbortSignal.any([signal, stalled.signal]),
          // `duplex` is required for streams, and not yet in the DOM's types.
          ...(body.size === 0 ? {} : ({ body: counted, duplex: 'half' } as RequestInit)),
        });
        return { status: answer.status, text: (await answer.text()).slice(0, maxTextChars) };
      } catch (error) {
        throw signal.aborted ? signal.reason : new ClientError('network', { cause: error });
      } finally {
        clearInterval(watch);
      }
    },
  };
}

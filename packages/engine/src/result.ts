// What a handler answers with: plain data, nothing of sockets. render.ts is the one that sends it.

import type { BodyRange, OpenObject } from '@stowage/store';

export interface Result {
  readonly status: number;
  /** Names and values in turn, as node's writeHead takes them. Content-Length is render's affair. */
  readonly headers: readonly string[];
  readonly body?: ResultBody;
  /** The length that a HEAD request is told; its answer has no body. */
  readonly headLengthBytes?: number;
}

/** Text (an XML document), bytes, or an object too large to hold: read piece by piece, and closed, by render. */
type ResultBody = string | Uint8Array | StoredBytes;

export interface StoredBytes {
  readonly object: OpenObject;
  readonly range: BodyRange;
}

/** An XML document with status 200. */
export function documentResult(document: string, headers: readonly string[] = []): Result {
  return { status: 200, headers: ['content-type', 'application/xml', ...headers], body: document };
}

/** No body: 200 with Content-Length 0, or 204. */
export function emptyResult(status: 200 | 204, headers: readonly string[] = []): Result {
  return { status, headers };
}

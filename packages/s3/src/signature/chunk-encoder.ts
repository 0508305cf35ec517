// Encodes a body as aws-chunked: the counterpart of chunk-decoder.ts, for clients and for tests.
// It works on a body held in memory; a stream is encoded chunk by chunk by the same three lines.

import { hash } from 'node:crypto';
import { signChunk, signTrailers } from './chunk-decoder.ts';
import type { ChunkMode } from './payload-hash.ts';
import type { ChunkSigning } from './verify-signature.ts';

export type EncodeChunksOptions = {
  /** How many bytes each chunk but the last holds; AWS wants 8 KiB at least. Default 64 KiB. */
  readonly chunkBytes?: number;
  /** Sent after the body, in this order; their names must stand in `x-amz-trailer`. */
  readonly trailers?: readonly (readonly [name: string, value: string])[];
} & (
  | { readonly mode: 'unsigned-trailer' }
  /** `signing` is what signRequest returned for the request. */
  | { readonly mode: Exclude<ChunkMode, 'unsigned-trailer'>; readonly signing: ChunkSigning }
);

/** The aws-chunked form of `body`. */
export function encodeChunks(body: Uint8Array, options: EncodeChunksOptions): Buffer {
  const chunkBytes = options.chunkBytes ?? 65_536;
  const signing = options.mode === 'unsigned-trailer' ? undefined : options.signing;
  let previousSignature = signing?.seedSignature ?? '';
  const header = (chunk: Uint8Array): Buffer => {
    const size = chunk.length.toString(16);
    if (signing === undefined) return Buffer.from(`${size}\r\n`);
    previousSignature = signChunk(signing, previousSignature, hash('sha256', chunk, 'hex'));
    return Buffer.from(`${size};chunk-signature=${previousSignature}\r\n`);
  };
  const lineEnd = Buffer.from('\r\n');
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < body.length; at += chunkBytes) {
    const chunk = body.subarray(at, at + chunkBytes);
    pieces.push(header(chunk), chunk, lineEnd);
  }
  pieces.push(header(new Uint8Array(0)));
  const trailers = options.trailers ?? [];
  for (const [name, value] of trailers) pieces.push(Buffer.from(`${name}:${value}\r\n`));
  if (signing !== undefined && options.mode === 'signed-trailer') {
    const text = trailers.map(([name, value]) => `${name}:${value}\n`).join('');
    pieces.push(Buffer.from(`x-amz-trailer-signature:${signTrailers(signing, previousSignature, text)}\r\n`));
  }
  pieces.push(lineEnd);
  return Buffer.concat(pieces);
}

// Decodes an aws-chunked body as it arrives: chunk headers, chunk data, trailers, and the signatures that chain them.
// Spec: "Transferring Payload in Multiple Chunks" and "Signature calculations for trailing headers" of the S3 API
// reference; the unsigned form is what the SDKs send by default.
// Bytes are handed out before the signature over their chunk is checked, for a chunk may be of any size and is never kept:
// who takes them must not commit before finish() has returned. A chunk smaller than AWS's 8 KiB is accepted.
// Whether a trailing checksum fits the body is the caller's affair.

import { createHash, type Hash, hash } from 'node:crypto';
import { S3Error } from '../errors.ts';
import { sameHexSignature } from './compare-signatures.ts';
import type { ChunkMode } from './payload-hash.ts';
import type { ChunkSigning } from './verify-signature.ts';

export type ChunkDecoderOptions = {
  /** `x-amz-decoded-content-length`: how many bytes the chunks must hold together. */
  readonly decodedLength: number;
  /** The lower-case names in `x-amz-trailer`: each must come, and no other. Default none. */
  readonly declaredTrailers?: readonly string[];
} & (
  | { readonly mode: 'unsigned-trailer' }
  /** `signing` is what verifySignature returned for the request. */
  | { readonly mode: Exclude<ChunkMode, 'unsigned-trailer'>; readonly signing: ChunkSigning }
);

/** The longest chunk header, its line end included. A signed one has some 90 bytes. */
export const maxChunkHeaderBytes = 1_024;
/** How many bytes all trailers may have together. */
export const maxTrailerBytes = 8_192;
/** How many trailers there may be. */
export const maxTrailers = 16;

/** Makes a decoder for one body. */
export function createChunkDecoder(options: ChunkDecoderOptions): ChunkDecoder {
  return new ChunkDecoder(options);
}

/** The names in an `x-amz-trailer` header, lower-case. */
export function parseTrailerNames(header: string | undefined): readonly string[] {
  const names = (header ?? '').split(',').map((name) => name.trim().toLowerCase());
  return names.filter((name) => name !== '');
}

type State =
  /** In the line that says how long the next chunk is. */
  | 'chunk-header'
  | 'chunk-data'
  /** In the line end that follows a chunk's data. */
  | 'chunk-end'
  /** In the lines after the last chunk, up to an empty one. */
  | 'trailer'
  | 'done'
  | 'failed';

const signatureTrailer = 'x-amz-trailer-signature';
const emptySha256 = hash('sha256', '', 'hex');
const chunkHeader = /^([0-9a-fA-F]{1,14})(?:;chunk-signature=([0-9a-f]{64}))?$/;
const trailerName = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;

/** Decodes one aws-chunked body. After any error it stays refused. */
export class ChunkDecoder {
  readonly #mode: ChunkMode;
  readonly #signing: ChunkSigning | undefined;
  readonly #decodedLength: number;
  readonly #declared: readonly string[];
  readonly #trailers = new Map<string, string>();

  #state: State = 'chunk-header';
  /** The beginning of a line whose end has not arrived. */
  #line = '';
  #previousSignature: string;
  #decodedBytes = 0;
  /** How many bytes of the chunk's data are to come. */
  #remainingBytes = 0;
  #chunkHash: Hash | undefined;
  #chunkSignature = '';
  #trailerBytes = 0;
  #trailerText = '';
  #trailerSignature: string | undefined;
  /** A trailer ended with a bare line feed, so an empty line may belong to it rather than end the trailers. */
  #bareLineFeed = false;
  /** Nothing more has to come, though an empty line still may. */
  #complete = false;

  constructor(options: ChunkDecoderOptions) {
    this.#mode = options.mode;
    this.#signing = options.mode === 'unsigned-trailer' ? undefined : options.signing;
    this.#previousSignature = this.#signing?.seedSignature ?? '';
    this.#decodedLength = options.decodedLength;
    this.#declared = options.declaredTrailers ?? [];
  }

  /**
   * Takes the next bytes of the encoded body; returns views of it that hold the decoded bytes, in order. Throws
   * `InvalidRequest` (malformed), `IncompleteBody` (more or fewer bytes than announced), `SignatureDoesNotMatch` and
   * `MalformedTrailerError`.
   */
  push(bytes: Uint8Array): readonly Uint8Array[] {
    const views: Uint8Array[] = [];
    // Left as it is by an error, so that what comes after one is refused too.
    const entered = this.#state;
    this.#state = 'failed';
    let state = entered;
    let at = 0;
    while (at < bytes.length) {
      if (state === 'chunk-data') {
        const end = Math.min(bytes.length, at + this.#remainingBytes);
        const view = bytes.subarray(at, end);
        this.#takeData(view);
        views.push(view);
        at = end;
        if (this.#remainingBytes === 0) state = this.#endData();
        continue;
      }
      const line = this.#takeLine(bytes, at, state);
      at = line.next;
      if (line.text !== undefined) state = this.#handleLine(line.text, state);
    }
    this.#state = state;
    return views;
  }

  /** Says that the body has ended. Returns the trailers by lower-case name. Throws as `push` does. */
  finish(): { readonly trailers: ReadonlyMap<string, string> } {
    const state = this.#state;
    this.#state = 'failed';
    if (state === 'failed') throw new S3Error('InvalidRequest', 'The aws-chunked body was refused before.');
    const ended = state === 'done' || (state === 'trailer' && this.#complete && this.#line === '');
    if (!ended) {
      throw new S3Error(
        'IncompleteBody',
        `The aws-chunked body ended early: ${this.#decodedBytes} of ${this.#decodedLength} bytes came, and ${waitedFor(state)}.`,
      );
    }
    if (state !== 'done') this.#endTrailers();
    this.#state = 'done';
    return { trailers: this.#trailers };
  }

  /** Takes a line up to its line feed, or keeps its beginning. */
  #takeLine(bytes: Uint8Array, at: number, state: State): { readonly text: string | undefined; readonly next: number } {
    if (state === 'failed') throw new S3Error('InvalidRequest', 'The aws-chunked body was refused before.');
    if (state === 'done') throw malformed('bytes follow its end');
    const limit = state === 'trailer' ? maxTrailerBytes : maxChunkHeaderBytes;
    const lineFeed = bytes.indexOf(0x0a, at);
    const end = lineFeed === -1 ? bytes.length : lineFeed + 1;
    if (this.#line.length + (end - at) > limit) throw this.#tooLong(state, limit);
    const text = this.#line + latin1(bytes.subarray(at, end));
    this.#line = lineFeed === -1 ? text : '';
    return { text: lineFeed === -1 ? undefined : text, next: end };
  }

  #tooLong(state: State, limit: number): S3Error {
    if (state !== 'trailer') return malformed(`a chunk header has more than ${limit} bytes`);
    return new S3Error('MalformedTrailerError', `The trailers have more than ${limit} bytes.`);
  }

  #handleLine(line: string, state: State): State {
    if (state === 'trailer') return this.#handleTrailerLine(line);
    if (!line.endsWith('\r\n')) throw malformed('a line does not end with CR LF');
    const text = line.slice(0, -2);
    if (state === 'chunk-end') {
      if (text !== '') throw malformed('the data of a chunk is longer than its header says');
      return 'chunk-header';
    }
    return this.#handleChunkHeader(text);
  }

  #handleChunkHeader(text: string): State {
    const match = chunkHeader.exec(text);
    const signature = match?.[2];
    if (match === null || (this.#signing !== undefined) !== (signature !== undefined)) {
      throw malformed(
        this.#signing === undefined
          ? 'a chunk header must be the size in hex'
          : 'a chunk header must be the size in hex and ";chunk-signature=" with 64 hex digits',
      );
    }
    const sizeBytes = Number.parseInt(match[1] ?? '', 16);
    if (sizeBytes > this.#decodedLength - this.#decodedBytes) {
      throw new S3Error(
        'IncompleteBody',
        `The chunks hold more bytes than the ${this.#decodedLength} that x-amz-decoded-content-length says.`,
      );
    }
    this.#chunkSignature = signature ?? '';
    if (sizeBytes > 0) {
      this.#remainingBytes = sizeBytes;
      this.#chunkHash = this.#signing === undefined ? undefined : createHash('sha256');
      return 'chunk-data';
    }
    if (this.#decodedBytes < this.#decodedLength) {
      throw new S3Error(
        'IncompleteBody',
        `The chunks hold ${this.#decodedBytes} bytes; x-amz-decoded-content-length says ${this.#decodedLength}.`,
      );
    }
    this.#verifyChunk(emptySha256);
    // A signed last chunk is the end; the empty line after it adds nothing.
    this.#complete = this.#mode === 'signed';
    return 'trailer';
  }

  #takeData(view: Uint8Array): void {
    this.#remainingBytes -= view.length;
    this.#decodedBytes += view.length;
    this.#chunkHash?.update(view);
  }

  #endData(): State {
    if (this.#chunkHash !== undefined) this.#verifyChunk(this.#chunkHash.digest('hex'));
    return 'chunk-end';
  }

  #verifyChunk(sha256: string): void {
    if (this.#signing === undefined) return;
    const expected = signChunk(this.#signing, this.#previousSignature, sha256);
    if (!sameHexSignature(expected, this.#chunkSignature)) throw signatureDoesNotMatch('a chunk', this.#chunkSignature);
    this.#previousSignature = expected;
  }

  #handleTrailerLine(line: string): State {
    this.#trailerBytes += line.length;
    if (this.#trailerBytes > maxTrailerBytes) throw this.#tooLong('trailer', maxTrailerBytes);
    const endsWithCr = line.endsWith('\r\n');
    const text = line.slice(0, endsWithCr ? -2 : -1);
    if (text !== '') {
      this.#takeTrailer(text);
      this.#bareLineFeed = !endsWithCr;
      // The signature over the trailers is the end; the empty line after it adds nothing.
      this.#complete = this.#trailerSignature !== undefined;
      return 'trailer';
    }
    if (this.#bareLineFeed) {
      // Some clients (minio-go) end a trailer with LF CR LF, and the trailers with another CR LF.
      this.#bareLineFeed = false;
      this.#complete = this.#mode === 'unsigned-trailer' || this.#trailerSignature !== undefined;
      return 'trailer';
    }
    this.#endTrailers();
    return 'done';
  }

  #takeTrailer(text: string): void {
    const colon = text.indexOf(':');
    const name = text.slice(0, Math.max(colon, 0)).toLowerCase();
    if (!trailerName.test(name)) throw new S3Error('MalformedTrailerError', 'A trailer is not "name:value".');
    const value = text.slice(colon + 1).trim();
    if (this.#trailerSignature !== undefined) {
      throw new S3Error('MalformedTrailerError', `A trailer follows ${signatureTrailer}, which must be the last.`);
    }
    if (this.#mode === 'signed-trailer' && name === signatureTrailer) {
      this.#trailerSignature = value;
      return;
    }
    if (this.#mode === 'signed' || !this.#declared.includes(name)) {
      throw new S3Error('MalformedTrailerError', `The trailer "${name}" was not announced in x-amz-trailer.`);
    }
    if (this.#trailers.has(name)) throw new S3Error('MalformedTrailerError', `The trailer "${name}" came twice.`);
    if (this.#trailers.size >= maxTrailers) {
      throw new S3Error('MalformedTrailerError', `There are more than ${maxTrailers} trailers.`);
    }
    this.#trailers.set(name, value);
    this.#trailerText += `${name}:${value}\n`;
  }

  #endTrailers(): void {
    if (this.#signing !== undefined && this.#mode === 'signed-trailer') {
      if (this.#trailerSignature === undefined) {
        throw new S3Error('MalformedTrailerError', `The trailers must end with ${signatureTrailer}.`);
      }
      const expected = signTrailers(this.#signing, this.#previousSignature, this.#trailerText);
      if (!sameHexSignature(expected, this.#trailerSignature)) {
        throw signatureDoesNotMatch('the trailers', this.#trailerSignature);
      }
    }
    const missing = this.#declared.filter((name) => !this.#trailers.has(name));
    if (missing.length > 0) {
      throw new S3Error('MalformedTrailerError', `x-amz-trailer announced ${missing.join(', ')}, which did not come.`);
    }
  }
}

/** The signature of a chunk, over the signature before it. */
export function signChunk(signing: ChunkSigning, previousSignature: string, sha256: string): string {
  return signing.key.sign(
    `AWS4-HMAC-SHA256-PAYLOAD\n${signing.timestamp}\n${signing.scope}\n${previousSignature}\n${emptySha256}\n${sha256}`,
  );
}

/** The signature of the trailers (`name:value\n` each), over the last chunk's. */
export function signTrailers(signing: ChunkSigning, previousSignature: string, trailerText: string): string {
  return signing.key.sign(
    `AWS4-HMAC-SHA256-TRAILER\n${signing.timestamp}\n${signing.scope}\n${previousSignature}\n${hash('sha256', trailerText, 'hex')}`,
  );
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function waitedFor(state: State): string {
  switch (state) {
    case 'chunk-data':
      return 'a chunk is cut off';
    case 'chunk-end':
    case 'chunk-header':
      return 'the last chunk, of 0 bytes, is missing';
    default:
      return 'the trailers are not ended';
  }
}

function malformed(problem: string): S3Error {
  return new S3Error('InvalidRequest', `The aws-chunked body is not well-formed: ${problem}.`);
}

function signatureDoesNotMatch(what: string, provided: string): S3Error {
  return new S3Error('SignatureDoesNotMatch', `The signature of ${what} in the aws-chunked body does not match.`, {
    details: { SignatureProvided: provided },
  });
}

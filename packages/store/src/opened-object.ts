// An object open for reading: turns a range of the object into reads of where its bytes lie, one verified chunk after the
// other, with the next one read while the last is being handed on.

import { manifestPart, partIndexAt } from './catalog/manifest.ts';
import type { FoundObject } from './catalog/objects.ts';
import type { BodyLocation } from './catalog/version-row.ts';
import type { BodyRange, ObjectVersion, OpenObject } from './object-store.ts';
import type { ReaderEpoch } from './reader-epochs.ts';
import { isStoreError, StoreError } from './store-error.ts';

/** Reads bytes and holds them against their checksums. Ranges are `start` up to but without `end`, at most 1 MiB. */
export interface ByteSource {
  readJournal(location: BodyLocation & { readonly kind: 'journal' }, span: Span): Uint8Array | Promise<Uint8Array>;
  readBlob(blobId: Buffer, span: Span): Uint8Array | Promise<Uint8Array>;
}

export interface Span {
  /** Of the whole body. */
  readonly sizeBytes: number;
  readonly start: number;
  readonly end: number;
}

/** What is held in memory at once for one reader. */
const maxWholeReadBytes = 1024 * 1024;
const chunkSizeBytes = 256 * 1024;

export class OpenedObject implements OpenObject {
  readonly version: ObjectVersion;
  readonly #found: FoundObject;
  readonly #source: ByteSource;
  readonly #epoch: ReaderEpoch;
  #closed = false;

  constructor(found: FoundObject, source: ByteSource, epoch: ReaderEpoch) {
    this.version = found.version;
    this.#found = found;
    this.#source = source;
    this.#epoch = epoch;
  }

  get small(): boolean {
    return this.version.sizeBytes <= maxWholeReadBytes;
  }

  async bytes(range?: BodyRange): Promise<Uint8Array> {
    const { start, end } = this.#span(range);
    if (end - start > maxWholeReadBytes) {
      throw new RangeError(`At most ${maxWholeReadBytes} bytes are read at once; use chunks() for ${end - start}.`);
    }
    const pieces: Uint8Array[] = [];
    let at = start;
    while (at < end) {
      const piece = await this.#read(at, end);
      pieces.push(piece);
      at += piece.length;
    }
    const [only] = pieces;
    return only !== undefined && pieces.length === 1 ? only : Buffer.concat(pieces);
  }

  async *chunks(range?: BodyRange): AsyncGenerator<Uint8Array, void, undefined> {
    const { start, end } = this.#span(range);
    let at = start;
    let pending = at < end ? this.#readAhead(at, end) : undefined;
    while (pending !== undefined) {
      const chunk: Uint8Array = await pending;
      at += chunk.length;
      pending = at < end ? this.#readAhead(at, end) : undefined;
      yield chunk;
    }
  }

  close(): void {
    if (this.#closed) throw new TypeError('The object was closed before.');
    this.#closed = true;
    this.#epoch.leave();
  }

  #span(range: BodyRange | undefined): { start: number; end: number } {
    if (this.#closed) throw new TypeError('The object was closed before.');
    const { sizeBytes } = this.version;
    if (range === undefined) return { start: 0, end: sizeBytes };
    const inside = range.start >= 0 && range.start <= range.end && range.end < sizeBytes;
    if (!inside) throw new RangeError(`Bytes ${range.start} to ${range.end} do not lie within ${sizeBytes}.`);
    return { start: range.start, end: range.end + 1 };
  }

  /** Begins a read whose failure may be noticed only later, or never, when the reader goes away. */
  #readAhead(start: number, end: number): Promise<Uint8Array> {
    const read = this.#read(start, end);
    read.catch(() => undefined); // whoever awaits `read` gets the error; this keeps it from being unhandled until then
    return read;
  }

  /** Reads from `start` to the end of a chunk, of a part, or of the range, whichever comes first. */
  async #read(start: number, end: number): Promise<Uint8Array> {
    const { location, manifest } = this.#found;
    const { sizeBytes } = this.version;
    const whole = end - start <= maxWholeReadBytes && sizeBytes <= maxWholeReadBytes;
    const until = whole ? end : Math.min(end, start - (start % chunkSizeBytes) + chunkSizeBytes);
    try {
      switch (location.kind) {
        case 'journal':
          return await this.#source.readJournal(location, { sizeBytes, start, end: until });
        case 'blob':
          return await this.#source.readBlob(location.blobId, { sizeBytes, start, end: until });
        case 'manifest':
          return await this.#readPart(manifest ?? Buffer.alloc(0), start, end);
        case 'empty':
          return new Uint8Array();
      }
    } catch (cause) {
      throw isStoreError(cause) && cause.code === 'Corrupt' ? this.#nameObject(cause) : cause;
    }
  }

  async #readPart(manifest: Buffer, start: number, end: number): Promise<Uint8Array> {
    const part = manifestPart(manifest, partIndexAt(manifest, start));
    const from = start - part.start;
    const until = Math.min(end - part.start, part.sizeBytes, from - (from % chunkSizeBytes) + chunkSizeBytes);
    return this.#source.readBlob(part.blobId, { sizeBytes: part.sizeBytes, start: from, end: until });
  }

  #nameObject(cause: StoreError): StoreError {
    const { bucket, key } = this.version;
    return new StoreError('Corrupt', {
      message: `${bucket}/${key}: ${cause.message}`,
      details: { ...cause.details, bucket, key },
      cause,
    });
  }
}

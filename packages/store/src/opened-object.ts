// An object open for reading: turns a range of the object into reads of where its bytes lie, one verified chunk after the
// other, with the next one read while the last is being handed on.

import { blockSizeBytes } from './blobs/block-checksums.ts';
import { manifestPart, partIndexAt } from './catalog/manifest.ts';
import type { FoundObject } from './catalog/objects.ts';
import type { BodyLocation } from './catalog/version-row.ts';
import { ObjectPieces } from './object-pieces.ts';
import type { BodyRange, ObjectAddress, ObjectVersion, OpenObject, PieceReader } from './object-store.ts';
import { largeReadBytes, type ReadBuffers } from './read-buffers.ts';
import type { ReaderEpoch } from './reader-epochs.ts';
import { isStoreError, StoreError } from './store-error.ts';

/** Reads bytes and holds them against their checksums. Ranges are `start` up to but without `end`, at most 1 MiB. */
export interface ByteSource {
  /** What bytes are read into that go on to somebody else. Absent: they lie in memory already. */
  readonly buffers?: ReadBuffers;
  readJournal(location: BodyLocation & { readonly kind: 'journal' }, span: Span): Uint8Array | Promise<Uint8Array>;
  readBlob(blobId: Buffer, span: Span): Uint8Array | Promise<Uint8Array>;
}

export interface Span {
  /** Whose bytes they are: for the report, should they be damaged. */
  readonly object?: ObjectAddress;
  /** Of the whole body. */
  readonly sizeBytes: number;
  readonly start: number;
  readonly end: number;
  /** Where to read to, large enough for the whole blocks around the range. Absent: new memory. */
  readonly buffer?: Buffer | undefined;
}

/** What is held in memory at once for one reader. */
const maxWholeReadBytes = 1024 * 1024;

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

  bytes(range?: BodyRange): Uint8Array | Promise<Uint8Array> {
    const { start, end } = this.#span(range);
    if (end - start > maxWholeReadBytes) {
      throw new RangeError(`At most ${maxWholeReadBytes} bytes are read at once; use chunks() for ${end - start}.`);
    }
    const first = this.#read(start, end);
    if (first instanceof Promise || first.length < end - start) return this.#gather(first, start, end);
    return first;
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

  pieces(range?: BodyRange): PieceReader {
    return new ObjectPieces({
      ...this.#span(range),
      read: (start, end, buffer) => this.#read(start, end, buffer),
      buffers: this.#source.buffers,
    });
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

  /** Reads what is left after the first piece. */
  async #gather(first: Uint8Array | Promise<Uint8Array>, start: number, end: number): Promise<Uint8Array> {
    const piece = await first;
    if (piece.length === end - start) return piece;
    const pieces = [piece];
    let at = start + piece.length;
    while (at < end) {
      const next = await this.#read(at, end);
      pieces.push(next);
      at += next.length;
    }
    return Buffer.concat(pieces);
  }

  /** Begins a read whose failure may be noticed only later, or never, when the reader goes away. */
  #readAhead(start: number, end: number): Promise<Uint8Array> {
    const read = (async () => this.#read(start, end))();
    read.catch(() => undefined); // whoever awaits `read` gets the error; this keeps it from being unhandled until then
    return read;
  }

  /** Reads from `start` to the end of the range, of a part, or of the buffer, whichever comes first. */
  #read(start: number, end: number, buffer?: Buffer): Uint8Array | Promise<Uint8Array> {
    try {
      const read = this.#readSource(start, end, buffer);
      if (!(read instanceof Promise)) return read;
      return read.catch((cause: unknown) => {
        throw this.#nameObject(cause);
      });
    } catch (cause) {
      throw this.#nameObject(cause);
    }
  }

  #readSource(start: number, end: number, buffer: Buffer | undefined): Uint8Array | Promise<Uint8Array> {
    const { location, manifest } = this.#found;
    const object = this.version;
    const { sizeBytes } = object;
    const whole = buffer === undefined && sizeBytes <= maxWholeReadBytes;
    const until = whole ? end : Math.min(end, readLimit(start, buffer));
    switch (location.kind) {
      case 'journal':
        return this.#source.readJournal(location, { object, sizeBytes, start, end: until, buffer });
      case 'blob':
        return this.#source.readBlob(location.blobId, { object, sizeBytes, start, end: until, buffer });
      case 'manifest':
        return this.#readPart(manifest ?? Buffer.alloc(0), start, end, buffer);
      case 'empty':
        return new Uint8Array();
    }
  }

  #readPart(
    manifest: Buffer,
    start: number,
    end: number,
    buffer: Buffer | undefined,
  ): Uint8Array | Promise<Uint8Array> {
    const part = manifestPart(manifest, partIndexAt(manifest, start));
    const from = start - part.start;
    const until = Math.min(end - part.start, part.sizeBytes, readLimit(from, buffer));
    const { sizeBytes, blobId } = part;
    return this.#source.readBlob(blobId, { object: this.version, sizeBytes, start: from, end: until, buffer });
  }

  /** Says whose bytes are damaged. */
  #nameObject(cause: unknown): unknown {
    if (!isStoreError(cause) || cause.code !== 'Corrupt') return cause;
    const { bucket, key } = this.version;
    return new StoreError('Corrupt', {
      message: `${bucket}/${key}: ${cause.message}`,
      details: { ...cause.details, bucket, key },
      cause,
    });
  }
}

/** Where a read from `start` must end, so that the whole blocks around it fit. */
function readLimit(start: number, buffer: Buffer | undefined): number {
  return start - (start % blockSizeBytes) + (buffer?.length ?? largeReadBytes);
}

// Takes a body in one pass and hashes it. A small body is gathered in memory, whatever is said of its length; one that
// outgrows that goes on in a sink. Where small bodies end up and what a sink is, is the store's choice.

import { createDigest, type Digest, type DigestAlgorithm, digestOf } from '@stowage/s3';
import type { BodyWriter, StagedBody, StageOptions } from '../object-store.ts';
import { StoreError } from '../store-error.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { type Abandon, StagedBytes, type StagedContent } from './staged-content.ts';

/** Where a body goes that is too large for memory, and where it is hashed. */
export interface BodySink {
  /** The chunk is used up when this returns or resolves. */
  write(chunk: Uint8Array): Promise<void> | undefined;
  /** Resolves once the bytes are durable. */
  finish(): Promise<SunkBody>;
  discard(): Promise<void>;
}

export interface SinkOptions {
  /** What is to be computed over all that is written. */
  readonly digests: readonly DigestAlgorithm[];
  /** Where it is known. */
  readonly sizeBytes?: number | undefined;
}

export interface SunkBody {
  readonly content: StagedContent & { readonly kind: 'blob' };
  readonly digests: ReadonlyMap<DigestAlgorithm, Uint8Array>;
}

export interface BodyPlace {
  /** The most that a body may take of memory before it goes on in a sink. */
  readonly maxGatheredBytes: number;
  /** Shared by all bodies that are in memory: one that finds none left goes on in a sink. */
  readonly memory: MemoryBudget;
  /** Takes a body that stayed in memory; the bytes are the place's own now. */
  gathered(bytes: Buffer): StagedContent;
  openSink(body: SinkOptions): BodySink;
  readonly abandon: Abandon;
}

/** Opens a writer for one body. */
export function createBodyWriter(options: StageOptions, place: BodyPlace): BodyWriter {
  return new PlacedBodyWriter(options, place);
}

class PlacedBodyWriter implements BodyWriter {
  readonly #options: StageOptions;
  readonly #place: BodyPlace;
  /** Of a body that is gathered and too long to be hashed in one go at its end. */
  #hashing: readonly (readonly [DigestAlgorithm, Digest])[] | undefined;
  #sizeBytes = 0;
  #sink: BodySink | undefined;
  /** The body so far, while there is no sink: in one piece when its length is known, else chunk by chunk. */
  #gathered: Buffer[] = [];
  /** There is memory for all of it. */
  readonly #fits: boolean;
  #whole: Buffer | undefined;
  #ended = false;
  #memoryBytes = 0;

  constructor(options: StageOptions, place: BodyPlace) {
    this.#options = options;
    this.#place = place;
    const { sizeBytes } = options;
    if (sizeBytes !== undefined && sizeBytes > options.maxSizeBytes) throw tooLarge(sizeBytes, options.maxSizeBytes);
    const small = sizeBytes !== undefined && sizeBytes <= Math.min(place.maxGatheredBytes, maxPreallocatedBytes);
    this.#fits = small && this.#takeMemory(sizeBytes);
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    this.#requireOpen();
    const start = this.#sizeBytes;
    const end = start + chunk.length;
    const { maxSizeBytes, sizeBytes } = this.#options;
    if (end > maxSizeBytes) throw tooLarge(end, maxSizeBytes);
    if (sizeBytes !== undefined && end > sizeBytes) throw wrongSize(end, sizeBytes);
    this.#sizeBytes = end;
    if (this.#fits && sizeBytes !== undefined) {
      // What is all there at once is committed soon: it may share its memory with others, which costs less.
      if (chunk.length === sizeBytes) this.#whole = Buffer.from(chunk);
      else {
        this.#whole ??= Buffer.allocUnsafeSlow(sizeBytes);
        this.#whole.set(chunk, start);
      }
      return undefined;
    }
    // One that is known to outgrow memory does not begin there.
    const gathers = this.#sink === undefined && Math.max(end, sizeBytes ?? 0) <= this.#place.maxGatheredBytes;
    if (gathers && this.#takeMemory(chunk.length)) {
      this.#gathered.push(Buffer.from(chunk));
      if (end > maxHashedAtOnceBytes) this.#hashOn(chunk);
      return undefined;
    }
    return this.#sink === undefined ? this.#moveToSink(chunk) : this.#sink.write(chunk);
  }

  async finish(): Promise<StagedBody> {
    this.#requireOpen();
    this.#ended = true;
    const { sizeBytes } = this.#options;
    if (sizeBytes !== undefined && sizeBytes !== this.#sizeBytes) {
      this.#giveMemoryBack();
      await this.#sink?.discard();
      throw wrongSize(this.#sizeBytes, sizeBytes);
    }
    if (this.#sink !== undefined) return this.#stage(await this.#sink.finish());
    const bytes =
      this.#whole ?? (this.#gathered.length === 1 ? this.#gathered[0] : undefined) ?? Buffer.concat(this.#gathered);
    const digests = new Map(
      this.#hashing?.map(([algorithm, digest]) => [algorithm, digest.digest()]) ??
        this.#options.digests.map((algorithm) => [algorithm, digestOf(algorithm, bytes)]),
    );
    return this.#stage({ content: this.#place.gathered(bytes), digests });
  }

  async discard(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#giveMemoryBack();
    this.#gathered = [];
    this.#whole = undefined;
    await this.#sink?.discard();
  }

  async #moveToSink(chunk: Uint8Array): Promise<void> {
    const sink = this.#place.openSink(this.#options);
    this.#sink = sink;
    const gathered = this.#gathered;
    this.#gathered = [];
    for (const earlier of gathered) {
      const written = sink.write(earlier);
      if (written !== undefined) await written;
    }
    this.#giveMemoryBack();
    await sink.write(chunk);
  }

  #takeMemory(sizeBytes: number): boolean {
    const taken = this.#place.memory.take(sizeBytes);
    if (taken) this.#memoryBytes += sizeBytes;
    return taken;
  }

  #giveMemoryBack(): void {
    this.#place.memory.giveBack(this.#memoryBytes);
    this.#memoryBytes = 0;
  }

  /** The memory goes along: it is given back when the body is committed or given up. */
  #stage({ content, digests }: { readonly content: StagedContent; readonly digests: SunkBody['digests'] }): StagedBody {
    const { abandon, memory } = this.#place;
    const memoryBytes = this.#memoryBytes;
    this.#memoryBytes = 0;
    return new StagedBytes({ content, digests, sizeBytes: this.#sizeBytes, abandon, memory, memoryBytes });
  }

  /** Hashes the chunk just gathered, and before it whatever was not hashed yet. */
  #hashOn(chunk: Uint8Array): void {
    const begun = this.#hashing !== undefined;
    this.#hashing ??= this.#options.digests.map((algorithm) => [algorithm, createDigest(algorithm)]);
    for (const bytes of begun ? [chunk] : this.#gathered) {
      for (const [, digest] of this.#hashing) digest.update(bytes);
    }
  }

  #requireOpen(): void {
    if (this.#ended) throw new TypeError('The body writer was finished or discarded before.');
  }
}

/** An announced length is only trusted with this much memory in advance. */
const maxPreallocatedBytes = 1024 * 1024;
/** A longer body is hashed as it comes: nobody else is served while one is. */
const maxHashedAtOnceBytes = 1024 * 1024;

function tooLarge(sizeBytes: number, maxSizeBytes: number): StoreError {
  return new StoreError('BodyTooLarge', {
    details: { sizeBytes: String(sizeBytes), maxSizeBytes: String(maxSizeBytes) },
  });
}

function wrongSize(sizeBytes: number, expectedBytes: number): StoreError {
  return new StoreError('BodySizeMismatch', {
    details: { sizeBytes: String(sizeBytes), expectedBytes: String(expectedBytes) },
  });
}

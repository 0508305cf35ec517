// Lays the records of one batch out, as they will stand in the segment. Small bodies are copied beside their records, so
// that a batch is mostly one piece of memory; large ones are written from where they are.

import { isChange } from '../catalog/change-facts.ts';
import type { Fact } from '../catalog/facts.ts';
import { factCodes } from '../catalog/facts.ts';
import { isInJournal, placeInJournal } from '../catalog/version-row.ts';
import {
  type CommitMark,
  commitHeaderSizeBytes,
  factHeaderSize,
  markCodes,
  writeCommitHeader,
  writeFactHeader,
  writeRecord,
} from './record.ts';
import { align, recordOverheadBytes } from './record-layout.ts';

/** Bodies up to this size are copied: cheaper than a chunk of their own in a gathering write. */
const maxCopiedBodyBytes = 64 * 1024;

interface BatchPlace {
  readonly segment: number;
  readonly salt: number;
  /** Where in the segment the batch begins. */
  readonly position: number;
  readonly firstLsn: number;
}

export class BatchBuffer {
  #bytes: Buffer = Buffer.allocUnsafeSlow(1024 * 1024);
  #place: BatchPlace = { segment: 0, salt: 0, position: 0, firstLsn: 0 };
  #chunks: Uint8Array[] = [];
  /** Where the piece that is being filled begins in `#bytes`. */
  #pieceStart = 0;
  #end = 0;
  /** Bytes of chunks that are not in `#bytes`. */
  #outsideBytes = 0;
  #nextLsn = 0;
  #changeCount = 0;

  /** Begins a batch. What the last one held is gone. */
  begin(place: BatchPlace): void {
    this.#place = place;
    this.#chunks = [];
    this.#pieceStart = 0;
    this.#end = 0;
    this.#outsideBytes = 0;
    this.#nextLsn = place.firstLsn;
    this.#changeCount = 0;
  }

  /** The number that the next record gets. */
  get nextLsn(): number {
    return this.#nextLsn;
  }

  /** Records in it that tell readers of changes something. */
  get changeCount(): number {
    return this.#changeCount;
  }

  get sizeBytes(): number {
    return this.#end + this.#outsideBytes;
  }

  get isEmpty(): boolean {
    return this.#nextLsn === this.#place.firstLsn;
  }

  /** Adds a fact; writes the place of its body into its row. */
  addFact(fact: Fact, body: Buffer | undefined): void {
    const headerSizeBytes = factHeaderSize(fact);
    const bodySizeBytes = body?.length ?? 0;
    const copied = bodySizeBytes <= maxCopiedBodyBytes;
    this.#room(recordOverheadBytes + headerSizeBytes + (copied ? bodySizeBytes : 0));
    if (body !== undefined && isInJournal(fact.row)) {
      const bodyStart = this.#place.position + this.sizeBytes + recordOverheadBytes + headerSizeBytes;
      placeInJournal(fact.row, this.#place.segment, bodyStart);
    }
    if (isChange(fact.type)) this.#changeCount += 1;
    this.#end = this.#write(factCodes[fact.type], bodySizeBytes, (target, at) => writeFactHeader(fact, target, at));
    if (body !== undefined && copied) this.#end += body.copy(this.#bytes, this.#end);
    else if (body !== undefined) this.#addOutside(body);
    this.#pad();
  }

  addMark(code: typeof markCodes.opened | typeof markCodes.closed): void {
    this.#room(recordOverheadBytes);
    this.#end = this.#write(code, 0, (_target, at) => at);
    this.#pad();
  }

  /** Ends the batch: answers the offset of its commit record and the chunks to write. */
  finish(mark: CommitMark): { readonly commitOffset: number; readonly chunks: readonly Uint8Array[] } {
    const commitOffset = this.#place.position + this.sizeBytes;
    this.#room(recordOverheadBytes + commitHeaderSizeBytes);
    this.#end = this.#write(markCodes.commit, 0, (target, at) => writeCommitHeader(mark, target, at));
    this.#pad();
    this.#endPiece();
    return { commitOffset, chunks: this.#chunks };
  }

  #write(code: number, bodySizeBytes: number, writeHeader: (target: Buffer, at: number) => number): number {
    const record = { salt: this.#place.salt, code, lsn: this.#nextLsn, bodySizeBytes };
    this.#nextLsn += 1;
    return writeRecord(this.#bytes, this.#end, record, writeHeader);
  }

  #addOutside(body: Buffer): void {
    this.#endPiece();
    this.#chunks.push(body);
    this.#outsideBytes += body.length;
  }

  #endPiece(): void {
    if (this.#end > this.#pieceStart) this.#chunks.push(this.#bytes.subarray(this.#pieceStart, this.#end));
    this.#pieceStart = this.#end;
  }

  #pad(): void {
    const padding = align(this.sizeBytes) - this.sizeBytes;
    this.#room(padding);
    this.#bytes.fill(0, this.#end, this.#end + padding);
    this.#end += padding;
  }

  /** Makes room; chunks that are cut already keep the memory they point into. */
  #room(sizeBytes: number): void {
    const needed = this.#end + sizeBytes + recordOverheadBytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#end);
    this.#bytes = larger;
  }
}

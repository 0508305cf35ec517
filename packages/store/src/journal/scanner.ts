// Reads the records of one segment in order, through a window of memory, and finds the next record behind damage.

import type { DiskFile } from '../disk/disk.ts';
import { readAround } from '../disk/read-around.ts';
import {
  type CommitMark,
  commitHeaderSizeBytes,
  markCodes,
  type RecordHead,
  readCommitHeader,
  readRecordHead,
  recordHeader,
  recordLayout,
} from './record.ts';
import { recordAlignment, recordOverheadBytes } from './record-layout.ts';

const windowSizeBytes = 1024 * 1024;

export interface ScannedRecord {
  readonly head: RecordHead;
  readonly offset: number;
  /** Valid until the scanner moves on. */
  readonly header: Buffer;
  /** Valid until the scanner moves on; shorter than announced when the file ends within it. */
  readonly body: Buffer;
  readonly endOffset: number;
}

export class SegmentScanner {
  readonly #file: DiskFile;
  readonly #salt: number;
  readonly #fileSizeBytes: number;
  #window: Buffer = Buffer.alloc(0);
  #windowStart = 0;
  #unreadableEnd = 0;
  /** Of all commits from an offset on, the one that says the most, and the last that says so: at -1 there is none. */
  #vouched: { readonly from: number; readonly offset: number; readonly durableLsn: number } | undefined;

  constructor(file: DiskFile, options: { readonly salt: number; readonly fileSizeBytes: number }) {
    this.#file = file;
    this.#salt = options.salt;
    this.#fileSizeBytes = options.fileSizeBytes;
  }

  /** How far the segment is looked at. */
  get fileSizeBytes(): number {
    return this.#fileSizeBytes;
  }

  /** Where the last stretch ends that the disk could not read, of all that was looked at; 0 when there was none. */
  get unreadableEnd(): number {
    return this.#unreadableEnd;
  }

  /** The record at an offset, or `undefined` when there is none whose header holds. */
  async read(offset: number): Promise<ScannedRecord | undefined> {
    if (!this.#shows(offset, recordOverheadBytes)) await this.#show(offset, recordOverheadBytes);
    const head = readRecordHead(this.#window, offset - this.#windowStart, this.#salt);
    if (head === undefined) return undefined;
    const { bodyStart, sizeBytes } = recordLayout(head);
    if (!this.#shows(offset, sizeBytes)) await this.#show(offset, sizeBytes);
    const at = offset - this.#windowStart;
    const header = recordHeader(this.#window, at, head);
    if (header === undefined) return undefined;
    const body = this.#window.subarray(at + bodyStart, at + bodyStart + head.bodySizeBytes);
    return { head, offset, header, body, endOffset: offset + sizeBytes };
  }

  /** As `read`, without the body, which is not read from the disk for it. */
  async readHeader(offset: number): Promise<Omit<ScannedRecord, 'body'> | undefined> {
    if (!this.#shows(offset, recordOverheadBytes)) await this.#show(offset, recordOverheadBytes);
    const head = readRecordHead(this.#window, offset - this.#windowStart, this.#salt);
    if (head === undefined) return undefined;
    const { bodyStart, sizeBytes } = recordLayout(head);
    if (!this.#shows(offset, bodyStart)) await this.#show(offset, bodyStart);
    const header = recordHeader(this.#window, offset - this.#windowStart, head);
    return header === undefined ? undefined : { head, offset, header, endOffset: offset + sizeBytes };
  }

  /** The first record at or behind an offset whose header holds. */
  async findNext(offset: number): Promise<ScannedRecord | undefined> {
    for (let at = offset; at < this.#fileSizeBytes; at += recordAlignment) {
      if (!this.#shows(at, recordOverheadBytes)) await this.#show(at, recordOverheadBytes);
      const skipped = this.#skipZeros(at);
      if (skipped > at) {
        at = skipped - recordAlignment;
        continue;
      }
      if (readRecordHead(this.#window, at - this.#windowStart, this.#salt) === undefined) continue;
      const record = await this.read(at);
      if (record !== undefined) return record;
    }
    return undefined;
  }

  /** The highest record that any commit behind an offset says to be durable, or 0. */
  async highestDurable(offset: number): Promise<number> {
    // Where the highest stands is remembered: damage may be met many times in one segment.
    if (this.#vouched !== undefined && offset >= this.#vouched.from) {
      if (offset <= this.#vouched.offset) return this.#vouched.durableLsn;
      if (this.#vouched.offset < 0) return 0;
    }
    let highest = 0;
    let highestOffset = -1;
    let record = await this.findNext(offset);
    while (record !== undefined) {
      const durableLsn = commitOf(record)?.durableLsn ?? 0;
      if (durableLsn > 0 && durableLsn >= highest) {
        highest = durableLsn;
        highestOffset = record.offset;
      }
      record = await this.findNext(record.endOffset);
    }
    this.#vouched = { from: offset, offset: highestOffset, durableLsn: highest };
    return highest;
  }

  /** How far the window is zero from an offset on: behind the end of a segment there is mostly nothing else. */
  #skipZeros(offset: number): number {
    const end = this.#window.length - recordAlignment;
    let at = offset - this.#windowStart;
    while (at <= end && this.#window.readUInt32BE(at) === 0 && this.#window.readUInt32BE(at + 4) === 0) {
      at += recordAlignment;
    }
    return this.#windowStart + at;
  }

  #shows(offset: number, sizeBytes: number): boolean {
    const end = Math.min(offset + sizeBytes, this.#fileSizeBytes);
    return offset >= this.#windowStart && end <= this.#windowStart + this.#window.length;
  }

  /** Has the window hold a stretch of the file, as far as the file goes. */
  async #show(offset: number, sizeBytes: number): Promise<void> {
    if (this.#shows(offset, sizeBytes)) return;
    const wanted = Math.min(Math.max(sizeBytes, windowSizeBytes), this.#fileSizeBytes - offset);
    const bytes = Buffer.allocUnsafeSlow(Math.max(wanted, 0));
    const { count, unreadable } = await readAround(this.#file, bytes, offset);
    this.#unreadableEnd = Math.max(this.#unreadableEnd, unreadable.at(-1)?.end ?? 0);
    this.#window = bytes.subarray(0, count);
    this.#windowStart = offset;
  }
}

/** What a commit record says, or `undefined` for other records. */
export function commitOf(record: Omit<ScannedRecord, 'body'>): CommitMark | undefined {
  const isCommit = record.head.code === markCodes.commit && record.header.length === commitHeaderSizeBytes;
  return isCommit ? readCommitHeader(record.header) : undefined;
}

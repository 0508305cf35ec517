// One pass of a scrub over all that a store keeps, or over one file: segments in order, as far as their batches are in the
// index, then the blobs that the index references, in order of their ids.

import { join } from 'node:path';
import { readMark } from '../applied-mark.ts';
import { blobIdOfName } from '../blobs/blob-file.ts';
import { afterKey, blobKey, keyspace, wholeKeyspace } from '../catalog/index-keys.ts';
import type { Disk } from '../disk/disk.ts';
import { segmentNumber } from '../journal/segment.ts';
import type { StoreDamage } from '../object-store.ts';
import type { IndexReader } from '../ordered-index/ordered-index.ts';
import { checkBlob } from './blob-check.ts';
import type { DamageReport } from './damage-report.ts';
import type { ScrubPosition } from './scrub-position.ts';
import { checkSegment } from './segment-check.ts';

/** What one pass has found. */
export interface ScrubSummary {
  readonly segments: number;
  readonly blobs: number;
  readonly checkedBytes: number;
  /** Damaged places. */
  readonly damaged: number;
}

/** What of a position moves while bytes are read. */
type ScrubPlace = Partial<Pick<ScrubPosition, 'phase' | 'segment' | 'offset' | 'blobId'>>;

interface ScrubPassOptions {
  readonly from: ScrubPosition;
  readonly onRead: (sizeBytes: number, place: ScrubPlace) => Promise<void>;
}

interface PassParts {
  readonly disk: Disk;
  /** The data folder. */
  readonly directory: string;
  readonly index: IndexReader;
}

export class ScrubPass {
  readonly #parts: PassParts;
  readonly #report: DamageReport;
  readonly #options: ScrubPassOptions;
  #summary: ScrubSummary = { segments: 0, blobs: 0, checkedBytes: 0, damaged: 0 };

  constructor(parts: PassParts, report: DamageReport, options: ScrubPassOptions) {
    this.#parts = parts;
    this.#report = report;
    this.#options = options;
  }

  get summary(): ScrubSummary {
    return this.#summary;
  }

  async run(): Promise<void> {
    if (this.#options.from.phase !== 'blobs') await this.#segments();
    await this.#blobs();
  }

  /** Checks one file, named as in the data folder. */
  async file(name: string): Promise<void> {
    const last = name.slice(name.lastIndexOf('/') + 1);
    const blobId = blobIdOfName(last);
    const segment = segmentNumber(last);
    if (blobId !== undefined) await this.#blob(blobId);
    if (segment !== undefined) await this.#segment(segment, 0, undefined);
  }

  async #segments(): Promise<void> {
    const { disk, directory } = this.#parts;
    const { from } = this.#options;
    const names = await disk.list(join(directory, 'journal'));
    const numbers = names.map(segmentNumber).filter((number) => number !== undefined && number >= from.segment);
    let last: { readonly number: number; readonly nextLsn: number | undefined } | undefined;
    for (const number of numbers.filter((one) => one !== undefined).sort((a, b) => a - b)) {
      const offset = number === from.segment ? from.offset : 0;
      const firstLsn = last?.number === number - 1 ? last.nextLsn : undefined;
      last = { number, nextLsn: await this.#segment(number, offset, firstLsn) };
    }
  }

  /** Checks a segment as far as its batches are in the index: what lies behind is being written now. */
  async #segment(number: number, from: number, firstLsn: number | undefined): Promise<number | undefined> {
    const mark = readMark(this.#parts.index);
    if (mark === undefined || number > mark.segment) return undefined;
    const nextLsn = await checkSegment({
      ...this.#parts,
      number,
      from,
      firstLsn,
      ...(number === mark.segment ? { lastOffset: mark.offset } : undefined),
      onDamage: async (found) => {
        await this.#report.record(found);
        this.#summary = { ...this.#summary, damaged: this.#summary.damaged + 1 };
      },
      onRead: (sizeBytes, offset) => this.#tell(sizeBytes, { phase: 'segments', segment: number, offset }),
    });
    await this.#report.nameRecords();
    this.#summary = { ...this.#summary, segments: this.#summary.segments + 1 };
    return nextLsn;
  }

  async #blobs(): Promise<void> {
    const { to } = wholeKeyspace(keyspace.blob);
    let from = afterKey(blobKey(keyspace.blob, this.#options.from.blobId));
    for (;;) {
      let blobId: Buffer | undefined;
      this.#parts.index.scan({ from, to }, (key) => {
        blobId = Buffer.from(key.subarray(1));
        return false;
      });
      if (blobId === undefined) return;
      await this.#blob(blobId);
      from = afterKey(blobKey(keyspace.blob, blobId));
    }
  }

  async #blob(blobId: Buffer): Promise<void> {
    const { damages } = await checkBlob({
      ...this.#parts,
      blobId,
      onRead: (sizeBytes) => this.#tell(sizeBytes, { phase: 'blobs' }),
    });
    if (damages.length > 0) await this.#note(damages);
    this.#summary = { ...this.#summary, blobs: this.#summary.blobs + 1 };
    await this.#options.onRead(0, { phase: 'blobs', blobId });
  }

  async #note(damages: readonly StoreDamage[]): Promise<void> {
    await this.#report.blob(damages);
    this.#summary = { ...this.#summary, damaged: this.#summary.damaged + damages.length };
  }

  async #tell(sizeBytes: number, place: ScrubPlace): Promise<void> {
    this.#summary = { ...this.#summary, checkedBytes: this.#summary.checkedBytes + sizeBytes };
    await this.#options.onRead(sizeBytes, place);
  }
}

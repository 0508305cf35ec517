// Reads one blob from end to end and holds every byte against its checksums: the blocks of the body, and the checksums
// and the trailer by their own CRC. docs/format.md, "Blob".

import { join } from 'node:path';
import {
  blobFooterHolds,
  blobPath,
  blobTrailerSizeBytes,
  decodeBlobTrailer,
  encodeBlobFooter,
} from '../blobs/blob-file.ts';
import { blockChecksums, blockCount, blockSizeBytes, checksumSizeBytes } from '../blobs/block-checksums.ts';
import { type Disk, type DiskFile, isMissing } from '../disk/disk.ts';
import { readAround } from '../disk/read-around.ts';
import type { StoreDamage } from '../object-store.ts';

/** A whole number of blocks. */
const pieceSizeBytes = 512 * 1024;
/** The largest body whose checksums are held in memory at once: 128 MiB of them. Larger ones are no blobs of ours. */
const maxBodySizeBytes = 1024 * 1024 * 1024 * 1024;

interface BlobCheckOptions {
  readonly disk: Disk;
  /** The data folder. */
  readonly directory: string;
  readonly blobId: Buffer;
  /** What the rows that name it say; absent when nothing does. */
  readonly expectedSizeBytes?: number;
  /** Awaited after each piece: the place to wait, or to throw in order to stop. */
  readonly onRead: (sizeBytes: number) => Promise<void>;
}

export interface CheckedBlob {
  readonly damages: readonly StoreDamage[];
  /** Of the file; 0 when there is none. */
  readonly fileSizeBytes: number;
  readonly missing: boolean;
  /** Present when the bytes are proven to be intact, and only what stands behind them is damaged: what belongs there. */
  readonly footer?: { readonly position: number; readonly bytes: Buffer };
}

export async function checkBlob(options: BlobCheckOptions): Promise<CheckedBlob> {
  const { disk, directory, blobId, expectedSizeBytes = 0 } = options;
  const name = blobFileName(blobId);
  let file: DiskFile;
  try {
    file = await disk.open(join(directory, name), 'read');
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
    const damage = { file: name, offset: 0, sizeBytes: expectedSizeBytes, description: 'the file is not there' };
    return { damages: [damage], fileSizeBytes: 0, missing: true };
  }
  try {
    const check = new BlobCheck(options, file, name);
    await check.run();
    return { ...check.outcome, fileSizeBytes: check.fileSizeBytes, missing: false };
  } finally {
    await file.close();
  }
}

/** The name of a blob's file, relative to the data folder. */
export function blobFileName(blobId: Buffer): string {
  return ['blobs', ...blobPath(blobId)].join('/');
}

class BlobCheck {
  readonly #options: BlobCheckOptions;
  readonly #file: DiskFile;
  readonly #name: string;
  readonly #damages: StoreDamage[] = [];
  readonly #computed: Buffer[] = [];
  #footer: CheckedBlob['footer'];
  fileSizeBytes = 0;

  constructor(options: BlobCheckOptions, file: DiskFile, name: string) {
    this.#options = options;
    this.#file = file;
    this.#name = name;
  }

  get outcome(): Pick<CheckedBlob, 'damages' | 'footer'> {
    const footer = this.#footer;
    if (footer === undefined) return { damages: this.#damages };
    const description = 'the checksums or the trailer are damaged, the bytes before them are not';
    const damage = { file: this.#name, offset: footer.position, sizeBytes: footer.bytes.length, description };
    return { damages: [damage], footer };
  }

  async run(): Promise<void> {
    this.fileSizeBytes = await this.#file.sizeBytes();
    const { blobId, expectedSizeBytes, onRead } = this.#options;
    const sizeBytes = bodySizeOf(this.fileSizeBytes);
    if (sizeBytes === undefined || (expectedSizeBytes !== undefined && sizeBytes !== expectedSizeBytes)) {
      const expected = expectedSizeBytes === undefined ? '' : ` where a body of ${expectedSizeBytes} bytes belongs`;
      this.#note(0, this.fileSizeBytes, `the file has ${this.fileSizeBytes} bytes${expected}`);
    }
    const bodySizeBytes = expectedSizeBytes ?? sizeBytes;
    if (bodySizeBytes === undefined || bodySizeBytes > maxBodySizeBytes) return;
    const stored = Buffer.alloc(fileSizeOf(bodySizeBytes) - bodySizeBytes);
    const { count: read } = await readAround(this.#file, stored, bodySizeBytes);
    await onRead(read);
    const holds = read === stored.length && blobFooterHolds(stored);
    if (!holds) this.#note(bodySizeBytes, stored.length, 'the checksums or the trailer fail their own checksum');
    const trailer = holds ? decodeBlobTrailer(stored) : undefined;
    if (holds && (trailer?.sizeBytes !== bodySizeBytes || !trailer.blobId.equals(blobId))) {
      this.#note(bodySizeBytes, stored.length, 'the trailer is that of another blob');
    }
    const blocksHold = await this.#checkBlocks(bodySizeBytes, stored);
    if (!holds && read === stored.length) this.#judgeFooter(bodySizeBytes, stored, blocksHold);
  }

  /** Answers whether all blocks hold against the checksums in the file. */
  async #checkBlocks(sizeBytes: number, footer: Buffer): Promise<boolean> {
    let hold = true;
    for (let start = 0; start < sizeBytes; start += pieceSizeBytes) {
      const piece = Buffer.allocUnsafeSlow(Math.min(pieceSizeBytes, sizeBytes - start));
      const { count: read, unreadable } = await readAround(this.#file, piece, start);
      if (read < piece.length) {
        this.#note(start + read, sizeBytes - start - read, 'the file ends before the body does');
        return false;
      }
      const checksums = blockChecksums(piece);
      this.#computed.push(checksums);
      for (let at = 0; at < checksums.length; at += checksumSizeBytes) {
        const block = start / blockSizeBytes + at / checksumSizeBytes;
        if (checksums.readUInt32BE(at) === footer.readUInt32BE(block * checksumSizeBytes)) continue;
        hold = false;
        const offset = block * blockSizeBytes;
        const isRead = unreadable.every((one) => one.end <= offset || one.start >= offset + blockSizeBytes);
        const what = isRead ? 'a block fails its checksum' : 'a block cannot be read from the disk';
        this.#note(offset, Math.min(blockSizeBytes, sizeBytes - offset), what);
      }
      await this.#options.onRead(read);
    }
    return hold;
  }

  /**
   * The footer does not hold. Made anew from the bytes that are there, it either ends in the CRC that stands in the file, or
   * says of every block what stands there too: then the bytes are as they were written, and only the footer is damaged.
   */
  #judgeFooter(position: number, stored: Buffer, blocksHold: boolean): void {
    const { blobId } = this.#options;
    const bytes = encodeBlobFooter({ blobId, sizeBytes: position, checksums: Buffer.concat(this.#computed) });
    const crcStart = bytes.length - 12;
    const sameCrc = bytes.readUInt32BE(crcStart) === stored.readUInt32BE(crcStart);
    if (sameCrc || blocksHold) this.#footer = { position, bytes };
  }

  /** Blocks that follow one another are one damage. */
  #note(offset: number, sizeBytes: number, description: string): void {
    const last = this.#damages.at(-1);
    if (last?.description === description && last.offset + last.sizeBytes === offset) {
      this.#damages[this.#damages.length - 1] = { ...last, sizeBytes: last.sizeBytes + sizeBytes };
      return;
    }
    this.#damages.push({ file: this.#name, offset, sizeBytes, description });
  }
}

function fileSizeOf(bodySizeBytes: number): number {
  return bodySizeBytes + blockCount(bodySizeBytes) * checksumSizeBytes + blobTrailerSizeBytes;
}

/** The length of the body in a blob file of some length, or `undefined` when no blob has that length. */
function bodySizeOf(fileSizeBytes: number): number | undefined {
  const withChecksums = fileSizeBytes - blobTrailerSizeBytes;
  const blocks = Math.ceil(withChecksums / (blockSizeBytes + checksumSizeBytes));
  const sizeBytes = withChecksums - blocks * checksumSizeBytes;
  return sizeBytes >= 0 && fileSizeOf(sizeBytes) === fileSizeBytes ? sizeBytes : undefined;
}

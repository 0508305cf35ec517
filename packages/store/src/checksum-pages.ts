// The checksums of a blob's blocks, which stand behind its bytes: read a page at a time and kept with the open file, so that
// a stream of reads, or random ranges of one blob, do not read them again and again. docs/format.md, "Blob".

import { blockCount, checksumSizeBytes } from './blobs/block-checksums.ts';
import type { LentFile } from './open-files.ts';

/** A page of 4 KiB is good for 32 MiB of bytes. */
export const blocksOfPage = 1024;
/** Pages kept of one file. */
const maxPages = 16;

interface BlockSpan {
  readonly first: number;
  readonly count: number;
}

/** Checksums from the beginning of the page of block `first` on, up to its last block at least. `sizeBytes` is the blob's. */
export function blobChecksumsSync(lent: LentFile, sizeBytes: number, blocks: BlockSpan): Buffer {
  return joined(pagesOf(blocks).map((page) => lent.checksumPages.get(page) ?? readPageSync(lent, sizeBytes, page)));
}

/** The same, through the thread pool where they have to be read. */
export async function blobChecksums(lent: LentFile, sizeBytes: number, blocks: BlockSpan): Promise<Buffer> {
  const pages = pagesOf(blocks).map((page) => lent.checksumPages.get(page) ?? readPage(lent, sizeBytes, page));
  return joined(await Promise.all(pages));
}

function pagesOf({ first, count }: BlockSpan): readonly number[] {
  const page = Math.floor(first / blocksOfPage);
  const last = Math.floor((first + count - 1) / blocksOfPage);
  return page === last ? [page] : Array.from({ length: last - page + 1 }, (_, index) => page + index);
}

function joined(pages: readonly Buffer[]): Buffer {
  const [only] = pages;
  return only !== undefined && pages.length === 1 ? only : Buffer.concat(pages);
}

function readPageSync(lent: LentFile, sizeBytes: number, page: number): Buffer {
  const bytes = memoryOf(sizeBytes, page);
  return keep(lent, page, bytes, lent.file.readSync(bytes, positionOf(sizeBytes, page)));
}

async function readPage(lent: LentFile, sizeBytes: number, page: number): Promise<Buffer> {
  const bytes = memoryOf(sizeBytes, page);
  return keep(lent, page, bytes, await lent.file.read(bytes, positionOf(sizeBytes, page)));
}

function keep(lent: LentFile, page: number, bytes: Buffer, count: number): Buffer {
  // A file that ends too early: zeros, which fail, as the bytes would whose checksums they should be.
  if (count < bytes.length) return bytes.fill(0, count);
  for (const oldest of lent.checksumPages.keys()) {
    if (lent.checksumPages.size < maxPages) break;
    lent.checksumPages.delete(oldest);
  }
  lent.checksumPages.set(page, bytes);
  return bytes;
}

function memoryOf(sizeBytes: number, page: number): Buffer {
  const blocks = Math.min(blockCount(sizeBytes) - page * blocksOfPage, blocksOfPage);
  return Buffer.allocUnsafeSlow(blocks * checksumSizeBytes);
}

function positionOf(sizeBytes: number, page: number): number {
  return sizeBytes + page * blocksOfPage * checksumSizeBytes;
}

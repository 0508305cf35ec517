// The list of what a ZIP archive holds, read from its end by ranged reads: APPNOTE 6.3.10 §4.3.12 to §4.3.16, with ZIP64. Nothing is
// unpacked, and nothing of the entries themselves is read.

import type { ByteSource } from './byte-source.ts';

interface ZipEntry {
  readonly name: string;
  readonly packedBytes: number;
  readonly unpackedBytes: number;
  /** Where its local header lies, counted as the archive counts. */
  readonly headerByte: number;
  readonly encrypted: boolean;
}

export interface ZipDirectory {
  readonly entries: readonly ZipEntry[];
  /** Where the directory begins, counted as the archive counts. */
  readonly directoryByte: number;
  /** Bytes before the archive: of a program that unpacks itself, or of a second format. */
  readonly bytesBefore: number;
}

interface ZipReadLimits {
  readonly zipEntries: number;
  readonly zipDirectoryBytes: number;
}

type ZipReading =
  | { readonly found: 'directory'; readonly directory: ZipDirectory }
  /** No end of a directory was found. */
  | { readonly found: 'none' }
  | { readonly found: 'broken' | 'too-much'; readonly reason: string };

/** The record at the end, with the longest comment there can be. */
const longestEndBytes = 22 + 0xffff;
const marks = { end: 0x06054b50, end64: 0x06064b50, locator64: 0x07064b50, entry: 0x02014b50 } as const;
const notHere = 0xffffffff;

/** Reads the directory, where the bytes end as a ZIP archive does. */
export async function readZipDirectory(source: ByteSource, limits: ZipReadLimits): Promise<ZipReading> {
  const tailByte = Math.max(0, source.sizeBytes - longestEndBytes);
  const tail = viewOf(await source.read({ fromByte: tailByte, sizeBytes: longestEndBytes }));
  const endAt = findEnd(tail);
  if (endAt === undefined) return { found: 'none' };
  const end = (await readEnd64(source, tail, endAt)) ?? {
    directoryBytes: tail.getUint32(endAt + 12, true),
    directoryByte: tail.getUint32(endAt + 16, true),
    endByte: tailByte + endAt,
  };
  const { directoryBytes, directoryByte, endByte } = end;
  if (directoryBytes > limits.zipDirectoryBytes) {
    return {
      found: 'too-much',
      reason: `its directory has ${directoryBytes} bytes, and at most ${limits.zipDirectoryBytes} are read`,
    };
  }
  const bytesBefore = endByte - directoryBytes - directoryByte;
  if (bytesBefore < 0) return { found: 'broken', reason: 'its directory does not lie where it says' };
  const bytes = await source.read({ fromByte: endByte - directoryBytes, sizeBytes: directoryBytes });
  const entries: ZipEntry[] = [];
  try {
    for (const entry of entriesOf(bytes)) {
      entries.push(entry);
      if (entries.length > limits.zipEntries)
        return { found: 'too-much', reason: `it holds more than ${limits.zipEntries} entries` };
    }
  } catch (error) {
    // A record that is cut off.
    if (!(error instanceof RangeError)) throw error;
    return { found: 'broken', reason: 'its directory cannot be read' };
  }
  return { found: 'directory', directory: { entries, directoryByte, bytesBefore } };
}

/** The last place where a record of the end lies whole; what follows its comment is let pass, as unpackers do. */
function findEnd(tail: DataView): number | undefined {
  for (let at = tail.byteLength - 22; at >= 0; at--) {
    if (tail.getUint32(at, true) === marks.end && at + 22 + tail.getUint16(at + 20, true) <= tail.byteLength) return at;
  }
  return undefined;
}

async function readEnd64(
  source: ByteSource,
  tail: DataView,
  endAt: number,
): Promise<{ directoryBytes: number; directoryByte: number; endByte: number } | undefined> {
  const locatorAt = endAt - 20;
  if (locatorAt < 0 || tail.getUint32(locatorAt, true) !== marks.locator64) return undefined;
  const tailByte = source.sizeBytes - tail.byteLength;
  // Where it says, or, behind bytes that it does not count, right before its locator.
  for (const fromByte of [uint64(tail, locatorAt + 8), tailByte + locatorAt - 56]) {
    if (fromByte < 0 || fromByte + 56 > source.sizeBytes) continue;
    const record = viewOf(await source.read({ fromByte, sizeBytes: 56 }));
    if (record.byteLength < 56 || record.getUint32(0, true) !== marks.end64) continue;
    return { directoryBytes: uint64(record, 40), directoryByte: uint64(record, 48), endByte: fromByte };
  }
  return undefined;
}

/** Throws a `RangeError` where a record is not one. */
function* entriesOf(bytes: Uint8Array): Iterable<ZipEntry> {
  const view = viewOf(bytes);
  const latin = new TextDecoder('latin1');
  for (let at = 0; at < bytes.length; ) {
    if (view.getUint32(at, true) !== marks.entry) throw new RangeError('No entry begins here.');
    const flags = view.getUint16(at + 8, true);
    const nameBytes = view.getUint16(at + 28, true);
    const extraBytes = view.getUint16(at + 30, true);
    const nameAt = at + 46;
    const wide = wideFields(view, nameAt + nameBytes, extraBytes);
    const field = (value: number): number => (value === notHere ? (wide.next().value ?? value) : value);
    // In the order in which the extra field holds those that did not fit.
    const unpackedBytes = field(view.getUint32(at + 24, true));
    const packedBytes = field(view.getUint32(at + 20, true));
    const headerByte = field(view.getUint32(at + 42, true));
    yield {
      name: latin.decode(bytes.subarray(nameAt, nameAt + nameBytes)),
      packedBytes,
      unpackedBytes,
      headerByte,
      encrypted: (flags & 0x2001) !== 0,
    };
    at = nameAt + nameBytes + extraBytes + view.getUint16(at + 32, true);
  }
}

/** The numbers of the ZIP64 extra field, §4.5.3. */
function* wideFields(view: DataView, startAt: number, sizeBytes: number): Generator<number, undefined> {
  for (let at = startAt; at + 4 <= startAt + sizeBytes; ) {
    const fieldBytes = view.getUint16(at + 2, true);
    if (view.getUint16(at, true) === 1) {
      for (let field = at + 4; field + 8 <= at + 4 + fieldBytes; field += 8) yield uint64(view, field);
      return;
    }
    at += 4 + fieldBytes;
  }
}

/** Sizes beyond 2^53 lose their last digits, which no limit here is about. */
function uint64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

// Takes out of an image what cameras and programs wrote into it (place, device, author, comments, thumbnails, what stands behind its
// end) and leaves its picture as it is, bit for bit: JPEG (T.81), PNG (ISO 15948), WebP (RFC 9649), GIF89a. How it is to be turned is
// kept, in EXIF that says nothing else, and so are colours. Doing it twice changes nothing.

import { crc32 } from 'node:zlib';

type Stripped =
  | { readonly stripped: true; readonly bytes: Uint8Array }
  /** Of this format nothing can be taken out, or the bytes are not of it. */
  | { readonly stripped: false };

/** Types of images that are stripped. */
export function isStrippable(contentType: string): boolean {
  return Object.hasOwn(strippers, contentType);
}

/** Image formats in which no camera writes: they are left alone. */
export function holdsNoMetadata(contentType: string): boolean {
  return !contentType.startsWith('image/') || bareTypes.has(contentType);
}

/** Of one image, whole. */
export function stripMetadata(contentType: string, bytes: Uint8Array): Stripped {
  const strip = strippers[contentType];
  if (strip === undefined) return { stripped: false };
  try {
    const pieces = strip(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    return pieces === undefined ? { stripped: false } : { stripped: true, bytes: Buffer.concat(pieces) };
  } catch (error) {
    // A piece that is cut off.
    if (error instanceof RangeError) return { stripped: false };
    throw error;
  }
}

type Strip = (bytes: Buffer) => readonly Buffer[] | undefined;

const bareTypes: ReadonlySet<string> = new Set(['image/svg+xml', 'image/bmp', 'image/x-icon']);

const jpegStart = 0xffd8;
const jpegEnd = 0xffd9;
const jpegScan = 0xffda;
const iccName = 'ICC_PROFILE\0';

const jpeg: Strip = (bytes) => {
  if (bytes.readUInt16BE(0) !== jpegStart) return undefined;
  const kept: Buffer[] = [];
  let orientation = 1;
  for (let at = 2; ; ) {
    const marker = bytes.readUInt16BE(at);
    if (marker === 0xffff) {
      at += 1;
      continue;
    }
    if (marker === jpegEnd) {
      const exif = orientation === 1 ? [] : [jpegExif(orientation)];
      // JFIF wants to be first.
      const first = kept[0]?.readUInt16BE(0) === 0xffe0 ? 1 : 0;
      return [bytes.subarray(0, 2), ...kept.slice(0, first), ...exif, ...kept.slice(first), bytes.subarray(at, at + 2)];
    }
    if (marker < 0xff01) return undefined;
    let endAt = at + 2 + bytes.readUInt16BE(at + 2);
    const body = bytes.subarray(at + 4, endAt);
    if (marker === 0xffe1 && startsWith(body, 'Exif\0\0')) orientation = orientationOf(body.subarray(6));
    if (marker === jpegScan) endAt = scanEnd(bytes, endAt);
    if (isKeptSegment(marker, body)) kept.push(bytes.subarray(at, endAt));
    at = endAt;
  }
};

/** APP0 (JFIF), the colour profile of APP2, APP14 (Adobe's colours); of other APPn and comments nothing. */
function isKeptSegment(marker: number, body: Buffer): boolean {
  if (marker === 0xffe2) return startsWith(body, iccName);
  if (marker === 0xffe0) return startsWith(body, 'JFIF\0');
  if (marker === 0xffee) return startsWith(body, 'Adobe');
  return !((marker >= 0xffe0 && marker <= 0xffef) || marker === 0xfffe);
}

/** Where the next marker stands that is no restart and no stuffed byte. */
function scanEnd(bytes: Buffer, fromAt: number): number {
  for (let at = bytes.indexOf(0xff, fromAt); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const next = bytes.readUInt8(at + 1);
    if (next !== 0 && next !== 0xff && !(next >= 0xd0 && next <= 0xd7)) return at;
  }
  throw new RangeError('The scan has no end.');
}

function jpegExif(orientation: number): Buffer {
  const body = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiffOf(orientation)]);
  const head = Buffer.from('ffe10000', 'hex');
  head.writeUInt16BE(body.length + 2, 2);
  return Buffer.concat([head, body]);
}

const pngMagic = '\x89PNG\r\n\x1a\n';
const pngKept: ReadonlySet<string> = new Set(
  'IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP cICP mDCV cLLI sBIT bKGD hIST pHYs sPLT acTL fcTL fdAT'.split(' '),
);

const png: Strip = (bytes) => {
  if (!startsWith(bytes, pngMagic)) return undefined;
  const kept = [bytes.subarray(0, pngMagic.length)];
  let orientation = 1;
  for (let at = pngMagic.length; ; ) {
    const type = bytes.toString('latin1', at + 4, at + 8);
    const endAt = at + 12 + bytes.readUInt32BE(at);
    if (endAt > bytes.length) return undefined;
    if (type === 'eXIf') orientation = orientationOf(tiffIn(bytes.subarray(at + 8, endAt - 4)));
    if (pngKept.has(type)) kept.push(bytes.subarray(at, endAt));
    // Behind the magic and the header, before any picture: some decoders look no further.
    if (type === 'IEND') return orientation === 1 ? kept : kept.toSpliced(2, 0, pngExif(orientation));
    at = endAt;
  }
};

function pngExif(orientation: number): Buffer {
  const body = Buffer.concat([Buffer.from('eXIf', 'latin1'), tiffOf(orientation)]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(body.length - 4, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

const webpKept: ReadonlySet<string> = new Set(['VP8X', 'ICCP', 'ANIM', 'ANMF', 'ALPH', 'VP8 ', 'VP8L']);
const webpFlags = { xmp: 0x04, exif: 0x08 } as const;

const webp: Strip = (bytes) => {
  if (!startsWith(bytes, 'RIFF') || bytes.toString('latin1', 8, 12) !== 'WEBP') return undefined;
  const kept: Buffer[] = [];
  let orientation = 1;
  const end = Math.min(bytes.length, 8 + bytes.readUInt32LE(4));
  for (let at = 12; at + 8 <= end; ) {
    const type = bytes.toString('latin1', at, at + 4);
    const sizeBytes = bytes.readUInt32LE(at + 4);
    const endAt = at + 8 + sizeBytes + (sizeBytes % 2);
    if (endAt > bytes.length) return undefined;
    const body = bytes.subarray(at + 8, at + 8 + sizeBytes);
    if (type === 'EXIF') orientation = orientationOf(tiffIn(body));
    const chunk = bytes.subarray(at, endAt);
    // Of what is written to below there is a copy; of pictures, which may be large, there is none.
    if (webpKept.has(type)) kept.push(type === 'VP8X' ? Buffer.from(chunk) : chunk);
    at = endAt;
  }
  const [first] = kept;
  if (first === undefined) return undefined;
  if (startsWith(first, 'VP8X')) {
    first[8] = ((first[8] ?? 0) & ~(webpFlags.xmp | webpFlags.exif)) | (orientation === 1 ? 0 : webpFlags.exif);
    if (orientation !== 1) kept.push(webpExif(orientation));
  }
  const head = Buffer.from('RIFF\0\0\0\0WEBP', 'latin1');
  head.writeUInt32LE(4 + kept.reduce((sum, chunk) => sum + chunk.length, 0), 4);
  return [head, ...kept];
};

function webpExif(orientation: number): Buffer {
  const body = tiffOf(orientation);
  const head = Buffer.from('EXIF\0\0\0\0', 'latin1');
  head.writeUInt32LE(body.length, 4);
  return Buffer.concat([head, body]);
}

const gif: Strip = (bytes) => {
  if (!startsWith(bytes, 'GIF8')) return undefined;
  const tableBytes = (flags: number): number => ((flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1));
  let at = 13 + tableBytes(bytes.readUInt8(10));
  const kept = [bytes.subarray(0, at)];
  for (;;) {
    const block = bytes.readUInt8(at);
    if (block === 0x3b) return [...kept, bytes.subarray(at, at + 1)];
    let endAt: number;
    let isKept = true;
    if (block === 0x2c) endAt = subBlocksEnd(bytes, at + 11 + tableBytes(bytes.readUInt8(at + 9)));
    else if (block === 0x21) {
      const label = bytes.readUInt8(at + 1);
      const program = bytes.toString('latin1', at + 3, at + 14);
      // Turns and times of pictures are kept; comments, and what programs add beside how often to repeat, are not.
      isKept = label === 0xf9 || label === 0x01 || program === 'NETSCAPE2.0' || program === 'ANIMEXTS1.0';
      endAt = subBlocksEnd(bytes, at + 2);
    } else return undefined;
    if (isKept) kept.push(bytes.subarray(at, endAt));
    at = endAt;
  }
};

function subBlocksEnd(bytes: Buffer, fromAt: number): number {
  let at = fromAt;
  for (let sizeBytes = bytes.readUInt8(at); sizeBytes > 0; sizeBytes = bytes.readUInt8(at)) at += 1 + sizeBytes;
  return at + 1;
}

const strippers: Readonly<Record<string, Strip | undefined>> = {
  'image/jpeg': jpeg,
  'image/png': png,
  'image/apng': png,
  'image/webp': webp,
  'image/gif': gif,
};

/** TIFF 6.0 with the one tag 274; its value is 1 to 8. */
function tiffOf(orientation: number): Buffer {
  const tiff = Buffer.from('4d4d002a0000000800010112000300000001000000000000000000', 'hex').subarray(0, 26);
  tiff.writeUInt16BE(orientation, 18);
  return tiff;
}

/** Some programs write into every format what JPEG alone has before it. */
function tiffIn(body: Buffer): Buffer {
  return startsWith(body, 'Exif\0\0') ? body.subarray(6) : body;
}

/** Tag 274 of the first directory; 1, upright, where there is none. */
function orientationOf(tiff: Buffer): number {
  try {
    const little = startsWith(tiff, 'II');
    const uint16 = (at: number): number => (little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
    const directory = little ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4);
    for (let entry = 0; entry < uint16(directory); entry++) {
      const at = directory + 2 + 12 * entry;
      if (uint16(at) !== 274) continue;
      const value = uint16(at + 8);
      return value >= 1 && value <= 8 ? value : 1;
    }
  } catch (error) {
    // EXIF that is cut off says nothing.
    if (!(error instanceof RangeError)) throw error;
  }
  return 1;
}

function startsWith(bytes: Buffer, text: string): boolean {
  return bytes.toString('latin1', 0, text.length) === text;
}

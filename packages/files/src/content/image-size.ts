// How many pixels an image says it has, read from its header without decoding anything: PNG (ISO 15948 §11.2.2), GIF89a §18,
// JPEG (T.81 B.2.2), WebP (RFC 9649), BMP, TIFF 6.0 §2, and the `ispe` boxes of AVIF and HEIC (ISO 23008-12 §6.5.3). A header that
// lies beyond the bytes given is not found; then the limit of the decoder holds alone.

/** Width times height; `undefined` where no header of a known format says. */
export function pixelsOf(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const read of readers) {
    try {
      const pixels = read(view);
      if (pixels !== undefined) return pixels;
    } catch (error) {
      // A header that is cut off: nothing can be said.
      if (!(error instanceof RangeError)) throw error;
    }
  }
  return undefined;
}

type ReadPixels = (view: DataView) => number | undefined;

const png: ReadPixels = (view) =>
  startsWith(view, 0, '\x89PNG\r\n\x1a\n') ? view.getUint32(16) * view.getUint32(20) : undefined;

const gif: ReadPixels = (view) => {
  if (!startsWith(view, 0, 'GIF8')) return undefined;
  return view.getUint16(6, true) * view.getUint16(8, true);
};

const bmp: ReadPixels = (view) => {
  if (!startsWith(view, 0, 'BM') || view.getUint32(14, true) < 40) return undefined;
  return Math.abs(view.getInt32(18, true)) * Math.abs(view.getInt32(22, true));
};

const webp: ReadPixels = (view) => {
  if (!startsWith(view, 0, 'RIFF') || !startsWith(view, 8, 'WEBP')) return undefined;
  if (startsWith(view, 12, 'VP8X')) return (1 + uint24(view, 24)) * (1 + uint24(view, 27));
  if (startsWith(view, 12, 'VP8L')) {
    const packed = view.getUint32(21, true);
    return (1 + (packed & 0x3fff)) * (1 + ((packed >>> 14) & 0x3fff));
  }
  return (view.getUint16(26, true) & 0x3fff) * (view.getUint16(28, true) & 0x3fff);
};

const jpeg: ReadPixels = (view) => {
  if (view.getUint16(0) !== 0xffd8) return undefined;
  let at = 2;
  for (;;) {
    const marker = view.getUint16(at);
    if (marker === 0xffff) {
      at += 1;
      continue;
    }
    if (marker < 0xff00) return undefined;
    // Start of frame, of whichever kind; 0xffc4, 0xffc8 and 0xffcc are tables.
    const isFrame = marker >= 0xffc0 && marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker);
    if (isFrame) return view.getUint16(at + 5) * view.getUint16(at + 7);
    at += 2 + view.getUint16(at + 2);
  }
};

const tiff: ReadPixels = (view) => {
  const little = startsWith(view, 0, 'II*\0');
  if (!little && !startsWith(view, 0, 'MM\0*')) return undefined;
  const directory = view.getUint32(4, little);
  const count = view.getUint16(directory, little);
  let [width, height] = [0, 0];
  for (let entry = 0; entry < count; entry++) {
    const at = directory + 2 + 12 * entry;
    const isShort = view.getUint16(at + 2, little) === 3;
    const value = isShort ? view.getUint16(at + 8, little) : view.getUint32(at + 8, little);
    const tag = view.getUint16(at, little);
    if (tag === 256) width = value;
    if (tag === 257) height = value;
  }
  return width * height;
};

/** The largest of all pictures in the container: one of them is a grid of the others, or a thumbnail. */
const heif: ReadPixels = (view) => {
  if (!startsWith(view, 4, 'ftyp')) return undefined;
  let most: number | undefined;
  for (let at = 8; at + 16 <= view.byteLength; at++) {
    if (view.getUint32(at) !== 0x69737065) continue;
    most = Math.max(most ?? 0, view.getUint32(at + 8) * view.getUint32(at + 12));
  }
  return most;
};

const readers: readonly ReadPixels[] = [png, gif, bmp, webp, jpeg, tiff, heif];

function startsWith(view: DataView, at: number, text: string): boolean {
  if (at + text.length > view.byteLength) return false;
  for (let index = 0; index < text.length; index++) {
    if (view.getUint8(at + index) !== text.charCodeAt(index)) return false;
  }
  return true;
}

function uint24(view: DataView, at: number): number {
  return view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
}

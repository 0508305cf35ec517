// Bytes that are not what they seem, made as they are needed: archives and images whose headers promise what is not there.

import { crc32, deflateRawSync, deflateSync } from 'node:zlib';

export const elf = Buffer.concat([Buffer.from('7f454c4602010100', 'hex'), Buffer.alloc(56)]);
export const machO = Buffer.concat([Buffer.from('cffaedfe07000001', 'hex'), Buffer.alloc(64)]);
export const shellScript = Buffer.from('#!/bin/sh\nrm -rf "$HOME"\n');

/** Enough of a Windows program to be told by. */
export function windowsProgram(): Buffer {
  const bytes = Buffer.alloc(512);
  bytes.write('MZ');
  bytes.writeUInt32LE(0x80, 0x3c);
  bytes.write('PE\0\0', 0x80);
  return bytes;
}

export function pngChunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.byteLength, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** A PNG whose header says so many pixels, with the given chunks before its end. Of many pixels there are only the first. */
export function pngOf(edgePixels: number, chunks: readonly Uint8Array[] = []): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(edgePixels, 0);
  header.writeUInt32BE(edgePixels, 4);
  header[8] = 8; // Bits a pixel; greyscale, no interlace.
  const rows = deflateSync(Buffer.alloc(edgePixels > 1000 ? 64 : (1 + edgePixels) * edgePixels));
  const magic = Buffer.from('89504e470d0a1a0a', 'hex');
  return Buffer.concat([
    magic,
    pngChunk('IHDR', header),
    ...chunks,
    pngChunk('IDAT', rows),
    pngChunk('IEND', new Uint8Array()),
  ]);
}

interface ZipPart {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** What the directory says of its size. Default: the truth. */
  readonly claimedBytes?: number;
  readonly encrypted?: boolean;
  /** Where the directory says that it lies. Default: where it does. */
  readonly claimedAt?: number;
}

/** A ZIP archive of deflated entries, whose directory says what a test wants. */
export function zipOf(parts: readonly ZipPart[], { zip64 = false } = {}): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, bytes, claimedBytes = bytes.length, encrypted = false, claimedAt } of parts) {
    const packed = deflateRawSync(bytes);
    const nameBytes = Buffer.from(name);
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt16LE(encrypted ? 1 : 0, 2);
    shared.writeUInt16LE(8, 4);
    shared.writeUInt32LE(crc32(bytes), 10);
    shared.writeUInt32LE(packed.length, 14);
    shared.writeUInt32LE(zip64 ? 0xffffffff : claimedBytes, 18);
    shared.writeUInt16LE(nameBytes.length, 22);
    const extra = Buffer.alloc(zip64 ? 12 : 0);
    if (zip64) {
      extra.writeUInt16LE(1, 0);
      extra.writeUInt16LE(8, 2);
      extra.writeBigUInt64LE(BigInt(claimedBytes), 4);
      shared.writeUInt16LE(extra.length, 24);
    }
    const local = Buffer.concat([Buffer.from('504b0304', 'hex'), shared, nameBytes, extra, packed]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(claimedAt ?? at, 10);
    directory.push(Buffer.from('504b01021400', 'hex'), shared, place, nameBytes, extra);
    files.push(local);
    at += local.length;
  }
  const directoryBytes = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(parts.length, 8);
  end.writeUInt16LE(parts.length, 10);
  end.writeUInt32LE(zip64 ? 0xffffffff : directoryBytes.length, 12);
  end.writeUInt32LE(zip64 ? 0xffffffff : at, 16);
  return Buffer.concat([
    ...files,
    directoryBytes,
    ...(zip64 ? end64(at, directoryBytes.length, parts.length) : []),
    end,
  ]);
}

function end64(directoryAt: number, directoryBytes: number, count: number): readonly Buffer[] {
  const record = Buffer.alloc(56);
  record.write('PK\x06\x06', 'latin1');
  record.writeBigUInt64LE(44n, 4);
  record.writeBigUInt64LE(BigInt(count), 24);
  record.writeBigUInt64LE(BigInt(count), 32);
  record.writeBigUInt64LE(BigInt(directoryBytes), 40);
  record.writeBigUInt64LE(BigInt(directoryAt), 48);
  const locator = Buffer.alloc(20);
  locator.write('PK\x06\x07', 'latin1');
  locator.writeBigUInt64LE(BigInt(directoryAt + directoryBytes), 8);
  locator.writeUInt32LE(1, 16);
  return [record, locator];
}

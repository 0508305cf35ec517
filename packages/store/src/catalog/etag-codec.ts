// ETags in few bytes: an MD5 as 16 raw bytes, an MD5 of MD5s with its part count as 18, anything else as text.

import type { ByteReader, ByteWriter } from './byte-codec.ts';

const md5 = 0;
const md5OfParts = 1;
const opaque = 2;
const md5Pattern = /^[0-9a-f]{32}$/;
const md5OfPartsPattern = /^[0-9a-f]{32}-[1-9][0-9]{0,4}$/;

export function writeEtag(writer: ByteWriter, etag: string): void {
  if (etag.length === 32 && md5Pattern.test(etag)) {
    writer.u8(md5);
    writer.hex(etag);
  } else if (md5OfPartsPattern.test(etag) && Number(etag.slice(33)) <= 0xffff) {
    writer.u8(md5OfParts);
    writer.hex(etag.slice(0, 32));
    writer.u16(Number(etag.slice(33)));
  } else {
    writer.u8(opaque);
    writer.shortText(etag);
  }
}

export function readEtag(reader: ByteReader): string {
  switch (reader.u8()) {
    case md5:
      return reader.hex(16);
    case md5OfParts: {
      const hash = reader.hex(16);
      return `${hash}-${reader.u16()}`;
    }
    default:
      return reader.shortText();
  }
}

// XML that a request's body may hold: every document reader takes it or refuses it with an S3Error, and nothing else.

import {
  isS3Error,
  readCompleteMultipartUploadDocument,
  readCorsConfigurationDocument,
  readDeleteObjectsDocument,
} from '@stowage/s3';
import type { FuzzRandom } from '../../scripts/testing/fuzz-random.ts';

const readers = [
  readDeleteObjectsDocument,
  readCompleteMultipartUploadDocument,
  readCorsConfigurationDocument,
] as const;
const samples = [
  '<Delete><Object><Key>a&amp;b</Key><VersionId>null</VersionId></Object><Quiet>true</Quiet></Delete>',
  '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"e"</ETag></Part></CompleteMultipartUpload>',
  '<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>',
] as const;
const pieces = [
  '<',
  '>',
  '</',
  '&',
  '&#0;',
  '&#x10FFFF;',
  '<![CDATA[',
  ']]>',
  '<!--',
  '<!DOCTYPE a [',
  '<?xml ?>',
  '"',
  '\u202e',
  '\0',
] as const;
const MAX_CHANGES = 8;

export function fuzz(random: FuzzRandom): void {
  let text: string = random.pick(samples);
  for (let change = random.below(MAX_CHANGES); change > 0; change -= 1) {
    const at = random.below(text.length + 1);
    const piece = random.below(3) === 0 ? String.fromCharCode(random.below(0x10000)) : random.pick(pieces);
    text = text.slice(0, at) + piece + text.slice(at + random.below(4));
  }
  const bytes = random.below(10) === 0 ? random.bytes(random.below(200)) : Buffer.from(text);
  for (const read of readers) {
    try {
      read(bytes);
    } catch (error) {
      if (!isS3Error(error))
        throw new Error(`${read.name} did not refuse ${JSON.stringify(text)} as it should`, { cause: error });
    }
  }
}

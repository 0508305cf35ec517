// What the bytes of a file are, and what of it is to be known: type, disguise, bombs, second readings. Reads the ends of the file and, of
// a ZIP archive, its directory; never the whole. What follows from a finding is said by content-rules.ts and the file's policy.

import type { FilesLimits } from '../limits.ts';
import { type ByteSource, withFirstBytes } from './byte-source.ts';
import { excerptOf } from './excerpt.ts';
import type { Finding } from './finding.ts';
import { pixelsOf } from './image-size.ts';
import { judgeArchive, type ZipLimits } from './judge-archive.ts';
import { endBytes, findActiveContent } from './second-reading.ts';
import { type Announcement, judgeType, sniffedBytes } from './type-rules.ts';

export type ContentLimits = ZipLimits & Pick<FilesLimits, 'imagePixels'>;

export interface ContentVerdict {
  /** What the bytes are; absent where a finding refuses them before that is asked. */
  readonly contentType: string | undefined;
  readonly findings: readonly Finding[];
  /** The beginning of a text; absent of anything else. */
  readonly excerpt: string | undefined;
}

/** Types whose last bytes are looked at too: what browsers and other programs show in place. */
const shownKinds = /^(image|video|audio)\/|^application\/pdf$/;

/** Throws `BytesGoneError` when the bytes change while they are read. */
export async function judgeContent(
  announced: Announcement,
  source: ByteSource,
  limits: ContentLimits,
): Promise<ContentVerdict> {
  const firstBytes = await source.read({ fromByte: 0, sizeBytes: Math.min(sniffedBytes, source.sizeBytes) });
  const type = await judgeType(announced, firstBytes);
  if (!type.accepted) {
    const findings = [{ finding: type.finding, detail: type.reason }];
    return { contentType: undefined, findings, excerpt: undefined };
  }
  const { contentType } = type;
  const findings: Finding[] = [];
  const known = withFirstBytes(firstBytes, source);
  const beginsAsZip = firstBytes[0] === 0x50 && firstBytes[1] === 0x4b;
  const pixels = contentType.startsWith('image/') ? pixelsOf(firstBytes) : undefined;
  if (pixels !== undefined && pixels > limits.imagePixels) {
    findings.push({
      finding: 'image-bomb',
      detail: `The image says that it has ${pixels} pixels; at most ${limits.imagePixels} are taken.`,
    });
  }
  if (beginsAsZip) findings.push(...(await judgeArchive(known, limits)).findings);
  else if (shownKinds.test(contentType))
    findings.push(...(await secondReadings(contentType, firstBytes, known, limits)));
  return { contentType, findings, excerpt: excerptOf(contentType, firstBytes) };
}

async function secondReadings(
  contentType: string,
  firstBytes: Uint8Array,
  source: ByteSource,
  limits: ContentLimits,
): Promise<readonly Finding[]> {
  const lastBytes = await source.read({
    fromByte: Math.max(0, source.sizeBytes - endBytes),
    sizeBytes: Math.min(endBytes, source.sizeBytes),
  });
  const active = findActiveContent(contentType, { firstBytes, lastBytes });
  const archive = await judgeArchive(withLastBytes(lastBytes, source), limits);
  const second: Finding = { finding: 'second-format', detail: 'The bytes can also be unpacked as a ZIP archive.' };
  return [...(active === undefined ? [] : [active]), ...(archive.isZip ? [second, ...archive.findings] : [])];
}

/** A source of what was read of its end; before that, `rest` is asked. */
function withLastBytes(lastBytes: Uint8Array, rest: ByteSource): ByteSource {
  const lastFrom = rest.sizeBytes - lastBytes.length;
  return {
    sizeBytes: rest.sizeBytes,
    read: (range) =>
      range.fromByte < lastFrom
        ? rest.read(range)
        : Promise.resolve(lastBytes.subarray(range.fromByte - lastFrom, range.fromByte - lastFrom + range.sizeBytes)),
  };
}

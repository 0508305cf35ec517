// What a ZIP archive would become if somebody unpacked it, judged from its directory alone. Other archives (7z, RAR, tar, gzip) have
// no directory that could be read so, and are left to the scanner.

import type { FilesLimits } from '../limits.ts';
import type { ByteSource } from './byte-source.ts';
import type { Finding } from './finding.ts';
import { readZipDirectory, type ZipDirectory } from './zip-directory.ts';

export type ZipLimits = Pick<
  FilesLimits,
  'zipEntries' | 'zipDirectoryBytes' | 'zipUnpackedBytes' | 'zipRatio' | 'zipRatioFromBytes' | 'zipNestedRatio'
>;

interface ArchiveVerdict {
  /** Whether the bytes end as a ZIP archive does. */
  readonly isZip: boolean;
  readonly findings: readonly Finding[];
}

/** Archives that are packed themselves: what is packed twice does not shrink again, unless it holds the same over and over. */
const packedName = /\.(zip|zipx|jar|7z|rar|gz|tgz|bz2|xz|zst|cab)$/i;

export async function judgeArchive(source: ByteSource, limits: ZipLimits): Promise<ArchiveVerdict> {
  const reading = await readZipDirectory(source, limits);
  switch (reading.found) {
    case 'none':
      return { isZip: false, findings: [] };
    case 'broken':
      return { isZip: true, findings: [{ finding: 'unreadable-archive', detail: `The archive: ${reading.reason}.` }] };
    case 'too-much':
      return { isZip: true, findings: [{ finding: 'archive-bomb', detail: `The archive: ${reading.reason}.` }] };
    case 'directory':
      return { isZip: true, findings: findingsOf(reading.directory, source.sizeBytes, limits) };
  }
}

function findingsOf(directory: ZipDirectory, sizeBytes: number, limits: ZipLimits): readonly Finding[] {
  const { entries } = directory;
  const findings: Finding[] = [];
  const bomb = bombIn(directory, sizeBytes, limits);
  if (bomb !== undefined) findings.push({ finding: 'archive-bomb', detail: `The archive: ${bomb}.` });
  const encrypted = entries.filter((entry) => entry.encrypted).length;
  if (encrypted > 0) {
    findings.push({
      finding: 'encrypted-archive',
      detail: `${encrypted} of ${entries.length} entries are encrypted: no scanner can look into them.`,
    });
  }
  const nested = entries.filter(({ name }) => packedName.test(name)).length;
  if (nested > 0)
    findings.push({ finding: 'nested-archive', detail: `${nested} of ${entries.length} entries are archives.` });
  return findings;
}

function bombIn({ entries, directoryByte }: ZipDirectory, sizeBytes: number, limits: ZipLimits): string | undefined {
  const unpackedBytes = entries.reduce((sum, entry) => sum + entry.unpackedBytes, 0);
  if (unpackedBytes > limits.zipUnpackedBytes)
    return `it would unpack to ${unpackedBytes} bytes, and at most ${limits.zipUnpackedBytes} are taken`;
  const ratio = Math.round(unpackedBytes / sizeBytes);
  if (unpackedBytes > limits.zipRatioFromBytes && ratio > limits.zipRatio)
    return `it would unpack to ${ratio} times its size, and at most ${limits.zipRatio} times are taken`;
  for (const { name, packedBytes, unpackedBytes: inner } of entries) {
    const nestedRatio = Math.round(inner / Math.max(1, packedBytes));
    if (packedName.test(name) && nestedRatio > limits.zipNestedRatio)
      return `an archive in it was packed to a ${nestedRatio}th, at most a ${limits.zipNestedRatio}th is taken: it holds the same over and over`;
  }
  return overlaps({ entries, directoryByte }) ? 'its entries lie over each other' : undefined;
}

/** Whether any two entries claim the same bytes, by the least that each must take: §4.3.7. */
function overlaps({ entries, directoryByte }: Pick<ZipDirectory, 'entries' | 'directoryByte'>): boolean {
  const places = entries.map(({ headerByte, packedBytes }) => ({ headerByte, endByte: headerByte + 30 + packedBytes }));
  places.sort((one, other) => one.headerByte - other.headerByte);
  return places.some(({ endByte }, index) => endByte > (places[index + 1]?.headerByte ?? directoryByte));
}

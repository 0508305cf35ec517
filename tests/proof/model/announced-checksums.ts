// What the model's clients say of their bytes beforehand: the checksum of a whole file, whose bytes are made up when it is announced,
// or that of each part, said when it is signed. Not all of them send what they said.

import { type AnnouncedAlgorithm, type AnnouncedChecksum, announcedChecksums } from '@stowage/contract';
import { digestOf } from '@stowage/s3';
import type { Model, ModelFile } from './model-state.ts';

// Object.keys of a record over a closed union gives that union.
const algorithms = Object.keys(announcedChecksums) as AnnouncedAlgorithm[];
const names = { crc32: 'CRC32', crc64nvme: 'CRC64NVME', sha256: 'SHA256' } as const satisfies Record<
  AnnouncedAlgorithm,
  string
>;

export function checksumOf(algorithm: AnnouncedAlgorithm, content: string): string {
  return Buffer.from(digestOf(names[algorithm], Buffer.from(content, 'latin1'))).toString('base64');
}

/** Says of these bytes what they are; the model remembers which bytes were meant. */
export function promise(model: Model, choice: number, content: string): AnnouncedChecksum {
  const algorithm = algorithms[choice % algorithms.length] ?? 'sha256';
  const value = checksumOf(algorithm, content);
  model.promised.set(value, content);
  return { algorithm, value };
}

/** Says only that each part's checksum will come. */
export function promiseOfParts(choice: number): AnnouncedChecksum {
  return { algorithm: algorithms[choice % algorithms.length] ?? 'sha256' };
}

/** Whether these are the bytes that were announced, or nothing was said of them. */
export function isAsAnnounced(
  model: Model,
  { announcedValue }: Pick<ModelFile, 'announcedValue'>,
  content: string,
): boolean {
  return announcedValue === null || model.promised.get(announcedValue) === content;
}

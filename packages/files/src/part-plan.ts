// How a file of a given size is sent: by one PUT, or in how many parts of what size.
// Spec: S3 takes 1 to 10,000 parts of 5 MiB to 5 GiB each (the last may be smaller).

import { type UploadStrategy, uploadLimits } from '@stowage/contract';
import type { FilesLimits } from './limits.ts';

interface PartPlan {
  readonly strategy: UploadStrategy;
  readonly partSizeBytes: number | null;
  readonly partCount: number | null;
}

const mib = 1024 * 1024;

/** Parts are as small as 10,000 of them allow, in whole MiB: a lost one costs little to send again. */
export function planParts(
  sizeBytes: number,
  limits: Pick<FilesLimits, 'multipartThresholdBytes' | 'minPartSizeBytes'>,
): PartPlan {
  if (sizeBytes <= limits.multipartThresholdBytes || sizeBytes === 0) {
    return { strategy: 'put', partSizeBytes: null, partCount: null };
  }
  const needed = Math.ceil(sizeBytes / uploadLimits.maxParts / mib) * mib;
  const partSizeBytes = Math.max(limits.minPartSizeBytes, needed);
  return { strategy: 'multipart', partSizeBytes, partCount: Math.ceil(sizeBytes / partSizeBytes) };
}

/** Bytes of one part; parts count from 1. */
export function partSize(sizeBytes: number, partSizeBytes: number, partNumber: number): number {
  return Math.min(partSizeBytes, sizeBytes - (partNumber - 1) * partSizeBytes);
}

// How a file is sent: by one PUT, by a form, or in how many parts of what size; and what will seal its bytes. Chosen by its size, by
// what the client says it can do, by the policy, and by what the endpoint was proven to do.
// Spec: S3 takes 1 to 10,000 parts of 5 MiB to 5 GiB each (the last may be smaller), and at most 5 GiB by one PUT or form.

import { type UploadMeans, uploadLimits } from '@stowage/contract';
import type { FoundCapabilities } from '../bucket/capabilities.ts';
import { allSeals, chooseSeal, explainMissing } from '../bucket/choose-seal.ts';
import type { Seal } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import type { FilesLimits } from '../limits.ts';

interface PartPlan {
  readonly partSizeBytes: number | null;
  readonly partCount: number | null;
}

interface UploadPlan extends PartPlan {
  readonly strategy: UploadMeans;
  readonly sealedBy: Seal;
}

interface UploadQuestion {
  readonly sizeBytes: number;
  /** What the client can do. */
  readonly accepts: readonly UploadMeans[];
  /** What the policy lets it do. */
  readonly allowed: readonly UploadMeans[];
  readonly found: FoundCapabilities;
  /** Default: all. */
  readonly seals?: readonly Seal[] | undefined;
}

export const defaultAccepts: readonly UploadMeans[] = ['put', 'multipart'];

const mib = 1024 * 1024;
const maxSingleBytes = 5 * 1024 * mib;

/** Throws `invalid-request` when client and policy leave no way, and `storage-unavailable` when the endpoint can seal none. */
export function planUpload(
  { sizeBytes, accepts, allowed, found, seals = allSeals }: UploadQuestion,
  limits: Pick<FilesLimits, 'multipartThresholdBytes' | 'minPartSizeBytes'>,
): UploadPlan {
  const ways = meansFor(sizeBytes, limits).filter((means) => accepts.includes(means) && allowed.includes(means));
  if (ways.length === 0) {
    throw new FilesError('invalid-request', {
      detail: `A file of ${sizeBytes} bytes can be sent by ${meansFor(sizeBytes, limits).join(', ')}. The client accepts ${accepts.join(', ')}; the policy allows ${allowed.join(', ')}.`,
    });
  }
  for (const strategy of ways) {
    const sealedBy = chooseSeal(strategy, found, seals);
    if (sealedBy === undefined) continue;
    const parts = strategy === 'multipart' ? planParts(sizeBytes, limits) : { partSizeBytes: null, partCount: null };
    return { strategy, sealedBy, ...parts };
  }
  throw new FilesError('storage-unavailable', {
    detail: `The object storage was not proven to keep bytes as they were judged, so no upload is taken. ${ways.map((means) => `${means}: ${explainMissing(means, found, seals)}`).join('. ')}.`,
  });
}

/** The ways that take a file of this size, the one to be preferred first. */
function meansFor(
  sizeBytes: number,
  { multipartThresholdBytes }: Pick<FilesLimits, 'multipartThresholdBytes'>,
): readonly UploadMeans[] {
  if (sizeBytes === 0) return ['put', 'form'];
  if (sizeBytes <= multipartThresholdBytes) return ['put', 'form', 'multipart'];
  return sizeBytes <= maxSingleBytes ? ['multipart', 'put', 'form'] : ['multipart'];
}

/** Parts are as small as 10,000 of them allow, in whole MiB: a lost one costs little to send again. */
export function planParts(
  sizeBytes: number,
  limits: Pick<FilesLimits, 'minPartSizeBytes'>,
): { readonly partSizeBytes: number; readonly partCount: number } {
  const needed = Math.ceil(sizeBytes / uploadLimits.maxParts / mib) * mib;
  const partSizeBytes = Math.max(limits.minPartSizeBytes, needed);
  return { partSizeBytes, partCount: Math.ceil(sizeBytes / partSizeBytes) };
}

/** Bytes of one part; parts count from 1. */
export function partSize(sizeBytes: number, partSizeBytes: number, partNumber: number): number {
  return Math.min(partSizeBytes, sizeBytes - (partNumber - 1) * partSizeBytes);
}

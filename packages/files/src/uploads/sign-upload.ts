// The requests by which the bytes of one upload go to the bucket: signed late, for no longer than the upload lives, and noted in
// the row before they leave (design §6, invariant 3), so that nobody judges bytes that a URL could still change.

import {
  type AnnouncedAlgorithm,
  isChecksum,
  type SignedPart,
  type SignedRequest,
  type SignPartsRequest,
} from '@stowage/contract';
import type { Bucket } from '../bucket/bucket.ts';
import type { FoundCapabilities } from '../bucket/capabilities.ts';
import type { UrlSigner } from '../bucket/sign-urls.ts';
import type { FileTable } from '../database/database.ts';
import { arrivalKey, type FileRecord } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import { maxMoveAttempts, tooFast } from '../lifecycle/move-file.ts';
import { isUploading } from '../lifecycle/reconcile.ts';
import type { FilesLimits } from '../limits.ts';
import { announcedOf, checksumHeader } from './announced-checksum.ts';
import { partSize } from './part-plan.ts';
import { wrongState } from './wrong-state.ts';

export interface UploadSigningOptions {
  readonly bucket: Bucket;
  readonly files: FileTable;
  readonly signer: UrlSigner;
  readonly limits: FilesLimits;
  readonly clock: () => number;
  /** What the endpoint was proven to do. Throws `storage-unavailable` when it cannot be asked, or does not suffice. */
  readonly capabilities: () => Promise<FoundCapabilities>;
}

interface UploadSigning {
  /** The row with the bucket's own upload, begun now if it is to go in parts and has none yet. */
  begin(file: FileRecord): Promise<FileRecord>;
  /** The one request that carries all bytes, if there is one and it is still to be sent; with the row as it is then. */
  whole(file: FileRecord): Promise<{ readonly file: FileRecord; readonly request?: SignedRequest }>;
  /** Throws `wrong-state`, `invalid-request`. */
  parts(file: FileRecord, request: SignPartsRequest): Promise<readonly SignedPart[]>;
}

export function openUploadSigning(options: UploadSigningOptions): UploadSigning {
  const { bucket, files, signer, limits, clock, capabilities } = options;

  async function begin(file: FileRecord): Promise<FileRecord> {
    if (file.strategy !== 'multipart' || file.multipartUploadId !== null || file.state !== 'pending') return file;
    const checksum = file.announcedAlgorithm === null ? undefined : announcedOf(file, await capabilities());
    const key = arrivalKey(file);
    const multipartUploadId = await bucket.createMultipart(key, file.declaredType, checksum);
    const changed = await files.change(file, { multipartUploadId, updatedAtMs: clock() });
    if (changed !== undefined) return changed;
    // Another request was faster, or the upload was given up: theirs counts, and this one is not needed.
    await bucket.abortMultipart(key, multipartUploadId);
    return (await files.find(file.id)) ?? file;
  }

  /** Notes until when URLs are good, before they are made. Half as many writes as URLs' lives pass. */
  async function reserveSigning(file: FileRecord, untilMs: number): Promise<FileRecord> {
    let current = file;
    for (let attempt = 0; attempt < maxMoveAttempts; attempt++) {
      if (current.signedUntilMs >= untilMs || !isUploading(current)) return current;
      const changed = await files.change(current, { signedUntilMs: untilMs + limits.urlLifeMs });
      if (changed !== undefined) return changed;
      current = (await files.find(file.id)) ?? current;
    }
    throw tooFast('upload');
  }

  /** How long a URL for this upload may live; 0 when the upload's time is over. */
  function lifeMs(file: FileRecord): number {
    return Math.max(0, Math.min(limits.urlLifeMs, file.uploadExpiresAtMs - clock()));
  }

  /** The one request that carries all bytes. */
  async function signWhole(file: FileRecord): Promise<SignedRequest> {
    const { declaredType: contentType, sizeBytes, sealedBy } = file;
    const write = { key: arrivalKey(file), contentType, sizeBytes, lifeMs: lifeMs(file) };
    if (file.strategy === 'form') return signer.signForm(write);
    const checksum =
      file.announcedValue === null ? undefined : checksumHeader(file, file.announcedValue, await capabilities());
    return signer.signPut({
      ...write,
      once: sealedBy === 'if-none-match',
      ...(checksum === undefined ? {} : { checksum }),
    });
  }

  return {
    begin,

    whole: async (given) => {
      const one = given.strategy === 'put' || given.strategy === 'form';
      if (!one || given.state !== 'pending' || lifeMs(given) === 0) return { file: given };
      const file = await reserveSigning(given, clock() + lifeMs(given));
      return file.state === 'pending' ? { file, request: await signWhole(file) } : { file };
    },

    parts: async (given, { partNumbers, checksums = {} }) => {
      if (given.strategy !== 'multipart' || given.partSizeBytes === null) throw wrongState(given, 'sign parts of');
      const file = await begin(given);
      const { partCount, partSizeBytes, multipartUploadId: uploadId } = file;
      const ends = lifeMs(file);
      if ((file.state !== 'pending' && file.state !== 'uploading') || uploadId === null || ends === 0) {
        throw wrongState(file, 'sign parts of');
      }
      const beyond = partNumbers.filter((partNumber) => partCount === null || partNumber > partCount);
      if (beyond.length > 0 || partSizeBytes === null) {
        throw new FilesError('invalid-request', {
          detail: `The upload has ${partCount} parts; part ${beyond.join(', ')} was asked for.`,
        });
      }
      requireChecksums(file.announcedAlgorithm, checksums);
      const found = file.announcedAlgorithm === null ? undefined : await capabilities();
      const reserved = await reserveSigning(file, clock() + ends);
      // Given up meanwhile: the row does not know of these URLs, so there must be none.
      if (reserved.state !== 'pending' && reserved.state !== 'uploading') throw wrongState(reserved, 'sign parts of');
      return [...new Set(partNumbers)].map((partNumber) => {
        const value = checksums[String(partNumber)] ?? null;
        const checksum = found === undefined ? undefined : checksumHeader(file, value, found);
        return signer.signPart({
          key: arrivalKey(file),
          uploadId,
          partNumber,
          sizeBytes: partSize(file.sizeBytes, partSizeBytes, partNumber),
          lifeMs: ends,
          ...(checksum === undefined ? {} : { checksum }),
        });
      });
    },
  };
}

/** Throws `invalid-request` for a value that is none of the algorithm that was announced. */
function requireChecksums(algorithm: AnnouncedAlgorithm | null, checksums: Readonly<Record<string, string>>): void {
  for (const [partNumber, value] of Object.entries(checksums)) {
    if (algorithm !== null && isChecksum(algorithm, value)) continue;
    throw new FilesError('invalid-request', {
      detail:
        algorithm === null
          ? 'Checksums of parts came, but the upload announced no algorithm.'
          : `The checksum of part ${partNumber} is not a ${algorithm} in base64.`,
    });
  }
}

// Takes metadata out of the image of a file whose policy wants it, before anybody can fetch it: the stripped bytes are written under a new
// key, the row turns to them, and they are judged as the first ones were. The original goes when no URL can write it again. Safe to
// repeat from any point: what a try that broke off has written lies under a key of its own, and is removed with the original.
// An image is held in memory whole, and what is left of it beside it: so all jobs share one budget of bytes.

import type { Bucket } from '../bucket/bucket.ts';
import { holdsNoMetadata, isStrippable, stripMetadata } from '../content/strip-metadata.ts';
import type { FileTable } from '../database/database.ts';
import type { FileKeys } from '../file-key.ts';
import { arrivalKey, type FileRecord, objectOf } from '../file-record.ts';
import type { FilesLimits } from '../limits.ts';
import type { ByteBudget } from './byte-budget.ts';

export interface StripFileOptions {
  readonly bucket: Pick<Bucket, 'read' | 'put' | 'head'>;
  readonly files: Pick<FileTable, 'change' | 'find'>;
  readonly keys: Pick<FileKeys, 'makePromoted'>;
  readonly limits: Pick<FilesLimits, 'previewSourceBytes'>;
  readonly clock: () => number;
  /** Of the images that are held at the same time; of each there may be twice as much. */
  readonly imageBytes: ByteBudget;
}

type Stripping =
  /** There is nothing in it to be taken out. */
  | { readonly result: 'clean' }
  /** The row is another now: look at it anew. */
  | { readonly result: 'changed'; readonly file: FileRecord | undefined }
  /** The bucket did not give the bytes that were seen. */
  | { readonly result: 'unread' }
  | { readonly result: 'impossible'; readonly reason: string };

const wanted = 'The policy wants what cameras write taken out of images';

/** For a file in `validating` whose bytes were found to be of this type. Throws `storage-unavailable`. */
export async function stripFile(file: FileRecord, contentType: string, options: StripFileOptions): Promise<Stripping> {
  const { limits, imageBytes } = options;
  if (holdsNoMetadata(contentType) || file.sizeBytes === 0) return { result: 'clean' };
  if (!isStrippable(contentType))
    return { result: 'impossible', reason: `${wanted}, which cannot be done for ${contentType}.` };
  if (file.sizeBytes > limits.previewSourceBytes) {
    return {
      result: 'impossible',
      reason: `${wanted}, which is done up to ${limits.previewSourceBytes} bytes; this one has ${file.sizeBytes}.`,
    };
  }
  return imageBytes.hold(file.sizeBytes, () => stripBytes(file, contentType, options));
}

async function stripBytes(
  file: FileRecord,
  contentType: string,
  { bucket, files, keys, clock }: StripFileOptions,
): Promise<Stripping> {
  const bytes = await readWhole(file, bucket);
  if (bytes === undefined) return { result: 'unread' };
  const stripped = stripMetadata(contentType, bytes);
  if (!stripped.stripped) return { result: 'impossible', reason: `${wanted}; this one is broken.` };
  if (bytes.equals(stripped.bytes)) return { result: 'clean' };

  const objectKey = keys.makePromoted(file.objectKey, file.fence + 1);
  // A taken key holds the same bytes, written before a crash.
  await bucket.put(objectKey, stripped.bytes, contentType);
  const facts = await bucket.head({ key: objectKey, versionId: null });
  if (facts === undefined || facts.sizeBytes !== stripped.bytes.byteLength)
    throw new Error(`What was written of file ${file.id} is not there as it was written.`);
  const changes = {
    objectKey,
    stagingKey: arrivalKey(file),
    sizeBytes: facts.sizeBytes,
    objectEtag: facts.etag,
    objectVersionId: facts.versionId ?? null,
    checksumAlgorithm: facts.checksum?.algorithm ?? null,
    checksumValue: facts.checksum?.value ?? null,
    // What was announced was compared with the original.
    announcedAlgorithm: null,
    announcedValue: null,
    updatedAtMs: clock(),
  };
  // The original goes by the job that comes with the end of the validation.
  const changed = await files.change(file, changes);
  return { result: 'changed', file: changed ?? (await files.find(file.id)) };
}

async function readWhole(file: FileRecord, bucket: Pick<Bucket, 'read'>): Promise<Buffer | undefined> {
  const body = await bucket.read(objectOf(file), { etag: file.objectEtag ?? '' });
  if (body === undefined) return undefined;
  const bytes = Buffer.allocUnsafe(file.sizeBytes);
  let readBytes = 0;
  for await (const chunk of body) {
    if (readBytes + chunk.byteLength > bytes.length) return undefined;
    bytes.set(chunk, readBytes);
    readBytes += chunk.byteLength;
  }
  return readBytes === bytes.length ? bytes : undefined;
}

// Copies within the bucket: by one request up to 5 GiB, in parts above that. No byte passes through here. Each request that takes
// effect by itself is sent once: a second one could be carried out late, over bytes that were judged meanwhile.
// Spec: CopyObject, UploadPartCopy.

import type { S3Client } from '@aws-sdk/client-s3';
import type { FilesLimits } from '../limits.ts';
import type { CopyRequest } from './bucket.ts';
import { errorCode } from './sdk-error.ts';

interface CopyObjectOptions {
  readonly sdk: typeof import('@aws-sdk/client-s3');
  readonly client: S3Client;
  readonly bucket: string;
  readonly limits: Pick<FilesLimits, 'maxCopyBytes' | 'copyPartBytes'>;
  readonly signal: AbortSignal;
}

/** Parts copied at the same time. */
const lanes = 4;
/** Tries of one part: until all are joined, a part that was copied twice does no harm. */
const maxPartTries = 3;
const gone = new Set(['NotFound', 'NoSuchKey', 'NoSuchVersion', 'PreconditionFailed', '404', '412']);

/** Throws what the SDK throws; then nothing is known about the effect. */
export async function copyObject(
  request: CopyRequest,
  options: CopyObjectOptions,
): Promise<'asked' | 'source-changed'> {
  try {
    if (request.from.sizeBytes <= options.limits.maxCopyBytes) await copyWhole(request, options);
    else await copyInParts(request, options);
    return 'asked';
  } catch (error) {
    if (gone.has(errorCode(error))) return 'source-changed';
    throw error;
  }
}

async function copyWhole({ from, to, contentType }: CopyRequest, options: CopyObjectOptions): Promise<void> {
  const { sdk, client, bucket, signal } = options;
  const command = new sdk.CopyObjectCommand({
    Bucket: bucket,
    Key: to,
    CopySource: sourceOf(bucket, from),
    CopySourceIfMatch: from.etag,
    MetadataDirective: 'REPLACE',
    ContentType: contentType,
  });
  await client.send(command, { abortSignal: signal });
}

async function copyInParts({ from, to, contentType }: CopyRequest, options: CopyObjectOptions): Promise<void> {
  const { sdk, client, bucket, limits, signal } = options;
  const create = new sdk.CreateMultipartUploadCommand({ Bucket: bucket, Key: to, ContentType: contentType });
  const { UploadId: uploadId } = await client.send(create, { abortSignal: signal });
  if (uploadId === undefined) throw new Error('The answer held no upload id.');
  try {
    const count = Math.ceil(from.sizeBytes / limits.copyPartBytes);
    const etags: string[] = [];
    const numbers = Array.from({ length: count }, (_, index) => index + 1).values();
    await Promise.all(
      Array.from({ length: Math.min(lanes, count) }, async () => {
        for (const partNumber of numbers)
          etags[partNumber - 1] = await copyPart(partNumber, uploadId, { from, to }, options);
      }),
    );
    const parts = etags.map((etag, index) => ({ PartNumber: index + 1, ETag: etag }));
    await client.send(
      new sdk.CompleteMultipartUploadCommand({
        Bucket: bucket,
        Key: to,
        UploadId: uploadId,
        MultipartUpload: { Parts: parts },
      }),
      { abortSignal: signal },
    );
  } catch (error) {
    const abort = new sdk.AbortMultipartUploadCommand({ Bucket: bucket, Key: to, UploadId: uploadId });
    // One that was joined after all is not there any more; one that stays is found by the key's own clean-up.
    await client.send(abort).catch(() => undefined);
    throw error;
  }
}

async function copyPart(
  partNumber: number,
  uploadId: string,
  { from, to }: Pick<CopyRequest, 'from' | 'to'>,
  { sdk, client, bucket, limits, signal }: CopyObjectOptions,
): Promise<string> {
  const first = (partNumber - 1) * limits.copyPartBytes;
  const last = Math.min(from.sizeBytes, first + limits.copyPartBytes) - 1;
  for (let tried = 1; ; tried++) {
    try {
      const answer = await client.send(
        new sdk.UploadPartCopyCommand({
          Bucket: bucket,
          Key: to,
          UploadId: uploadId,
          PartNumber: partNumber,
          CopySource: sourceOf(bucket, from),
          CopySourceIfMatch: from.etag,
          CopySourceRange: `bytes=${first}-${last}`,
        }),
        { abortSignal: signal },
      );
      const etag = answer.CopyPartResult?.ETag;
      if (etag !== undefined) return etag;
      throw new Error(`The answer to the copy of part ${partNumber} held no ETag.`);
    } catch (error) {
      if (tried === maxPartTries || gone.has(errorCode(error)) || signal.aborted) throw error;
    }
  }
}

function sourceOf(bucket: string, { key, versionId }: CopyRequest['from']): string {
  const version = versionId === null ? '' : `?versionId=${encodeURIComponent(versionId)}`;
  return `${bucket}/${key.split('/').map(encodeURIComponent).join('/')}${version}`;
}

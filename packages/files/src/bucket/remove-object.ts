// Removes an object for good. Where the bucket keeps versions, a DELETE by name alone only hides them; its answer tells, and then
// each version is removed by its id. So it holds whatever the bucket was set to before or is set to later.

import type { S3Client } from '@aws-sdk/client-s3';

interface RemoveObjectOptions {
  readonly sdk: typeof import('@aws-sdk/client-s3');
  readonly client: S3Client;
  readonly bucket: string;
  readonly signal: AbortSignal;
}

/** Pages of versions of one key: a URL that can be used again makes one with each use. */
const maxPages = 100;

/** Throws what the SDK throws, also when versions are held back by a lock. */
export async function removeObject(key: string, options: RemoveObjectOptions): Promise<void> {
  const { sdk, client, bucket, signal } = options;
  const answer = await client.send(new sdk.DeleteObjectCommand({ Bucket: bucket, Key: key }), { abortSignal: signal });
  if (answer.DeleteMarker !== true && answer.VersionId === undefined) return;
  let markers: { readonly KeyMarker?: string; readonly VersionIdMarker?: string } = {};
  for (let page = 0; page < maxPages; page++) {
    const list = new sdk.ListObjectVersionsCommand({ Bucket: bucket, Prefix: key, ...markers });
    const listed = await client.send(list, { abortSignal: signal });
    for (const { Key, VersionId } of [...(listed.Versions ?? []), ...(listed.DeleteMarkers ?? [])]) {
      if (Key !== key || VersionId === undefined) continue;
      const remove = new sdk.DeleteObjectCommand({ Bucket: bucket, Key: key, VersionId });
      await client.send(remove, { abortSignal: signal });
    }
    if (listed.IsTruncated !== true) return;
    markers = {
      ...(listed.NextKeyMarker === undefined ? {} : { KeyMarker: listed.NextKeyMarker }),
      ...(listed.NextVersionIdMarker === undefined ? {} : { VersionIdMarker: listed.NextVersionIdMarker }),
    };
  }
  throw new Error(`The versions of one key did not end within ${maxPages} pages.`);
}

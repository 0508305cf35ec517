// Requests for single objects of a bucket, and what their answers mean.
// Spec: HeadObject, GetObject, PutObject, CopyObject, DeleteObject, ListObjectsV2.

import { FilesError } from '../files-error.ts';
import type { FilesLimits } from '../limits.ts';
import type { Bucket } from './bucket.ts';
import { absent, type BucketRequests } from './bucket-requests.ts';
import { copyObject } from './copy-object.ts';
import { factsOf } from './object-facts.ts';
import { removeObject } from './remove-object.ts';

type Objects = Pick<Bucket, 'head' | 'read' | 'put' | 'copy' | 'remove' | 'listKeys'>;

export function openObjects({ ask, bucket }: BucketRequests, limits: FilesLimits): Objects {
  /** What takes effect by itself, or takes long: sent once, and then looked at. */
  const once = { totalMs: limits.bucketWorkMs, retries: 0 };

  return {
    head: async ({ key, versionId }) => {
      const answer = await ask(
        'head',
        ({ sdk, client }, send) =>
          client.send(
            new sdk.HeadObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: 'ENABLED', ...versionOf(versionId) }),
            send,
          ),
        { missing: absent },
      );
      return answer === undefined ? undefined : factsOf(answer);
    },

    read: async ({ key, versionId }, { etag, firstBytes, fromByte = 0, signal, lasting = false }) => {
      const answer = await ask(
        'read',
        ({ sdk, client, lasting: ofReaders }) =>
          (lasting ? ofReaders : client).send(
            new sdk.GetObjectCommand({
              Bucket: bucket,
              Key: key,
              IfMatch: etag,
              ...versionOf(versionId),
              ...(firstBytes === undefined ? {} : { Range: `bytes=${fromByte}-${fromByte + firstBytes - 1}` }),
            }),
            // The guard's time is for the answer to begin; the body may take its own.
            signal === undefined ? {} : { abortSignal: signal },
          ),
        { missing: [...absent, 'PreconditionFailed', '412'], caller: signal },
      );
      if (fromByte > 0 && answer !== undefined && answer.ContentRange?.startsWith(`bytes ${fromByte}-`) !== true) {
        throw new FilesError('storage-unavailable', {
          detail: `The bucket was asked for bytes from ${fromByte} on and gave ${answer.ContentRange ?? 'all of them'}.`,
        });
      }
      // Under Node the SDK's body is a stream of Buffers.
      return answer === undefined ? undefined : (answer.Body as AsyncIterable<Uint8Array>);
    },

    put: async (key, bytes, contentType) => {
      const answer = await ask(
        'put',
        ({ sdk, client }, send) =>
          client.send(
            new sdk.PutObjectCommand({
              Bucket: bucket,
              Key: key,
              Body: bytes,
              ContentLength: bytes.byteLength,
              ContentType: contentType,
              IfNoneMatch: '*',
            }),
            send,
          ),
        { missing: ['PreconditionFailed', 'ConditionalRequestConflict'] },
      );
      return answer !== undefined;
    },

    copy: async (request) => {
      const outcome = await ask(
        'copy',
        ({ sdk, patient: client }, { abortSignal: signal }) =>
          copyObject(request, { sdk, client, bucket, limits, signal }),
        { allowance: once },
      );
      return outcome ?? 'source-changed';
    },

    remove: async (key) => {
      await ask(
        'remove',
        ({ sdk, client }, { abortSignal: signal }) => removeObject(key, { sdk, client, bucket, signal }),
        { missing: absent },
      );
    },

    listKeys: async (prefix, after) => {
      const answer = await ask('list', ({ sdk, client }, send) =>
        client.send(
          new sdk.ListObjectsV2Command({
            Bucket: bucket,
            Prefix: prefix,
            ...(after === undefined ? {} : { StartAfter: after }),
          }),
          send,
        ),
      );
      return (answer?.Contents ?? []).flatMap(({ Key }) => (Key === undefined ? [] : [Key]));
    },
  };
}

function versionOf(versionId: string | null): { readonly VersionId?: string } {
  return versionId === null ? {} : { VersionId: versionId };
}

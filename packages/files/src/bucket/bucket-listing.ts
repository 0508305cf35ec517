// Walks through everything that a bucket holds, page by page: objects in all their versions, and unfinished uploads.
// Spec: ListObjectVersions, ListObjectsV2, ListMultipartUploads, DeleteObject with a version. Keys may hold what XML cannot say, so they
// are asked for as they stand in URLs.

import type { Bucket, ListedObject, MultipartPage, ObjectPage } from './bucket.ts';
import { absent, type BucketRequests, unavailable } from './bucket-requests.ts';

type BucketListing = Pick<Bucket, 'listAll' | 'listVersions' | 'listAllMultipart' | 'removeVersion'>;

/** Answers of endpoints that know nothing of versions. */
const unknown = ['NotImplemented', 'MethodNotAllowed', '405', '501'];
/** Pages of the versions of one key: a URL that can be used again makes one with each use. */
const maxPagesOfKey = 100;
/** How S3 names what was written while the bucket kept no versions. */
const nullVersion = 'null';

export function openBucketListing(requests: BucketRequests): BucketListing {
  const { ask, bucket } = requests;
  /** Whether the endpoint lists versions; `undefined`: it was not asked yet. */
  let versions: boolean | undefined;

  /** A key that is cut off at the page's end is left for the next page, unless the page holds nothing else. */
  async function pageOfVersions(after: string | null): Promise<ObjectPage | undefined> {
    const gathered: ListedObject[] = [];
    let markers: { readonly KeyMarker?: string; readonly VersionIdMarker?: string } =
      after === null ? {} : { KeyMarker: after };
    for (let page = 0; page < maxPagesOfKey; page++) {
      const answer = await ask(
        'listAll',
        ({ sdk, client }, send) =>
          client.send(new sdk.ListObjectVersionsCommand({ Bucket: bucket, EncodingType: 'url', ...markers }), send),
        { missing: unknown },
      );
      if (answer === undefined) return undefined;
      const plain = plainKeys(answer.EncodingType);
      for (const entry of answer.Versions ?? []) gathered.push(listed(entry, plain, false));
      for (const entry of answer.DeleteMarkers ?? []) gathered.push(listed(entry, plain, true));
      // Some endpoints give the key again that was to be gone on after.
      const objects = gathered.filter(({ key }) => after === null || compareKeys(key, after) > 0).sort(byKey);
      if (answer.IsTruncated !== true) return { objects, next: null };
      const cut = plain(answer.NextKeyMarker ?? '');
      const whole = objects.filter(({ key }) => compareKeys(key, cut) < 0);
      const last = whole.at(-1);
      if (last !== undefined) return { objects: whole, next: last.key };
      markers = {
        KeyMarker: cut,
        ...(answer.NextVersionIdMarker === undefined ? {} : { VersionIdMarker: answer.NextVersionIdMarker }),
      };
    }
    throw unavailable('listAll', new Error(`The versions of one key did not end within ${maxPagesOfKey} pages.`));
  }

  async function pageOfObjects(after: string | null): Promise<ObjectPage> {
    const answer = await ask('listAll', ({ sdk, client }, send) =>
      client.send(
        new sdk.ListObjectsV2Command({
          Bucket: bucket,
          EncodingType: 'url',
          ...(after === null ? {} : { StartAfter: after }),
        }),
        send,
      ),
    );
    const plain = plainKeys(answer?.EncodingType);
    const objects = (answer?.Contents ?? []).map((entry) => listed(entry, plain, false)).sort(byKey);
    return { objects, next: answer?.IsTruncated === true ? (objects.at(-1)?.key ?? null) : null };
  }

  return {
    listAll: async (after) => {
      const page = versions === false ? undefined : await pageOfVersions(after);
      versions = page !== undefined;
      const found = page ?? (await pageOfObjects(after));
      if (found.next !== null && after !== null && compareKeys(found.next, after) <= 0) {
        throw unavailable('listAll', new Error('The listing does not go on: its next page begins where this one did.'));
      }
      return found;
    },

    listVersions: async (key, limit) => {
      const page = { Bucket: bucket, Prefix: key, MaxKeys: limit, EncodingType: 'url' } as const;
      const answer = await ask(
        'listAll',
        ({ sdk, client }, send) => client.send(new sdk.ListObjectVersionsCommand(page), send),
        { missing: unknown },
      );
      const plain = plainKeys(answer?.EncodingType);
      const entries = [
        ...(answer?.Versions ?? []).map((entry) => listed(entry, plain, false)),
        ...(answer?.DeleteMarkers ?? []).map((entry) => listed(entry, plain, true)),
      ];
      // A key comes before all others that begin with it: where one of those is listed, none of its own is left.
      const versions = entries.filter((entry) => entry.key === key);
      return { versions, more: answer?.IsTruncated === true && versions.length === entries.length };
    },

    removeVersion: async ({ key, versionId }) => {
      const version = { Bucket: bucket, Key: key, VersionId: versionId ?? nullVersion };
      await ask('remove', ({ sdk, client }, send) => client.send(new sdk.DeleteObjectCommand(version), send), {
        missing: absent,
      });
    },

    listAllMultipart: async (after): Promise<MultipartPage> => {
      const answer = await ask('listMultipart', ({ sdk, client }, send) =>
        client.send(
          new sdk.ListMultipartUploadsCommand({
            Bucket: bucket,
            EncodingType: 'url',
            ...(after === null ? {} : { KeyMarker: after.key, UploadIdMarker: after.uploadId }),
          }),
          send,
        ),
      );
      const plain = plainKeys(answer?.EncodingType);
      const uploads = (answer?.Uploads ?? []).flatMap(({ Key, UploadId: uploadId, Initiated }) =>
        Key === undefined || uploadId === undefined
          ? []
          : [{ key: plain(Key), uploadId, initiatedAtMs: Initiated?.getTime() ?? Number.MAX_SAFE_INTEGER }],
      );
      if (answer?.IsTruncated !== true) return { uploads, next: null };
      const next = { key: plain(answer.NextKeyMarker ?? ''), uploadId: answer.NextUploadIdMarker ?? '' };
      if (after !== null && next.key === after.key && next.uploadId === after.uploadId) {
        throw unavailable(
          'listMultipart',
          new Error('The listing does not go on: its next page begins where this one did.'),
        );
      }
      return { uploads, next };
    },
  };
}

interface Entry {
  readonly Key?: string | undefined;
  readonly VersionId?: string | undefined;
  readonly IsLatest?: boolean | undefined;
  readonly Size?: number | undefined;
  readonly ETag?: string | undefined;
  readonly LastModified?: Date | undefined;
}

function listed(entry: Entry, plain: (key: string) => string, isDeleteMarker: boolean): ListedObject {
  const { Key: key, VersionId: versionId, IsLatest: isLatest = true, Size: sizeBytes = 0, ETag: etag = '' } = entry;
  if (key === undefined) throw unavailable('listAll', new Error('An entry of the listing has no key.'));
  return {
    key: plain(key),
    versionId: versionId === undefined || versionId === nullVersion ? null : versionId,
    isLatest,
    isDeleteMarker,
    sizeBytes,
    etag,
    // What has no age is as young as can be: nothing is done about it.
    modifiedAtMs: entry.LastModified?.getTime() ?? Number.MAX_SAFE_INTEGER,
  };
}

/** How the keys of an answer are read. Endpoints that do not know the encoding say nothing of it. */
function plainKeys(encoding: string | undefined): (key: string) => string {
  if (encoding !== 'url') return (key) => key;
  return (key) => {
    const spaced = key.replaceAll('+', ' ');
    try {
      return decodeURIComponent(spaced);
    } catch {
      // Bytes that are no UTF-8: a key of somebody else's, told as well as can be.
      const bytes = spaced.replace(/%([0-9A-Fa-f]{2})/g, (_whole, hex: string) =>
        String.fromCharCode(Number.parseInt(hex, 16)),
      );
      return Buffer.from(bytes, 'latin1').toString('utf8');
    }
  };
}

function byKey(a: ListedObject, b: ListedObject): number {
  return compareKeys(a.key, b.key);
}

/** In the order of UTF-8 bytes, which that of UTF-16 units is not where surrogates are. */
function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

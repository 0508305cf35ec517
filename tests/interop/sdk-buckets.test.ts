// Buckets, listings and accounts through the AWS SDK.

import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  GetBucketAclCommand,
  GetBucketLocationCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  type ListObjectsCommandInput,
  type ListObjectsCommandOutput,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { bob, isSdkError, useEngine, useSdk } from './engine-fixture.ts';

const Bucket = 'listing';
const keys = ['a', 'a/1', 'a/2', 'b', 'b/c/1', 'c&<>"', 'd e', 'ä', '\u{10000}', '\ufb01'];
/** In UTF-8 byte order, in which a character beyond the BMP comes after all others. */
const ordered = [...keys].sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));

async function useKeys(t: TestContext): Promise<S3Client> {
  const s3 = useSdk(t, await useEngine(t));
  await s3.send(new CreateBucketCommand({ Bucket }));
  for (const Key of keys) await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
  return s3;
}

it('creates, finds, lists and deletes buckets', async (t) => {
  const engine = await useEngine(t);
  const s3 = useSdk(t, engine);
  for (const name of ['one-a', 'one-b', 'two']) await s3.send(new CreateBucketCommand({ Bucket: name }));
  await s3.send(
    new CreateBucketCommand({ Bucket: 'far', CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' } }),
  );
  const page = await s3.send(new ListBucketsCommand({ Prefix: 'one', MaxBuckets: 1 }));
  assert.deepEqual(
    page.Buckets?.map((bucket) => bucket.Name),
    ['one-a'],
  );
  const next = await s3.send(new ListBucketsCommand({ Prefix: 'one', ContinuationToken: page.ContinuationToken }));
  assert.deepEqual(
    next.Buckets?.map((bucket) => bucket.Name),
    ['one-b'],
  );
  assert.equal(next.ContinuationToken, undefined);
  const far = await s3.send(new ListBucketsCommand({ BucketRegion: 'eu-central-1' }));
  assert.deepEqual(
    far.Buckets?.map((bucket) => bucket.Name),
    ['far'],
  );
  assert.equal((await s3.send(new ListBucketsCommand({}))).Owner?.ID, '111111111111');
  assert.equal((await s3.send(new HeadBucketCommand({ Bucket: 'far' }))).BucketRegion, 'eu-central-1');
  assert.equal((await s3.send(new GetBucketLocationCommand({ Bucket: 'far' }))).LocationConstraint, 'eu-central-1');
  assert.equal((await s3.send(new GetBucketLocationCommand({ Bucket: 'two' }))).LocationConstraint, undefined);
  await s3.send(new CreateBucketCommand({ Bucket: 'two' }));
  const again = { Bucket: 'far', CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' } } as const;
  await assert.rejects(s3.send(new CreateBucketCommand(again)), isSdkError('BucketAlreadyOwnedByYou', 409));
  await assert.rejects(s3.send(new CreateBucketCommand({ Bucket: 'No_Good' })), isSdkError('InvalidBucketName', 400));
  await s3.send(new PutObjectCommand({ Bucket: 'two', Key: 'k', Body: '' }));
  await assert.rejects(s3.send(new DeleteBucketCommand({ Bucket: 'two' })), isSdkError('BucketNotEmpty', 409));
  await s3.send(new DeleteBucketCommand({ Bucket: 'far' }));
  await assert.rejects(s3.send(new DeleteBucketCommand({ Bucket: 'far' })), isSdkError('NoSuchBucket', 404));
  await assert.rejects(s3.send(new HeadBucketCommand({ Bucket: 'far' })), isSdkError('NotFound', 404));
});

it('keeps accounts apart', async (t) => {
  const engine = await useEngine(t);
  const s3 = useSdk(t, engine);
  const other = useSdk(t, engine, { credentials: bob });
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }));
  await assert.rejects(other.send(new CreateBucketCommand({ Bucket })), isSdkError('BucketAlreadyExists', 409));
  await assert.rejects(other.send(new GetObjectCommand({ Bucket, Key: 'k' })), isSdkError('AccessDenied', 403));
  await assert.rejects(
    other.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'y' })),
    isSdkError('AccessDenied', 403),
  );
  await assert.rejects(other.send(new DeleteBucketCommand({ Bucket })), isSdkError('AccessDenied', 403));
  await assert.rejects(
    other.send(new HeadBucketCommand({ Bucket })),
    (cause: { $metadata?: { httpStatusCode?: number } }) => cause.$metadata?.httpStatusCode === 403,
  );
  assert.deepEqual((await other.send(new ListBucketsCommand({}))).Buckets ?? [], []);
  const expecting = { Bucket, Key: 'k', ExpectedBucketOwner: bob.id };
  await assert.rejects(s3.send(new GetObjectCommand(expecting)), isSdkError('AccessDenied', 403));
  const got = await s3.send(new GetObjectCommand({ ...expecting, ExpectedBucketOwner: '111111111111' }));
  assert.equal(await got.Body?.transformToString(), 'x');
});

it('lists keys in byte order, page by page', async (t) => {
  const s3 = await useKeys(t);
  for (const MaxKeys of [1, 3, 1000]) {
    const seen: (string | undefined)[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await s3.send(new ListObjectsV2Command({ Bucket, MaxKeys, ContinuationToken }));
      assert.equal(page.KeyCount, page.Contents?.length);
      seen.push(...(page.Contents ?? []).map((object) => object.Key));
      ContinuationToken = page.NextContinuationToken;
      assert.equal(page.IsTruncated, ContinuationToken !== undefined);
    } while (ContinuationToken !== undefined);
    assert.deepEqual(seen, ordered);
    const older: (string | undefined)[] = [];
    let Marker: string | undefined = '';
    do {
      const page: ListObjectsCommandOutput = await s3.send(new ListObjectsCommand({ Bucket, MaxKeys, Marker }));
      older.push(...(page.Contents ?? []).map((object) => object.Key));
      Marker = page.IsTruncated === true ? page.Contents?.at(-1)?.Key : undefined;
    } while (Marker !== undefined);
    assert.deepEqual(older, ordered);
  }
});

it('groups at a delimiter, begins where it is told, and encodes when asked', async (t) => {
  const s3 = await useKeys(t);
  const list = async (input: Partial<ListObjectsV2CommandInput>) => {
    const page = await s3.send(new ListObjectsV2Command({ Bucket, ...input }));
    return [
      ...(page.Contents ?? []).map((object) => object.Key),
      ...(page.CommonPrefixes ?? []).map((common) => common.Prefix),
    ];
  };
  assert.deepEqual(await list({ Delimiter: '/', Prefix: 'b' }), ['b', 'b/']);
  assert.deepEqual(await list({ Delimiter: '/c/' }), [...ordered.filter((key) => key !== 'b/c/1'), 'b/c/']);
  assert.deepEqual(await list({ Prefix: 'a/' }), ['a/1', 'a/2']);
  assert.deepEqual(await list({ StartAfter: 'a/1', MaxKeys: 2 }), ['a/2', 'b']);
  // `a/` comes before `a/0`: a page that began after it would show it twice.
  assert.deepEqual(await list({ StartAfter: 'a/0', Delimiter: '/', MaxKeys: 2 }), ['b', 'b/']);
  assert.deepEqual(await list({ MaxKeys: 0 }), []);
  assert.deepEqual(await list({ Prefix: 'c', EncodingType: 'url' }), ['c%26%3C%3E%22']);
  const owned = await s3.send(new ListObjectsV2Command({ Bucket, FetchOwner: true, MaxKeys: 1 }));
  assert.deepEqual(owned.Contents?.[0]?.Owner, { ID: '111111111111', DisplayName: 'alice' });
  const marked = await s3.send(
    new ListObjectsCommand({ Bucket, Delimiter: '/', MaxKeys: 2 } satisfies ListObjectsCommandInput),
  );
  assert.equal(marked.NextMarker, 'a/');
  const wrong = (input: object) => s3.send(new ListObjectsV2Command({ Bucket, ...input }));
  await assert.rejects(wrong({ MaxKeys: -1 }), isSdkError('InvalidArgument', 400));
  await assert.rejects(wrong({ EncodingType: 'base64' }), isSdkError('InvalidArgument', 400));
  await assert.rejects(wrong({ ContinuationToken: 'not ours' }), isSdkError('InvalidArgument', 400));
  await assert.rejects(wrong({ Bucket: 'absent' }), isSdkError('NoSuchBucket', 404));
});

it('lists every object as its one version', async (t) => {
  const s3 = await useKeys(t);
  const page = await s3.send(new ListObjectVersionsCommand({ Bucket, MaxKeys: 4 }));
  assert.deepEqual(
    page.Versions?.map((version) => [version.Key, version.VersionId, version.IsLatest]),
    ordered.slice(0, 4).map((key) => [key, 'null', true]),
  );
  const rest = await s3.send(
    new ListObjectVersionsCommand({ Bucket, KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker }),
  );
  assert.deepEqual(
    rest.Versions?.map((version) => version.Key),
    ordered.slice(4),
  );
  const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'a', VersionId: 'null' }));
  assert.equal(await got.Body?.transformToString(), 'a');
});

it('answers NotImplemented by name', async (t) => {
  const s3 = await useKeys(t);
  await assert.rejects(s3.send(new GetBucketAclCommand({ Bucket })), /GetBucketAcl is not implemented/);
  await assert.rejects(s3.send(new GetBucketVersioningCommand({ Bucket })), isSdkError('NotImplemented', 501));
});

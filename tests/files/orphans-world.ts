// What tests of orphans put into a bucket beside the service: bytes that no row knows, bytes that are gone, unfinished uploads, and
// things of somebody else, each made by hand with the bucket's own credentials.

import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type { FindingKind, ReconcileFinding, ReconcileRun, Upload } from '@stowage/contract';
import type { S3Settings } from '@stowage/files';
import { monotonicFactory } from 'ulid';
import { openFileKeys } from '../../packages/files/src/file-key.ts';
import { requestOf, send, type World } from './endpoint-world.ts';

/** The secret of every world. */
export const keys = openFileKeys(new Uint8Array(32).fill(7));

const newId = monotonicFactory();

export class BucketByHand {
  readonly client: S3Client;
  readonly bucket: string;
  readonly #unowned = new Map<number, string>();

  constructor(s3: S3Settings) {
    const { endpoint, region, credentials, forcePathStyle } = s3;
    this.client = new S3Client({
      endpoint,
      region,
      credentials,
      forcePathStyle,
      requestChecksumCalculation: 'WHEN_REQUIRED',
    });
    this.bucket = s3.bucket;
  }

  /** A key of ours for a file that there never was; its time is that of the first call with the number. */
  unownedKey(number: number): string {
    const fileId = this.#unowned.get(number) ?? newId();
    this.#unowned.set(number, fileId);
    return keys.make({ tenantId: 'main', userId: 'owner', contentType: 'text/plain', fileId });
  }

  async put(Key: string, Body: string): Promise<string | undefined> {
    const answer = await this.client.send(new PutObjectCommand({ Bucket: this.bucket, Key, Body }));
    return answer.VersionId;
  }

  async read(Key: string): Promise<string> {
    const answer = await this.client.send(new GetObjectCommand({ Bucket: this.bucket, Key }));
    // Under Node the SDK's body is a stream.
    return text(answer.Body as AsyncIterable<Uint8Array>);
  }

  async remove(Key: string, VersionId?: string): Promise<void> {
    const version = VersionId === undefined ? {} : { VersionId };
    await this.client.send(new DeleteObjectCommand({ Bucket: this.bucket, Key, ...version }));
  }

  async beginUpload(Key: string): Promise<void> {
    await this.client.send(new CreateMultipartUploadCommand({ Bucket: this.bucket, Key }));
  }

  /** Everything that is there, in words that can be compared. */
  async everything(): Promise<readonly string[]> {
    const listed = await this.client.send(new ListObjectVersionsCommand({ Bucket: this.bucket }));
    const uploads = await this.client.send(new ListMultipartUploadsCommand({ Bucket: this.bucket }));
    return [
      ...(listed.Versions ?? []).map(({ Key, VersionId, Size }) => `${Key} ${VersionId} ${Size}`),
      ...(listed.DeleteMarkers ?? []).map(({ Key, VersionId }) => `${Key} ${VersionId} marker`),
      ...(uploads.Uploads ?? []).map(({ Key, UploadId }) => `${Key} ${UploadId} unfinished`),
    ].sort();
  }
}

export async function store(world: World, content: string): Promise<Upload> {
  const upload = await world.announce({ name: `${content}.txt`, sizeBytes: content.length });
  assert.equal(await send(requestOf(upload), content), 200);
  await world.complete(upload);
  await world.settle(upload.id, 'ready');
  return upload;
}

/** Begins a comparison and works until it ended. */
export async function compare(world: World, request: object): Promise<ReconcileRun> {
  const { id } = await world.call<ReconcileRun>('POST', '/v1/admin/reconcile', request);
  await world.service.tick();
  const run = await world.call<ReconcileRun>('GET', `/v1/admin/reconcile/${id}`);
  assert.equal(run.state, 'finished', `${JSON.stringify(run)}\n${world.log.slice(-5).join('\n')}`);
  return run;
}

export async function findingsOf(world: World, { id }: ReconcileRun): Promise<readonly ReconcileFinding[]> {
  const found: ReconcileFinding[] = [];
  for (let cursor: string | undefined = '0'; cursor !== undefined; ) {
    const page: { findings: ReconcileFinding[]; nextCursor?: string } = await world.call(
      'GET',
      `/v1/admin/reconcile/${id}/findings?limit=3&cursor=${cursor}`,
    );
    found.push(...page.findings);
    cursor = page.nextCursor;
  }
  return found;
}

/** How many were found of each kind, without those of which there are none. */
export function foundIn({ findings }: ReconcileRun): Partial<Record<FindingKind, number>> {
  const some = Object.entries(findings).filter(([, { found }]) => found > 0);
  return Object.fromEntries(some.map(([kind, { found }]) => [kind, found]));
}

/** How many were mended of each kind. */
export function mendedIn({ findings }: ReconcileRun): Partial<Record<FindingKind, number>> {
  const some = Object.entries(findings).filter(([, { mended }]) => mended > 0);
  return Object.fromEntries(some.map(([kind, { mended }]) => [kind, mended]));
}

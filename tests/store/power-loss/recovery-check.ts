// Holds a store that has recovered against the model: every bucket, key and upload, by head, by listing and byte by byte.
// What it shows is then what there is: it may not change again by itself.

import { isStoreError, type MultipartUpload, type ObjectStore, type ObjectVersion, type Part } from '@stowage/store';
import type { SeededRandom } from '../../../packages/store/src/testing/seeded-random.ts';
import type { ChangeFollower } from './change-follower.ts';
import { bytesOf } from './contents.ts';
import { Violation } from './key-account.ts';
import { type Address, type Model, nameOf, operationOf } from './model.ts';

interface RecoveryCheck {
  readonly store: ObjectStore;
  readonly model: Model;
  readonly random: SeededRandom;
  readonly follower: ChangeFollower | undefined;
  /** The power went since the store was checked last: weak writes may have gone with it. */
  readonly lossy: boolean;
}

type FoundVersions = ReadonlyMap<string, ObjectVersion | undefined>;

/** @throws Violation */
export async function checkRecovered(check: RecoveryCheck): Promise<void> {
  const { store, model, random, lossy, follower } = check;
  requireHealth(store, model);
  checkBuckets(store, model, lossy);
  const found = new Map<string, ObjectVersion | undefined>();
  for (const address of model.addresses) {
    const version = store.headObject(address);
    found.set(nameOf(address), version);
    model.judge(address, version, lossy);
    follower?.judge(model, address, version);
    if (version !== undefined) await checkBytes(check, address);
  }
  model.judgeOrder(found);
  for (const bucket of model.bucketNames) checkListing(store, bucket, found, random);
  const uploads = checkUploads(store, model, found);
  for (const address of model.addresses) model.adopt(address, found.get(nameOf(address)));
  model.uploads.adopt(uploads);
}

function requireHealth(store: ObjectStore, model: Model): void {
  const { status, reason, damage = [] } = store.health();
  if (status !== 'ok') throw new Violation(`The store does not write after recovery: ${reason}`);
  // Bytes that were never made durable may be missing, and are then found to be.
  const found = model.hasBroken ? damage.filter(({ file }) => !file.startsWith('blobs/')) : damage;
  if (found.length > 0) throw new Violation(`Damage is reported, and nothing was damaged: ${JSON.stringify(found)}`);
}

function checkBuckets(store: ObjectStore, model: Model, lossy: boolean): void {
  for (const name of model.bucketNames) {
    const bucket = store.getBucket(name);
    model.judgeBucket(name, bucket?.configuration, lossy);
    model.adoptBucket(name, bucket?.configuration);
  }
  const { buckets } = store.listBuckets({ limit: 1000 });
  const unknown = buckets.find(({ name }) => !model.bucketNames.includes(name));
  if (unknown !== undefined) throw new Violation(`There is a bucket ${unknown.name}, which was never created.`);
}

async function checkBytes({ store, model, lossy }: RecoveryCheck, address: Address): Promise<void> {
  const open = store.openObject(address);
  if (open === undefined) throw new Violation(`${nameOf(address)} has a head and cannot be opened.`);
  const operation = operationOf(open.version);
  try {
    const chunks: Uint8Array[] = [];
    for await (const chunk of open.chunks()) chunks.push(chunk);
    if (Buffer.concat(chunks).equals(bytesOf(model.bodiesOf(operation)))) return;
  } catch (cause) {
    if (!isStoreError(cause) || cause.code !== 'Corrupt') throw cause;
    if (lossy && model.promised(address.bucket).level === 'memory') model.noteBroken(operation);
    if (model.isBroken(operation)) return;
    throw new Violation(`${nameOf(address)} cannot be read: ${cause.message}`, { cause });
  } finally {
    open.close();
  }
  throw new Violation(`${nameOf(address)} has other bytes than were written.`);
}

function checkListing(store: ObjectStore, bucket: string, found: FoundVersions, random: SeededRandom): void {
  if (store.getBucket(bucket) === undefined) return;
  const listed = new Map<string, number>();
  const limit = random.between(1, 4);
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page: ReturnType<ObjectStore['listObjects']> = store.listObjects({
      bucket,
      prefix: '',
      delimiter: '',
      after,
      limit,
    });
    for (const { key, sequence } of page.objects) listed.set(`${bucket}/${key}`, sequence);
    after = page.next;
  }
  for (const [name, version] of found) {
    if (name.startsWith(`${bucket}/`) && listed.get(name) !== version?.sequence) {
      throw new Violation(`The listing shows ${name} as ${listed.get(name)}, and its head as ${version?.sequence}.`);
    }
  }
  const unknown = [...listed.keys()].find((name) => found.get(name) === undefined);
  if (unknown !== undefined) throw new Violation(`The listing shows ${unknown}, which is not there.`);
}

interface FoundUpload {
  readonly upload: MultipartUpload;
  readonly parts: readonly Part[];
}

function checkUploads(store: ObjectStore, model: Model, found: FoundVersions): FoundUpload[] {
  const uploads = model.bucketNames.flatMap((bucket) => listUploads(store, bucket));
  for (const { upload, parts } of uploads) {
    const fault = model.uploads.faultOf(upload, parts);
    if (fault !== undefined) throw new Violation(`Upload ${upload.initiator} ${fault}.`);
    const version = found.get(nameOf(upload));
    if (version !== undefined && operationOf(version) === Number(upload.initiator)) {
      throw new Violation(`Upload ${upload.initiator} is complete, and still there.`);
    }
  }
  const shown = new Set(uploads.map(({ upload }) => Number(upload.initiator)));
  for (const account of model.uploads.all) {
    if (shown.has(account.operation)) continue;
    const { operation, aborting, doubtful } = account;
    const name = `Upload ${operation} to ${nameOf(account)}`;
    if (!model.uploads.mayBeMissing(account)) throw new Violation(`${name} is gone.`);
    if (account.status !== 'open' || aborting || doubtful) continue;
    // Only its completion can have taken it away: then the object is there, or what came after it.
    const version = found.get(nameOf(account));
    const written = version !== undefined && version.sequence > sequenceOf(account.upload);
    if (!written && !model.mayBeGone(account, { operation, sequence: 0 }))
      throw new Violation(`${name} is gone, and there is no object.`);
  }
  return uploads;
}

function listUploads(store: ObjectStore, bucket: string): FoundUpload[] {
  if (store.getBucket(bucket) === undefined) return [];
  const page = { bucket, prefix: '', delimiter: '', afterKey: '', afterUploadId: '', limit: 1000 };
  return store.listUploads(page).uploads.map((upload) => {
    const { key, uploadId } = upload;
    return { upload, parts: store.listParts({ bucket, key, uploadId, after: 0, limit: 1000 }).parts };
  });
}

/** An upload's id begins with the sequence of its creation, in hex. */
function sequenceOf(upload: MultipartUpload | undefined): number {
  return Number.parseInt(upload?.uploadId.slice(0, 12) ?? '0', 16);
}

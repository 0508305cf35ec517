// The ObjectStore that every store is: reads go to the index, writes to a committer, bytes to a place of the store's own.
// What a commit means is the catalog's; how it becomes durable is the committer's.

import type { BodyPlace } from './blobs/body-writer.ts';
import { createBodyWriter } from './blobs/body-writer.ts';
import { StagedBytes, type StagedContent } from './blobs/staged-content.ts';
import { findBucket, listBuckets } from './catalog/buckets.ts';
import { leftoverUploads } from './catalog/leftover-uploads.ts';
import { listObjects } from './catalog/listing.ts';
import { type FoundObject, findObject } from './catalog/objects.ts';
import type { Committer } from './catalog/operations.ts';
import { listUploads } from './catalog/upload-listing.ts';
import { describeUpload, findUpload, listParts } from './catalog/uploads.ts';
import type {
  BodyWriter,
  Bucket,
  BucketList,
  CompleteUpload,
  CopyObject,
  CreateUpload,
  DeleteObject,
  Durability,
  JsonValue,
  ListBucketsPage,
  ListObjectsPage,
  ListPartsPage,
  ListUploadsPage,
  MultipartUpload,
  NewBucket,
  ObjectAddress,
  ObjectList,
  ObjectStore,
  ObjectVersion,
  OpenObject,
  Part,
  PartList,
  PutObject,
  PutPart,
  StageOptions,
  StoreHealth,
  UploadAddress,
  UploadList,
} from './object-store.ts';
import { type ByteSource, OpenedObject } from './opened-object.ts';
import type { IndexReader } from './ordered-index/ordered-index.ts';
import type { ReaderEpochs } from './reader-epochs.ts';
import { isStoreError, StoreError } from './store-error.ts';

/** What a store is made of. */
interface StoreParts {
  readonly index: IndexReader;
  /** Has the index show what other threads have committed by now. Absent: nobody else commits. */
  refresh?(): void;
  readonly committer: Committer;
  readonly place: StorePlace;
  /** Of a bucket, or of one that is not there. */
  durabilityOf(bucket: Bucket | undefined): Durability;
  readonly source: ByteSource;
  readonly readers: ReaderEpochs;
  health(): StoreHealth;
  close(): Promise<void>;
}

interface StorePlace extends Pick<BodyPlace, 'maxGatheredBytes' | 'memory' | 'gathered' | 'abandon'> {
  /** Where a body goes that is written at a durability. */
  at(durability: Durability): BodyPlace;
  /** Makes a body in memory a blob: a part is always one. */
  toBlob(content: StagedContent, durability: Durability): Promise<StagedContent & { readonly kind: 'blob' }>;
}

export class CatalogStore implements ObjectStore {
  readonly #parts: StoreParts;
  #closed: Promise<void> | undefined;

  constructor(parts: StoreParts) {
    this.#parts = parts;
  }

  async createBucket(bucket: NewBucket): Promise<Bucket> {
    return this.#committer().commit({ name: 'createBucket', argument: bucket });
  }

  async deleteBucket(name: string): Promise<void> {
    let last: string | undefined;
    for (;;) {
      const uploads = leftoverUploads(this.#index(), name);
      const first = uploads[0]?.uploadId;
      if (first === undefined || first === last) break; // one that cannot be aborted goes with its bucket
      await Promise.all(uploads.map((upload) => this.#abortIfThere(upload)));
      last = first;
    }
    return this.#committer().commit({ name: 'deleteBucket', argument: name });
  }

  getBucket(name: string): Bucket | undefined {
    return findBucket(this.#index(), name)?.bucket;
  }

  listBuckets(page: ListBucketsPage): BucketList {
    return listBuckets(this.#index(), page);
  }

  async putBucketConfiguration(name: string, kind: string, document: JsonValue | undefined): Promise<void> {
    return this.#committer().commit({ name: 'putBucketConfiguration', argument: { bucket: name, kind, document } });
  }

  durabilityOf(bucket: string): Durability {
    return this.#parts.durabilityOf(this.getBucket(bucket));
  }

  stageBody(options: StageOptions): BodyWriter {
    this.#requireOpen();
    const { place, durabilityOf } = this.#parts;
    // A body that stays in memory gets its durability by the commit: its bucket need not be looked up.
    const staysInMemory = options.sizeBytes !== undefined && options.sizeBytes <= place.maxGatheredBytes;
    const durability =
      options.bucket === undefined || staysInMemory ? durabilityOf(undefined) : this.durabilityOf(options.bucket);
    return createBodyWriter(options, place.at(durability));
  }

  async putObject(put: PutObject): Promise<ObjectVersion> {
    const { body, ...argument } = put;
    const content = StagedBytes.take(body);
    try {
      if (this.#closed !== undefined) return await this.#refuse(content);
      const call = { name: 'putObject', argument: { ...argument, sizeBytes: body.sizeBytes }, content } as const;
      return await this.#parts.committer.commit(call);
    } finally {
      StagedBytes.release(body);
    }
  }

  async copyObject(copy: CopyObject): Promise<ObjectVersion> {
    const committer = this.#committer();
    const found = findObject(this.#index(), copy.source);
    if (found?.location.kind !== 'journal') return committer.commit({ name: 'copyObject', argument: copy });
    const { memory } = this.#parts.place;
    const { sizeBytes } = found.version;
    if (!memory.take(sizeBytes)) throw new StoreError('Overloaded');
    try {
      // Bytes in the journal belong to their own record, so a small body is copied into that of the new version.
      const content = await this.#readSmall(found);
      return await committer.commit({ name: 'copyObject', argument: copy, content });
    } finally {
      memory.giveBack(sizeBytes);
    }
  }

  async deleteObject(remove: DeleteObject): Promise<ObjectVersion | undefined> {
    return this.#committer().commit({ name: 'deleteObject', argument: remove });
  }

  headObject(address: ObjectAddress): ObjectVersion | undefined {
    return findObject(this.#index(), address)?.version;
  }

  openObject(address: ObjectAddress): OpenObject | undefined {
    const found = findObject(this.#index(), address);
    return found === undefined ? undefined : this.#open(found);
  }

  listObjects(page: ListObjectsPage): ObjectList {
    return listObjects(this.#index(), page);
  }

  async createUpload(create: CreateUpload): Promise<MultipartUpload> {
    return this.#committer().commit({ name: 'createUpload', argument: create });
  }

  getUpload(address: UploadAddress): MultipartUpload | undefined {
    const found = findUpload(this.#index(), address);
    return found === undefined ? undefined : describeUpload(address.bucket, address.key, found.row);
  }

  async putPart(put: PutPart): Promise<Part> {
    const { body, ...argument } = put;
    const content = StagedBytes.take(body);
    if (this.#closed !== undefined) return this.#refuse(content).finally(() => StagedBytes.release(body));
    const blob = await this.#partBlob(put, content).finally(() => StagedBytes.release(body));
    if (this.#closed !== undefined) return this.#refuse(blob);
    const call = { name: 'putPart', argument: { ...argument, sizeBytes: body.sizeBytes }, content: blob } as const;
    return this.#parts.committer.commit(call);
  }

  listParts(page: ListPartsPage): PartList {
    return listParts(this.#index(), page);
  }

  listUploads(page: ListUploadsPage): UploadList {
    return listUploads(this.#index(), page);
  }

  async completeUpload(complete: CompleteUpload): Promise<ObjectVersion> {
    return this.#committer().commit({ name: 'completeUpload', argument: complete });
  }

  async abortUpload(address: UploadAddress): Promise<void> {
    return this.#committer().commit({ name: 'abortUpload', argument: address });
  }

  health(): StoreHealth {
    return this.#parts.health();
  }

  close(): Promise<void> {
    this.#closed ??= this.#parts.close();
    return this.#closed;
  }

  async #abortIfThere(upload: UploadAddress): Promise<void> {
    try {
      await this.abortUpload(upload);
    } catch (cause) {
      // Somebody else completed or aborted it, or deleted the bucket.
      if (!isStoreError(cause) || (cause.code !== 'NoSuchUpload' && cause.code !== 'NoSuchBucket')) throw cause;
    }
  }

  /** A part's bytes in a blob, whatever their length. */
  async #partBlob(put: PutPart, content: StagedContent): Promise<StagedContent & { readonly kind: 'blob' }> {
    // Judged again at the commit; here it saves writing a file for nothing.
    if (content.kind === 'inline' && findUpload(this.#index(), put) === undefined) {
      throw new StoreError('NoSuchUpload', { details: { uploadId: put.uploadId } });
    }
    return this.#parts.place.toBlob(content, this.durabilityOf(put.bucket));
  }

  /** Gives bytes up that came after the store was closed. */
  async #refuse(content: StagedContent): Promise<never> {
    await this.#parts.place.abandon(content);
    throw new StoreError('Closed');
  }

  #open(found: FoundObject): OpenObject {
    return new OpenedObject(found, this.#parts.source, this.#parts.readers.enter());
  }

  async #readSmall(found: FoundObject): Promise<StagedContent> {
    const open = this.#open(found);
    try {
      return this.#parts.place.gathered(Buffer.from(await open.bytes()));
    } finally {
      open.close();
    }
  }

  #requireOpen(): void {
    if (this.#closed !== undefined) throw new StoreError('Closed');
  }

  #index(): IndexReader {
    this.#requireOpen();
    this.#parts.refresh?.();
    return this.#parts.index;
  }

  #committer(): Committer {
    this.#requireOpen();
    return this.#parts.committer;
  }
}

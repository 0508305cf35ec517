// The ObjectStore that every store is: reads go to the index, writes to a committer, bytes to a place of the store's own.
// What a commit means is the catalog's; how it becomes durable is the committer's.

import type { BodyPlace } from './blobs/body-writer.ts';
import { createBodyWriter } from './blobs/body-writer.ts';
import { StagedBytes, type StagedContent } from './blobs/staged-content.ts';
import { createBucket, deleteBucket, findBucket, listBuckets, putBucketConfiguration } from './catalog/buckets.ts';
import { completeUpload } from './catalog/completion.ts';
import { listObjects } from './catalog/listing.ts';
import { copyObject, deleteObject, type FoundObject, findObject, putObject } from './catalog/objects.ts';
import type { Committer, Operation } from './catalog/operation.ts';
import { listUploads } from './catalog/upload-listing.ts';
import { abortUpload, createUpload, describeUpload, findUpload, listParts, putPart } from './catalog/uploads.ts';
import type {
  BodyWriter,
  Bucket,
  BucketList,
  CompleteUpload,
  CopyObject,
  CreateUpload,
  DeleteObject,
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
import { StoreError } from './store-error.ts';

/** What a store is made of. */
interface StoreParts {
  readonly index: IndexReader;
  readonly committer: Committer;
  readonly place: BodyPlace & {
    /** Makes a body in memory a durable blob: a part is always one. */
    toBlob(content: StagedContent): Promise<StagedContent & { readonly kind: 'blob' }>;
  };
  readonly source: ByteSource;
  readonly readers: ReaderEpochs;
  health(): StoreHealth;
  close(): Promise<void>;
}

export class CatalogStore implements ObjectStore {
  readonly #parts: StoreParts;
  #closed: Promise<void> | undefined;

  constructor(parts: StoreParts) {
    this.#parts = parts;
  }

  async createBucket(bucket: NewBucket): Promise<Bucket> {
    return this.#committer().commit(createBucket(bucket));
  }

  async deleteBucket(name: string): Promise<void> {
    return this.#committer().commit(deleteBucket(name));
  }

  getBucket(name: string): Bucket | undefined {
    return findBucket(this.#index(), name)?.bucket;
  }

  listBuckets(page: ListBucketsPage): BucketList {
    return listBuckets(this.#index(), page);
  }

  async putBucketConfiguration(name: string, kind: string, document: JsonValue | undefined): Promise<void> {
    return this.#committer().commit(putBucketConfiguration(name, kind, document));
  }

  stageBody(options: StageOptions): BodyWriter {
    this.#requireOpen();
    return createBodyWriter(options, this.#parts.place);
  }

  async putObject(put: PutObject): Promise<ObjectVersion> {
    const content = StagedBytes.take(put.body);
    return this.#commitContent(content, putObject(put, content));
  }

  async copyObject(copy: CopyObject): Promise<ObjectVersion> {
    const committer = this.#committer();
    const found = findObject(this.#parts.index, copy.source);
    if (found?.location.kind !== 'journal') return committer.commit(copyObject(copy, undefined));
    // Bytes in the journal belong to their own record, so a small body is copied into that of the new version.
    const content = await this.#readSmall(found);
    return committer.commit(copyObject(copy, content));
  }

  async deleteObject(remove: DeleteObject): Promise<ObjectVersion | undefined> {
    return this.#committer().commit(deleteObject(remove));
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
    return this.#committer().commit(createUpload(create));
  }

  getUpload(address: UploadAddress): MultipartUpload | undefined {
    const found = findUpload(this.#index(), address);
    return found === undefined ? undefined : describeUpload(address.bucket, address.key, found.row);
  }

  async putPart(put: PutPart): Promise<Part> {
    const content = StagedBytes.take(put.body);
    // Judged again at the commit; here it saves writing a file for nothing.
    if (content.kind === 'inline' && findUpload(this.#index(), put) === undefined) {
      throw new StoreError('NoSuchUpload', { details: { uploadId: put.uploadId } });
    }
    const blob = await this.#parts.place.toBlob(content);
    return this.#commitContent(blob, putPart(put, blob));
  }

  listParts(page: ListPartsPage): PartList {
    return listParts(this.#index(), page);
  }

  listUploads(page: ListUploadsPage): UploadList {
    return listUploads(this.#index(), page);
  }

  async completeUpload(complete: CompleteUpload): Promise<ObjectVersion> {
    return this.#committer().commit(completeUpload(complete));
  }

  async abortUpload(address: UploadAddress): Promise<void> {
    return this.#committer().commit(abortUpload(address));
  }

  health(): StoreHealth {
    return this.#parts.health();
  }

  close(): Promise<void> {
    this.#closed ??= this.#parts.close();
    return this.#closed;
  }

  async #commitContent<Result>(content: StagedContent, operation: Operation<Result>): Promise<Result> {
    if (this.#closed !== undefined) {
      await this.#parts.place.abandon(content);
      throw new StoreError('Closed');
    }
    return this.#parts.committer.commit(operation);
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
    return this.#parts.index;
  }

  #committer(): Committer {
    this.#requireOpen();
    return this.#parts.committer;
  }
}

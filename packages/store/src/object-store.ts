// The contract of a store: buckets, object versions and multipart uploads over durable bytes. No HTTP, no XML, no access control.
// Every implementation (disk, memory, fake disk) passes object-store.contract.ts.
//
// Guarantees, for every implementation:
//   Durable once resolved   When a promise of a writing method resolves, its effect is as durable as `Durability` says of the
//                           bucket; at `strict`, the usual level, it survives power loss.
//   Atomic                  A reader sees an object wholly before or wholly after a write, never between.
//   Read-after-write        What has resolved is seen by every later read and listing.
//   Linearizable            Preconditions are judged at the commit, after the body arrived; of N racing writers one wins.
// Reads of the index are synchronous: they cost microseconds and every worker can make them itself.

import type { ChecksumAlgorithm, DigestAlgorithm } from '@stowage/s3';

export interface ObjectStore {
  /** Adds a bucket. @throws StoreError `BucketExists`. */
  createBucket(bucket: NewBucket): Promise<Bucket>;
  /**
   * Removes an empty bucket. Unfinished uploads in it go with it; when there are many, they are aborted before, some at a time,
   * so that nobody waits for it: if an object comes to the bucket meanwhile, it stays and some of them are gone.
   * @throws StoreError `NoSuchBucket`, `BucketNotEmpty`.
   */
  deleteBucket(name: string): Promise<void>;
  getBucket(name: string): Bucket | undefined;
  /** Buckets in order of name. */
  listBuckets(page: ListBucketsPage): BucketList;
  /**
   * Sets (or with `undefined` removes) one configuration document of a bucket. @throws StoreError `NoSuchBucket`; RangeError
   * for a document `durability` that is none.
   */
  putBucketConfiguration(name: string, kind: string, document: JsonValue | undefined): Promise<void>;
  /** What an acknowledged write to a bucket is worth: its own durability, or the store's. In a store in memory: `memory`. */
  durabilityOf(bucket: string): Durability;

  /**
   * Opens a writer for a body of known or unknown length. Nothing is visible until `putObject` or `putPart` commits the staged
   * body; what is never committed is discarded, by `discard()` or by recovery.
   */
  stageBody(options: StageOptions): BodyWriter;

  /** Makes a staged body the current version of a key. The staged body is used up, also when this rejects. @throws StoreError `NoSuchBucket`, `PreconditionFailed`. */
  putObject(put: PutObject): Promise<ObjectVersion>;
  /**
   * Makes the bytes of an existing version the current version of another key, or of its own with other attributes. Adds a
   * reference; copies no large bytes. @throws StoreError `NoSuchBucket`, `NoSuchKey`, `SourceChanged` when the source is no
   * longer the version with `source.sequence`, `PreconditionFailed`.
   */
  copyObject(copy: CopyObject): Promise<ObjectVersion>;
  /** Removes the current version of a key; a key that is not there is no error. @throws StoreError `NoSuchBucket`, `PreconditionFailed`. */
  deleteObject(remove: DeleteObject): Promise<ObjectVersion | undefined>;
  /** The current version of a key. */
  headObject(address: ObjectAddress): ObjectVersion | undefined;
  /** The current version with its bytes pinned: they can be read until `close()`, whatever is written meanwhile. */
  openObject(address: ObjectAddress): OpenObject | undefined;
  /** One page of keys in UTF-8 byte order. @throws StoreError `NoSuchBucket`. */
  listObjects(page: ListObjectsPage): ObjectList;

  /** @throws StoreError `NoSuchBucket`. */
  createUpload(create: CreateUpload): Promise<MultipartUpload>;
  /** An upload that is neither completed nor aborted. */
  getUpload(address: UploadAddress): MultipartUpload | undefined;
  /** Adds or replaces a part. The staged body is used up. @throws StoreError `NoSuchUpload`. */
  putPart(put: PutPart): Promise<Part>;
  /** Parts in order of number. @throws StoreError `NoSuchUpload`. */
  listParts(page: ListPartsPage): PartList;
  /** Unfinished uploads in order of key, then of initiation. @throws StoreError `NoSuchBucket`. */
  listUploads(page: ListUploadsPage): UploadList;
  /**
   * Makes the named parts one object, copying no bytes; parts not named are dropped. Completing again with the same parts
   * answers the same version while that version is still current, so that a lost reply can be asked for again.
   * @throws StoreError `NoSuchUpload`, `InvalidPart`, `InvalidPartOrder`, `PartTooSmall`, `PreconditionFailed`.
   */
  completeUpload(complete: CompleteUpload): Promise<ObjectVersion>;
  /** @throws StoreError `NoSuchUpload`. */
  abortUpload(address: UploadAddress): Promise<void>;

  health(): StoreHealth;
  /** Finishes what was begun, flushes, releases the lock. Later calls reject with StoreError `Closed`. */
  close(): Promise<void>;
}

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/**
 * How far an acknowledged write has come. A store has a usual level, and a bucket may have one of its own: the level of a
 * write is that of the bucket it writes to. Whatever is written at once shares the strongest level among it.
 *   strict    On the disk: it survives power loss, and so does everything acknowledged before it, in any bucket.
 *   interval  On the disk within `intervalMs` (1 to 60,000). Power loss takes at most what was acknowledged that late.
 *   memory    On the disk when the system or a stronger write brings it there. A killed process loses nothing; power loss
 *             takes any of it. Large bodies are not made durable either: afterwards an object may be there whose bytes are
 *             not, and reading it is an error, never other bytes. What is copied from there to a bucket of a stronger level
 *             is made durable first.
 * At every level a crash leaves a state that was: never half an object, never a later write without the earlier ones.
 */
export type Durability =
  | { readonly level: 'strict' }
  | { readonly level: 'interval'; readonly intervalMs: number }
  | { readonly level: 'memory' };

export interface NewBucket {
  readonly name: string;
  /** Account that owns it. */
  readonly owner: string;
  readonly region: string;
  /** Kept as the configuration document `durability`. Default: the store's, whatever it is at each opening. */
  readonly durability?: Durability;
}

export interface Bucket extends Omit<NewBucket, 'durability'> {
  readonly createdAtMs: number;
  /** Configuration documents by kind, e.g. `cors`. One kind is the store's own: `durability`. */
  readonly configuration: Readonly<Record<string, JsonValue>>;
}

export interface ListBucketsPage {
  readonly prefix?: string;
  /** Only names after this one. */
  readonly after?: string;
  /** Only buckets of this owner. */
  readonly owner?: string;
  readonly limit: number;
}

export interface BucketList {
  readonly buckets: readonly Bucket[];
  /** Give it as `after` to go on; absent at the end. */
  readonly next?: string;
}

export interface ObjectAddress {
  readonly bucket: string;
  /** 1 to 1024 bytes of UTF-8. Never a path: `..`, `a` and `a/b` are keys like any other. */
  readonly key: string;
}

/** What a client says of an object beside its bytes; kept and returned as given. */
export interface ObjectAttributes {
  /** System-defined headers, lower-case, e.g. `content-type`. */
  readonly systemMetadata: Readonly<Record<string, string>>;
  /** User-defined metadata without the `x-amz-meta-` prefix, lower-case names. */
  readonly userMetadata: Readonly<Record<string, string>>;
  readonly storageClass: string;
  /** Account that owns the object. */
  readonly owner: string;
}

/** A checksum that clients can ask for. `value` is base64; composite values carry the `-<parts>` suffix. */
export interface ObjectChecksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly type: 'COMPOSITE' | 'FULL_OBJECT';
  readonly value: string;
}

/** What a listing says of an object: a version without its metadata and parts, which a listing does not read. */
export interface ObjectSummary extends ObjectAddress {
  /** `null` in a bucket without versioning. */
  readonly versionId: string;
  /** Grows with every commit of the store; names this version among all. */
  readonly sequence: number;
  readonly sizeBytes: number;
  /** Without quotes. MD5 in hex, or `<md5 of md5s>-<parts>`; otherwise opaque. */
  readonly etag: string;
  readonly lastModifiedMs: number;
  readonly storageClass: string;
  /** Account that owns the object. */
  readonly owner: string;
  readonly checksum?: ObjectChecksum;
}

export interface ObjectVersion extends ObjectSummary, ObjectAttributes {
  /** The parts of an object that was uploaded in parts, in order. */
  readonly parts?: readonly ObjectPart[];
}

export interface ObjectPart {
  readonly partNumber: number;
  readonly sizeBytes: number;
  /** base64, of the object's checksum algorithm. */
  readonly checksum?: string;
}

/** Judged against the current version at the commit. `etag` is without quotes; `*` means any. */
export interface Precondition {
  /** The current version must exist and have this ETag. @throws `PreconditionFailed`; `NoSuchKey` when nothing is there. */
  readonly ifMatch?: string;
  /** `*`: no current version may exist; an ETag: the current one must differ. */
  readonly ifNoneMatch?: string;
  /** Delete only: the current version must have been modified at this time (whole seconds compared). */
  readonly ifMatchLastModifiedMs?: number;
  /** Delete only: the current version must have this size. */
  readonly ifMatchSizeBytes?: number;
}

export interface StageOptions {
  /**
   * The bucket that the body is meant for: a large body for one of durability `memory` is not made durable. Only a hint: what
   * a commit promises does not depend on it. Absent: the store's durability.
   */
  readonly bucket?: string;
  /** Exact length if known; lets small bodies stay in memory until the commit. A different length rejects at `finish()`. */
  readonly sizeBytes?: number;
  /** The writer rejects with StoreError `BodyTooLarge` beyond it. */
  readonly maxSizeBytes: number;
  /** Digests to compute in the one pass over the bytes. */
  readonly digests: readonly DigestAlgorithm[];
}

/** Takes a body, chunk by chunk, in order. Exactly one of `finish` and `discard` ends it. */
export interface BodyWriter {
  /** The chunk is used up when this returns or resolves. A promise asks the caller to wait before the next one. @throws StoreError `BodyTooLarge`, `DiskFull`. */
  write(chunk: Uint8Array): Promise<void> | undefined;
  /** @throws StoreError `BodySizeMismatch`, `DiskFull`. */
  finish(): Promise<StagedBody>;
  discard(): Promise<void>;
}

/** Bytes that are written and hashed, waiting for a commit. */
export interface StagedBody {
  readonly sizeBytes: number;
  /** Raw digest bytes by algorithm: those asked for in `StageOptions.digests`. */
  readonly digests: ReadonlyMap<DigestAlgorithm, Uint8Array>;
  /** Gives the bytes up. Safe to call after a commit, when it does nothing. */
  discard(): Promise<void>;
}

export interface PutObject extends ObjectAddress {
  readonly body: StagedBody;
  readonly etag: string;
  readonly attributes: ObjectAttributes;
  readonly checksum?: ObjectChecksum;
  readonly precondition?: Precondition;
}

export interface CopyObject extends ObjectAddress {
  readonly source: ObjectAddress & { readonly sequence: number };
  readonly attributes: ObjectAttributes;
  /** Absent: the source's. */
  readonly checksum?: ObjectChecksum;
  /** Absent: the source's. */
  readonly etag?: string;
  readonly precondition?: Precondition;
}

export interface DeleteObject extends ObjectAddress {
  readonly precondition?: Precondition;
}

/** Inclusive, zero-based, within the object: the caller has clamped it. */
export interface BodyRange {
  readonly start: number;
  readonly end: number;
}

export interface OpenObject {
  readonly version: ObjectVersion;
  /** True when `bytes` may be called for the whole object: it is small enough to hold in memory. */
  readonly small: boolean;
  /**
   * The bytes of a small object or range (≤ 1 MiB) in one piece: themselves when they are at hand, a promise when they must
   * be waited for. Throws, or rejects with, StoreError `Corrupt` when they fail their checksum.
   */
  bytes(range?: BodyRange): Uint8Array | Promise<Uint8Array>;
  /** The bytes as chunks of at most 256 KiB, each verified before it is handed out. @throws StoreError `Corrupt`. */
  chunks(range?: BodyRange): AsyncIterable<Uint8Array>;
  /** The bytes on their way to somebody else, in memory that is lent: the cheapest way to send them on. */
  pieces(range?: BodyRange): PieceReader;
  /** Lets the bytes go. Must be called exactly once. */
  close(): void;
}

export interface PieceReader {
  /**
   * The next piece, verified, or `undefined` after the last one: at once when the bytes are at hand. To be called again only
   * when the piece before is there. Throws or rejects with StoreError `Corrupt`; what was lent by then must still be given back.
   */
  next(): LentBytes | Promise<LentBytes> | undefined;
}

export interface LentBytes {
  /** At most 256 KiB. Something else may stand there after `giveBack`. */
  readonly bytes: Uint8Array;
  /** To be called exactly once. */
  giveBack(): void;
}

export interface ListObjectsPage {
  readonly bucket: string;
  readonly prefix: string;
  /** Empty: no grouping. May be longer than one character. */
  readonly delimiter: string;
  /** Only keys and common prefixes after this one, in byte order. A common prefix not after it is skipped whole. */
  readonly after: string;
  /** Objects and common prefixes together, at most. Zero gives an empty page that is not truncated. */
  readonly limit: number;
}

export interface ObjectList {
  readonly objects: readonly ObjectSummary[];
  readonly commonPrefixes: readonly string[];
  /** The last key or common prefix of this page, when there are more: give it as `after` to go on. */
  readonly next?: string;
}

export interface UploadAddress extends ObjectAddress {
  readonly uploadId: string;
}

export interface CreateUpload extends ObjectAddress {
  readonly attributes: ObjectAttributes;
  /** Account that began it. */
  readonly initiator: string;
  /** What the parts and the object are to be checked with; the type decides how the object's checksum is formed. */
  readonly checksum?: { readonly algorithm: ChecksumAlgorithm; readonly type: 'COMPOSITE' | 'FULL_OBJECT' };
}

export interface MultipartUpload extends CreateUpload {
  readonly uploadId: string;
  readonly initiatedAtMs: number;
}

export interface PutPart extends UploadAddress {
  /** 1 to 10,000. */
  readonly partNumber: number;
  readonly body: StagedBody;
  /** MD5 in hex, without quotes. */
  readonly etag: string;
  /** base64, of the upload's checksum algorithm. */
  readonly checksum?: string;
}

export interface Part {
  readonly partNumber: number;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly checksum?: string;
  readonly lastModifiedMs: number;
}

export interface ListPartsPage extends UploadAddress {
  /** Only parts with a higher number. */
  readonly after: number;
  readonly limit: number;
}

export interface PartList {
  readonly parts: readonly Part[];
  /** The number of the last part of this page, when there are more. */
  readonly next?: number;
}

export interface ListUploadsPage {
  readonly bucket: string;
  readonly prefix: string;
  readonly delimiter: string;
  /** Only uploads of keys after this one; with `afterUploadId` also later uploads of this key. */
  readonly afterKey: string;
  readonly afterUploadId: string;
  readonly limit: number;
}

export interface UploadList {
  readonly uploads: readonly MultipartUpload[];
  readonly commonPrefixes: readonly string[];
  readonly next?: { readonly key: string; readonly uploadId: string };
}

export interface CompleteUpload extends UploadAddress {
  /** In ascending order of number. */
  readonly parts: readonly CompletedPart[];
  /** Every part but the last must have it. @throws `PartTooSmall`. */
  readonly minPartSizeBytes: number;
  /** The finished object may not be larger. @throws `BodyTooLarge`. */
  readonly maxSizeBytes: number;
  /** The object's checksum as the client claims it, base64, without suffix. @throws `ChecksumMismatch`. */
  readonly checksum?: string;
  readonly precondition?: Precondition;
}

export interface CompletedPart {
  readonly partNumber: number;
  /** Without quotes. */
  readonly etag: string;
  readonly checksum?: string;
}

export interface StoreHealth {
  /** `read-only`: writing has stopped, because of `reason`; reads go on. */
  readonly status: 'ok' | 'read-only';
  readonly reason?: string;
  /** Of buckets that have none of their own. */
  readonly durability: Durability;
  /** Buckets with a durability of their own, the first thousand by name. Default: none. */
  readonly bucketDurabilities?: readonly BucketDurability[];
  /** Who follows the changes, and how far each is behind. Default: nobody. */
  readonly cursors?: readonly CursorStatus[];
  /** The disk had no room for a write: puts are refused until there is room again, deletes are taken. Default: false. */
  readonly diskFull?: boolean;
  /** For how long bytes that are to be removed have waited for somebody who reads them, or others of that time. */
  readonly oldestReaderMs?: number;
  /** How the journal gives room back. Absent for stores without a journal. */
  readonly compaction?: CompactionHealth;
  /** Stored bytes that failed their checksum since the store was opened: set aside or kept, never served. */
  readonly damage?: readonly StoreDamage[];
  /** Damaged places found since the store was opened, also those that `damage` does not list any more. */
  readonly damageCount?: number;
  /** Absent: the store keeps nothing that could be scrubbed. */
  readonly scrub?: ScrubHealth;
}

/** How far a consumer of changes is behind: what is durable and visible, and not acknowledged (cursors/change-cursor.ts). */
export interface CursorLag {
  readonly changes: number;
  /** Bytes of journal that hold them, small bodies included. */
  readonly bytes: number;
  /**
   * When the oldest of them was committed, in milliseconds since 1970; absent when there is none. Of changes from before the
   * store was opened it may be somewhat earlier: then it is the time of the last change that was acknowledged.
   */
  readonly oldestAtMs?: number;
}

/** A cursor as lists and health show it. */
export interface CursorStatus extends CursorLag {
  readonly name: string;
  /** Whether somebody has it open. */
  readonly open: boolean;
  /** Everything up to and with this sequence is acknowledged. */
  readonly acknowledged: number;
}

export interface BucketDurability {
  readonly bucket: string;
  readonly durability: Durability;
}

/** How far the reading of all stored bytes, slowly and over and over, has come. */
export interface ScrubHealth {
  /** The most that is read each second; 0: nothing is scrubbed. */
  readonly bytesPerSecond: number;
  /** Whether a pass has begun and is not completed. */
  readonly running: boolean;
  /** Read and held against its checksums since the store was opened. */
  readonly checkedBytes: number;
  /** Since the store was opened. */
  readonly passesCompleted: number;
  /** Milliseconds since 1970; absent before the first pass. */
  readonly lastStartedAtMs?: number;
  /** Milliseconds since 1970; absent before the first pass is completed. */
  readonly lastCompletedAtMs?: number;
}

/** The journal's room, as it was when compaction last looked; counts are since the store was opened. */
export interface CompactionHealth {
  readonly running: boolean;
  /** Segments of the journal. */
  readonly segments: number;
  readonly journalBytes: number;
  /** Records that are needed still: those that hold the bytes of an object, and what is known of the others. */
  readonly liveBytes: number;
  /** Segments that are damaged and therefore stay. */
  readonly keptSegments: number;
  readonly removedSegments: number;
  readonly removedBytes: number;
  /** What was written again for it. */
  readonly writtenBytes: number;
}

/** A stretch of a file in the data folder that does not hold what was written there. */
export interface StoreDamage {
  /** Relative to the data folder. */
  readonly file: string;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly description: string;
  /** Only the bytes of an object are damaged; what the journal says of it can be read. Default: false. */
  readonly bodyOnly?: boolean;
  /** The records of the journal that cannot be read, by number. */
  readonly records?: { readonly first: number; readonly last: number };
  /** The objects that it concerns, as far as they are known. */
  readonly objects?: readonly ObjectAddress[];
}

// Cursors: named places in the stream of everything that changes in a store. Events, replication and backup follow it, each
// at its own pace, and go on where they were after a restart or a crash. This file is the contract, for all stores;
// cursors.contract.ts holds them to it.
//
// What is promised
//   At least once    Every change behind a cursor is delivered until it is acknowledged. What was delivered and not
//                    acknowledged comes again after a restart, a crash, or `close`. Consumers must bear a repetition: each
//                    change has its own `sequence`, the same every time.
//   In order         Changes come in the order of their commits, hence those of one key in the order in which they happened.
//                    Their sequences rise; they are not without gaps, because the store has records of its own.
//   Only what holds  A change is delivered once it is durable and visible: no crash takes it back, and a read that begins
//                    afterwards sees it, or something later. A bucket of durability `interval` or `memory` acknowledges
//                    writes before they are durable; they are delivered when they are. While somebody waits to read, the
//                    journal is made durable for it within a second.
//   Durable          When `acknowledge` resolves, the place survives power loss, at every durability.
//   Never silent     Where the journal was damaged before a cursor had read it, the stream has a change `changesLost` in
//                    place of what cannot be read. Whoever meets it must compare with a listing: anything may have changed.
//
// What a cursor costs
//   The journal keeps all segments from a cursor's acknowledged place on, on the disk, also across restarts and also while
//   nobody has it open: compaction passes them over. A cursor that is not wanted any more must be removed. `lag` and the
//   store's health tell how much there is; an alarm on `oldestAtMs` finds a consumer that stands still.
//   Reading is apart from writing: it reads the journal's files and holds up no commit. Acknowledgements that come while one
//   is being written down share the next one: acknowledge as often as is convenient.
//
// What a change is
//   It says what was committed, with the attributes as they were then, and not the bytes. Whoever wants those opens the
//   object and compares `version.sequence`: if another version stands there by then, a later change will tell of it.
//   It does not say who asked, nor what a version replaced. Parts of unfinished uploads are no changes.
//
// A store in memory has the same cursors without a journal: it keeps changes from the first open cursor on, at most 100,000;
// of what is not acknowledged beyond that, the oldest become `changesLost`. All cursors end with the process.

import type {
  Bucket,
  CursorLag,
  CursorStatus,
  MultipartUpload,
  ObjectAddress,
  ObjectStore,
  ObjectVersion,
} from '../object-store.ts';

/** A store whose changes can be followed: every one that is opened here. (A worker's view of a store is none.) */
export interface FollowedStore extends ObjectStore {
  /**
   * Opens a cursor on everything that changes in the store, made when there is none of this name: 1 to 200 letters, digits
   * or any of `. _ : / -`, a letter or digit first. It must be closed.
   * @throws StoreError `CursorInUse` when it is open already, `TooManyCursors` beyond 256, `Closed`; RangeError for a wrong name.
   */
  openCursor(name: string, options: OpenCursor): Promise<ChangeCursor>;
  /** All cursors by name, open or not, with how far each is behind. */
  listCursors(): readonly CursorStatus[];
}

/** One consumer's place in the stream of changes, open for reading. */
export interface ChangeCursor {
  readonly name: string;
  /**
   * The next changes, at least one: waits until there is one. Delivers a change once per opening; what follows the last one
   * that was acknowledged comes again after the next. One read at a time.
   * @throws StoreError `Closed` when the cursor or the store is closed, also while it waits; the signal's reason when it is
   * aborted; RangeError for a wrong limit, or while 100,000 changes are delivered and not acknowledged.
   */
  read(page: ReadChanges): Promise<readonly Change[]>;
  /**
   * Takes note that all changes up to and with this one are dealt with: they will not be delivered again. Durable when it
   * resolves. A sequence that was acknowledged before changes nothing.
   * @throws RangeError for a sequence beyond what was delivered; StoreError `NoSuchCursor` when it was removed, `ReadOnly`,
   * `Closed`.
   */
  acknowledge(sequence: number): Promise<void>;
  lag(): CursorLag;
  /** Ends the reading; the place is kept, and keeps the journal. Waiting reads reject with `Closed`. May be called twice. */
  close(): Promise<void>;
  /** Closes the cursor and forgets its place: it keeps nothing of the journal any more. */
  remove(): Promise<void>;
}

export interface OpenCursor {
  /**
   * Where a cursor begins that is not there yet; one that is goes on where it was.
   *   oldest  At the oldest change from which on the journal is complete. Compaction removes what is long past, so this is
   *           no history: a consumer that needs everything lists the store after opening the cursor, and then reads.
   *   now     Behind everything that was committed before `openCursor` resolved.
   */
  readonly start: 'oldest' | 'now';
}

export interface ReadChanges {
  /** How many changes at most: 1 to 1000. Fewer may come, also when there are more. */
  readonly limit: number;
  /** Ends the waiting. Nothing is lost: the next read delivers what comes. */
  readonly signal?: AbortSignal;
}

export type Change =
  | ObjectCreated
  | ObjectRemoved
  | BucketCreated
  | BucketConfigured
  | BucketRemoved
  | UploadCreated
  | UploadAborted
  | ChangesLost;

interface ChangeHead {
  /** Names the change among all of the store; later changes have higher ones. */
  readonly sequence: number;
  /** When it was committed, in milliseconds since 1970. */
  readonly atMs: number;
}

/** An object was made the current version of its key, in place of any other. */
export interface ObjectCreated extends ChangeHead, ObjectAddress {
  readonly type: 'objectCreated';
  /** `complete`: by completing a multipart upload, which has ended with it. */
  readonly by: 'put' | 'copy' | 'complete';
  /** Its `sequence` is that of the change. `parts` are there for `complete`, and for a copy while the source's are kept. */
  readonly version: ObjectVersion;
}

/** The current version of a key was removed. */
export interface ObjectRemoved extends ChangeHead, ObjectAddress {
  readonly type: 'objectRemoved';
  /** The version that stood there, without its parts. */
  readonly version: ObjectVersion;
}

export interface BucketCreated extends ChangeHead {
  readonly type: 'bucketCreated';
  readonly bucket: string;
  readonly settings: Bucket;
}

/** A configuration document of a bucket was set or removed. */
export interface BucketConfigured extends ChangeHead {
  readonly type: 'bucketConfigured';
  readonly bucket: string;
  /** With all documents, as they are afterwards. */
  readonly settings: Bucket;
}

/** An empty bucket was removed. Its unfinished uploads went with it, without changes of their own. */
export interface BucketRemoved extends ChangeHead {
  readonly type: 'bucketRemoved';
  readonly bucket: string;
  /** The bucket that stood there. */
  readonly settings: Bucket;
}

/** A multipart upload was begun. It ends with `objectCreated` by `complete`, `uploadAborted`, or `bucketRemoved`. */
export interface UploadCreated extends ChangeHead, ObjectAddress {
  readonly type: 'uploadCreated';
  readonly upload: MultipartUpload;
}

export interface UploadAborted extends ChangeHead, ObjectAddress {
  readonly type: 'uploadAborted';
  readonly upload: MultipartUpload;
}

/**
 * Records that cannot be read any more: what they said is not known. `sequence` is the last of them, `atMs` the time of the
 * last change before them, as far as it is known.
 */
export interface ChangesLost extends ChangeHead {
  readonly type: 'changesLost';
  readonly firstSequence: number;
  readonly description: string;
}

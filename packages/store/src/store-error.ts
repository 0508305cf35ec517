// What a store can refuse, as one table. The engine maps each code to S3's own.

export const storeErrors = {
  BucketExists: 'A bucket of this name exists already.',
  BucketNotEmpty: 'The bucket still holds objects.',
  NoSuchBucket: 'There is no bucket of this name.',
  NoSuchKey: 'There is no object at this key.',
  NoSuchUpload: 'There is no unfinished upload with this id; it may have been completed or aborted.',
  PreconditionFailed: 'The current version does not meet the precondition.',
  SourceChanged: 'The source was overwritten or deleted while it was being copied.',
  InvalidPart: 'A named part was not uploaded, or its ETag or checksum differs.',
  InvalidPartOrder: 'The parts are not in ascending order of number.',
  PartTooSmall: 'A part other than the last is smaller than the minimum.',
  ChecksumMismatch: 'The object has another checksum than the one given.',
  BodyTooLarge: 'The body is larger than allowed.',
  BodySizeMismatch: 'The body has another length than announced.',
  DiskFull: 'The disk has no room for this write.',
  ReadOnly: 'The store has stopped writing after a disk error; reads go on.',
  Overloaded: 'More writes are waiting than the store takes; try again.',
  Corrupt: 'Stored bytes fail their checksum; they are not served.',
  NoSuchCursor: 'There is no cursor of this name; it may have been removed.',
  CursorInUse: 'The cursor is open already; a cursor has one reader.',
  TooManyCursors: 'The store has as many cursors as it takes; remove one that is not wanted any more.',
  Locked: 'Another process has this data folder open.',
  Scattered: 'Folders of the store lie on different file systems.',
  NotAStore: 'The folder holds no store.',
  UnsupportedFormat: 'The data folder was written by a newer version.',
  Closed: 'The store is closed.',
} as const satisfies Record<string, string>;

export type StoreErrorCode = keyof typeof storeErrors;

export class StoreError extends Error {
  readonly code: StoreErrorCode;
  /** What the code alone does not say, e.g. `{ partNumber: '3' }`. */
  readonly details: Readonly<Record<string, string>>;

  constructor(
    code: StoreErrorCode,
    options: { message?: string; details?: Readonly<Record<string, string>>; cause?: unknown } = {},
  ) {
    super(options.message ?? storeErrors[code], { cause: options.cause });
    this.name = 'StoreError';
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** Whether a caught value is a StoreError; tests the code, so that two copies of this package agree. */
export function isStoreError(value: unknown): value is StoreError {
  return value instanceof Error && value.name === 'StoreError' && 'code' in value && String(value.code) in storeErrors;
}

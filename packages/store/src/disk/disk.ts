// Everything that the journal and the blobs do to a disk, as an interface, so that a simulated disk can stand in its place
// and tear, reorder and drop whatever was not made durable. The index (LMDB) writes by itself: its own checkpoints make
// it recoverable (ordered-index/lmdb-index.ts).

export interface Disk {
  /** Opens a file that exists. */
  open(path: string, mode: OpenMode): Promise<DiskFile>;
  /** Creates a file, which must not exist. Its name is durable only after `syncFolder` of its folder. */
  create(path: string, mode: OpenMode): Promise<DiskFile>;
  /** Creates a folder; answers whether it is new. Its name is durable only after `syncFolder` of its parent. */
  createFolder(path: string): Promise<boolean>;
  /** Makes the names in a folder durable. */
  syncFolder(path: string): Promise<void>;
  /** Gives a file another name in place of any file of that name. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file; one that is not there is no error. */
  remove(path: string): Promise<void>;
  /** Names in a folder, in no order; none when there is no such folder. */
  list(path: string): Promise<string[]>;
  /** Takes an exclusive lock on a file, made when it is not there, for as long as this process lives. @throws StoreError `Locked`. */
  lock(path: string): FolderLock;
  /**
   * Names the file system that a path is on, links followed: two paths of one name can be renamed from one to the other. A
   * folder that was mounted into another has a name of its own, even when both lie on one device.
   */
  fileSystem(path: string): Promise<string>;
  /** How much the file system that a path is on holds, and has free for us. Absent: that cannot be told. */
  volume?(path: string): Promise<DiskVolume>;
}

interface DiskVolume {
  readonly sizeBytes: number;
  readonly freeBytes: number;
}

export interface FolderLock {
  release(): void;
}

/**
 * `read`: reading only. `write`: writes become durable with `sync`. `durable`: each write is durable when it resolves, at
 * one trip to the disk instead of two. `bulk`: as `write`, for much that is seldom read soon: whole pages may go past the
 * system's cache, when they lie at whole pages of memory and of the file.
 */
export type OpenMode = 'read' | 'write' | 'durable' | 'bulk';

export interface DiskFile {
  /** Writes all bytes of all chunks at a position. A write that fails may have been done in part. */
  write(chunks: readonly Uint8Array[], position: number): Promise<void>;
  /** Fills `bytes` from a position; answers how many there were before the end of the file. */
  read(bytes: Uint8Array, position: number): Promise<number>;
  /** As `read`, at once: a few microseconds when the bytes are in the page cache, and a stall when they are not. */
  readSync(bytes: Uint8Array, position: number): number;
  /** Makes all bytes written so far durable, and the file's length. */
  sync(): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  sizeBytes(): Promise<number>;
  close(): Promise<void>;
}

/**
 * Whether an error says that the process or the system has as many files open as it may: that says nothing of the disk, and
 * nothing was done yet.
 */
export function lacksDescriptors(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EMFILE' || error.code === 'ENFILE');
}

/** Whether an error says that there is no such file, or folder. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** Whether an error says that there is no room: of the disk or of the quota. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}

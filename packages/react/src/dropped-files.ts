// From what a user dropped or chose to files with their folders. Folders are walked to the bottom; the order is the
// browser's. Handles by which a file can be read again after a reload come along where the browser has them.

import type { FileHandle, UploadRequest } from '@stowage/client';

export interface DroppedFiles {
  readonly requests: readonly UploadRequest[];
  /** There was more than could be taken. */
  readonly truncated: boolean;
}

/** Enough for a photo archive, and a page that still answers. */
const maxFiles = 10_000;
const maxDepth = 32;

interface Found {
  readonly requests: UploadRequest[];
  truncated: boolean;
}

/** A drop's items, whose methods must be called before the event is over: this function does so before its first await. */
export async function readDrop(transfer: DataTransfer): Promise<DroppedFiles> {
  const items = [...transfer.items].filter(({ kind }) => kind === 'file').map(capture);
  const found: Found = { requests: [], truncated: false };
  for (const { entry, file, handle } of items) {
    if (entry?.isDirectory) await walk(entry as FileSystemDirectoryEntry, [entry.name], found);
    else if (file !== null) add({ file, ...present(await handle) }, found);
  }
  return found;
}

/** Files of an `<input type=file>`, also one that takes folders. */
export function readInput(files: Iterable<File>): DroppedFiles {
  const found: Found = { requests: [], truncated: false };
  for (const file of files) add({ file, folder: file.webkitRelativePath.split('/').slice(0, -1) }, found);
  return found;
}

interface Captured {
  readonly entry: FileSystemEntry | null;
  readonly file: File | null;
  readonly handle: Promise<FileHandle | undefined>;
}

function capture(item: DataTransferItem & { getAsFileSystemHandle?: () => Promise<unknown> }): Captured {
  const entry = item.webkitGetAsEntry();
  const asking = entry?.isDirectory ? undefined : item.getAsFileSystemHandle?.();
  return { entry, file: item.getAsFile(), handle: Promise.resolve(asking).then(asFileHandle, () => undefined) };
}

function asFileHandle(value: unknown): FileHandle | undefined {
  const isFile = typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'file';
  // Proof of the cast: a FileSystemHandle of kind 'file' is a FileSystemFileHandle (File System standard, 2.1).
  return isFile ? (value as FileHandle) : undefined;
}

function present(handle: FileHandle | undefined): Pick<UploadRequest, 'handle'> {
  return handle === undefined ? {} : { handle };
}

function add(request: UploadRequest, found: Found): void {
  if (found.requests.length < maxFiles) found.requests.push(request);
  else found.truncated = true;
}

async function walk(directory: FileSystemDirectoryEntry, folder: readonly string[], found: Found): Promise<void> {
  if (folder.length > maxDepth || found.requests.length >= maxFiles) {
    found.truncated = true;
    return;
  }
  const reader = directory.createReader();
  // readEntries gives a hundred or so at a time, and an empty list at the end.
  for (;;) {
    const entries = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (entries.length === 0 || found.requests.length >= maxFiles) break;
    for (const entry of entries) {
      if (entry.isDirectory) await walk(entry as FileSystemDirectoryEntry, [...folder, entry.name], found);
      else add({ file: await fileOf(entry as FileSystemFileEntry), folder }, found);
    }
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

// What is uploaded: a File or Blob, or anything that can be cut into Blobs (a file read over some other way).

import { ClientError } from './client-error.ts';

export interface UploadSource {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** MIME type, when known. */
  readonly type?: string;
  /** Milliseconds since 1970, when known; tells a changed file from the one whose upload was begun. */
  readonly lastModified?: number;
  /** The bytes from `start` up to `end`. */
  slice(start: number, end: number): Blob | Promise<Blob>;
}

/** A Blob without a name is called this. */
const namelessName = 'untitled';

export function asUploadSource(file: Blob | UploadSource): UploadSource {
  if ('name' in file) return file;
  return { name: namelessName, size: file.size, type: file.type, slice: (start, end) => file.slice(start, end) };
}

/**
 * Throws `file-unreadable` when the bytes cannot be had any more. A browser reports a file that vanished or changed
 * as a mere network error, and retrying that for ten minutes would help nobody.
 */
export async function assertReadable(source: UploadSource): Promise<void> {
  try {
    await (await source.slice(0, Math.min(1, source.size))).arrayBuffer();
  } catch (error) {
    throw new ClientError('file-unreadable', { cause: error });
  }
}

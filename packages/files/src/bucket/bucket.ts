// What the file service asks of a bucket, and what each answer means. Any S3 endpoint can stand behind it.
// Every method throws `storage-unavailable` when the endpoint does not answer, refuses the service, or answers nonsense:
// then nothing is known about the effect, and the caller has to look again.

import type { UploadedPart } from '@stowage/contract';

/** An object as HEAD describes it. */
export interface ObjectFacts {
  readonly sizeBytes: number;
  readonly etag: string;
  readonly versionId: string | undefined;
  /** As the bucket keeps it; of the whole object or a composite of its parts. */
  readonly checksum: { readonly algorithm: string; readonly value: string } | undefined;
}

export interface OpenMultipartUpload {
  readonly key: string;
  readonly uploadId: string;
}

export interface Bucket {
  /** Makes the bucket when it is missing, and lets pages of these origins send bytes to it. Done once; safe to repeat. */
  prepare(): Promise<void>;
  /** `undefined` when there is no such object. */
  head(key: string): Promise<ObjectFacts | undefined>;
  /** The object's bytes, or its first `firstBytes`; `undefined` when there is none with that ETag. */
  read(key: string, options: ReadOptions): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Writes a small object. `false` when the key is taken: what is there stays. */
  put(key: string, bytes: Uint8Array, contentType: string): Promise<boolean>;
  /**
   * Copies an object to a key that is free, if it still has that ETag. Only `head` can tell what came of it, but for
   * `source-changed`, when nothing was copied: the source is gone, or another.
   */
  copy(copy: CopyRequest): Promise<'asked' | 'source-changed'>;
  /** Removes an object, or that version of it; one that is not there is not an error. */
  remove(key: string, versionId: string | undefined): Promise<void>;
  createMultipart(key: string, contentType: string): Promise<string>;
  /** Every part, by number; `undefined` when there is no such upload (which says nothing about the object). */
  listParts(key: string, uploadId: string): Promise<readonly UploadedPart[] | undefined>;
  /** Asks for the parts to be joined, where the key is free. Only `head` can tell what came of it. */
  completeMultipart(key: string, uploadId: string, parts: readonly UploadedPart[]): Promise<void>;
  /** An upload that is not there is not an error. */
  abortMultipart(key: string, uploadId: string): Promise<void>;
  /** Unfinished uploads of exactly this key. */
  listMultipart(key: string): Promise<readonly OpenMultipartUpload[]>;
  close(): void;
}

interface CopyRequest {
  readonly from: {
    readonly key: string;
    readonly etag: string;
    readonly versionId: string | null;
    readonly sizeBytes: number;
  };
  readonly to: string;
  readonly contentType: string;
}

export interface ReadOptions {
  readonly etag: string;
  readonly firstBytes?: number;
  readonly signal?: AbortSignal;
}

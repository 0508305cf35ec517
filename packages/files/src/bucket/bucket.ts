// What the file service asks of a bucket, and what each answer means. Any S3 endpoint can stand behind it.
// Every method throws `storage-unavailable` when the endpoint does not answer, refuses the service, or answers nonsense:
// then nothing is known about the effect, and the caller has to look again.

import type { AnnouncedAlgorithm, UploadedPart } from '@stowage/contract';
import type { ObjectAddress } from '../file-record.ts';

/** An object as HEAD describes it. */
export interface ObjectFacts {
  readonly sizeBytes: number;
  readonly etag: string;
  /** Absent where the bucket keeps no versions. */
  readonly versionId: string | undefined;
  /** As the bucket keeps it; of the whole object, or, when `composite`, of its parts' checksums. */
  readonly checksum: { readonly algorithm: string; readonly value: string; readonly composite: boolean } | undefined;
}

/** A part as ListParts describes it. */
export interface StoredPart extends UploadedPart {
  readonly checksum?: { readonly algorithm: string; readonly value: string };
}

export interface OpenMultipartUpload {
  readonly key: string;
  readonly uploadId: string;
}

/** An object, or one version of it, as listings describe it. */
export interface ListedObject {
  readonly key: string;
  /** `null` where the bucket keeps no versions, and for what was there before it did. */
  readonly versionId: string | null;
  readonly isLatest: boolean;
  readonly isDeleteMarker: boolean;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly modifiedAtMs: number;
}

export interface ObjectPage {
  readonly objects: readonly ListedObject[];
  /** The key to go on after; `null`: this was the last page. */
  readonly next: string | null;
}

export interface MultipartPage {
  readonly uploads: readonly (OpenMultipartUpload & { readonly initiatedAtMs: number })[];
  /** Where to go on; `null`: this was the last page. */
  readonly next: OpenMultipartUpload | null;
}

/** How checksums are to be kept of an upload in parts: each part's, or that of the whole. */
export interface MultipartChecksum {
  readonly algorithm: AnnouncedAlgorithm;
  /** base64, of the whole. Absent: each part has its own. */
  readonly value: string | null;
}

export interface Bucket {
  /** Makes the bucket when it is missing, and lets pages of these origins send bytes to it. Done once; safe to repeat. */
  prepare(): Promise<void>;
  /** The version asked for, else the newest. `undefined` when there is no such object. */
  head(object: ObjectAddress): Promise<ObjectFacts | undefined>;
  /** The object's bytes, or `firstBytes` of them from `fromByte` on; `undefined` when there is none with that ETag. */
  read(object: ObjectAddress, options: ReadOptions): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Writes a small object. `false` when the key is taken: what is there stays, where the endpoint honours the condition. */
  put(key: string, bytes: Uint8Array, contentType: string): Promise<boolean>;
  /**
   * Copies an object to a key that is free, in parts where it is large, if the source still has that ETag and the endpoint honours
   * the condition. Asked once: it is never sent again, so that no second copy can come late. Only `head` can tell what came of
   * it, but for `source-changed`, when nothing was copied: the source is gone, or another.
   */
  copy(copy: CopyRequest): Promise<'asked' | 'source-changed'>;
  /** Removes every version of an object; one that is not there is not an error. */
  remove(key: string): Promise<void>;
  /** Keys that begin so, in order, at most 1,000, and only those after `after`. */
  listKeys(prefix: string, after?: string): Promise<readonly string[]>;
  /**
   * A page of everything that the bucket holds, in all its versions, by key in the order of UTF-8 bytes: what comes after the key
   * `after`. All entries of a key are on one page. An endpoint that cannot list versions gives the newest of each.
   */
  listAll(after: string | null): Promise<ObjectPage>;
  /**
   * Versions and delete markers of exactly this key, the newest first, at most 1,000, and whether there may be more. None where the
   * endpoint cannot list versions.
   */
  listVersions(
    key: string,
    limit: number,
  ): Promise<{ readonly versions: readonly ListedObject[]; readonly more: boolean }>;
  /** Removes one version; `null`: the one of when the bucket kept none. One that is not there is not an error. */
  removeVersion(version: ObjectAddress): Promise<void>;
  createMultipart(key: string, contentType: string, checksum?: MultipartChecksum): Promise<string>;
  /** Every part, by number; `undefined` when there is no such upload (which says nothing about the object). */
  listParts(key: string, uploadId: string): Promise<readonly StoredPart[] | undefined>;
  /**
   * Asks for the parts to be joined, where the key is free. Only `head` can tell what came of it. Answers false when the bucket says
   * that they do not have the checksum.
   */
  completeMultipart(
    key: string,
    uploadId: string,
    parts: readonly StoredPart[],
    checksum?: MultipartChecksum,
  ): Promise<boolean>;
  /** An upload that is not there is not an error. */
  abortMultipart(key: string, uploadId: string): Promise<void>;
  /** Unfinished uploads of exactly this key. */
  listMultipart(key: string): Promise<readonly OpenMultipartUpload[]>;
  /** A page of all unfinished uploads, by key, after the one given. */
  listAllMultipart(after: OpenMultipartUpload | null): Promise<MultipartPage>;
  close(): void;
}

export interface CopyRequest {
  readonly from: ObjectAddress & { readonly etag: string; readonly sizeBytes: number };
  readonly to: string;
  readonly contentType: string;
}

interface ReadOptions {
  readonly etag: string;
  readonly firstBytes?: number;
  /** With `firstBytes` alone. Default 0. */
  readonly fromByte?: number;
  readonly signal?: AbortSignal;
  /** That the body is read as fast as somebody else takes it: it goes over connections of its own. Default false. */
  readonly lasting?: boolean;
}

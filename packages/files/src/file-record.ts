// A file as the service knows it: the row behind what clients see. `null` is an empty column. Every change of a row is
// compare-and-set on (id, fence), and raises the fence by one.

import type { FileEntry, FileState, PreviewPreset, UploadStrategy } from '@stowage/contract';

export interface FileRecord {
  /** A ULID; also the upload's id. */
  readonly id: string;
  readonly tenantId: string;
  readonly userId: string;
  /** As the user knows it; nothing is derived from it but what is shown. */
  readonly name: string;
  readonly folder: readonly string[];
  /** What the client said it would send. A claim. */
  readonly declaredType: string;
  /** What the bytes are; the claim until they were looked at. */
  readonly contentType: string;
  readonly sizeBytes: number;
  readonly state: FileState;
  /** Rises with every change. */
  readonly fence: number;
  readonly reason: string | null;
  readonly strategy: UploadStrategy;
  readonly partSizeBytes: number | null;
  readonly partCount: number | null;
  readonly objectKey: string;
  readonly multipartUploadId: string | null;
  /** Of the bytes that were seen in the bucket; what is validated and served must still have it. */
  readonly objectEtag: string | null;
  readonly objectVersionId: string | null;
  readonly checksumAlgorithm: string | null;
  readonly checksumValue: string | null;
  /** What judged the bytes: `no scanner configured` where nothing did. */
  readonly scanPolicy: string | null;
  readonly previews: readonly PreviewPreset[];
  readonly width: number | null;
  readonly height: number | null;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** When the user last changed the file, by the client's word. */
  readonly modifiedAtMs: number | null;
  /** When the upload is given up. */
  readonly uploadExpiresAtMs: number;
  /** No URL that can write the key is good after this. */
  readonly signedUntilMs: number;
  /** When the service looks at this row by itself; `null` when it never needs to. */
  readonly reviewAtMs: number | null;
  readonly trashedAtMs: number | null;
  readonly purgeAtMs: number | null;
}

/** What may change in a row. */
export type FileChanges = Partial<
  Omit<FileRecord, 'id' | 'tenantId' | 'userId' | 'objectKey' | 'fence' | 'createdAtMs'>
>;

/** Where a file is to be found: among unfinished uploads, in the list, in the trash, or nowhere. */
export type Shelf = 'uploads' | 'files' | 'trash' | 'none';

/** The shelf of each state. */
export const shelves: Readonly<Record<FileState, Shelf>> = {
  pending: 'uploads',
  uploading: 'uploads',
  completing: 'uploads',
  uploaded: 'files',
  validating: 'files',
  scanning: 'files',
  ready: 'files',
  rejected: 'files',
  quarantined: 'files',
  'scan-failed': 'files',
  trashed: 'trash',
  purging: 'none',
  purged: 'none',
  aborted: 'none',
  expired: 'none',
};

/** The row as its owner sees it. */
export function fileEntry(file: FileRecord): FileEntry {
  return {
    id: file.id,
    name: file.name,
    folder: file.folder,
    sizeBytes: file.sizeBytes,
    contentType: file.contentType,
    state: file.state,
    ...(file.reason === null ? {} : { reason: file.reason }),
    ...(file.checksumAlgorithm === null || file.checksumValue === null
      ? {}
      : { checksum: { algorithm: file.checksumAlgorithm, value: file.checksumValue } }),
    previews: file.state === 'ready' ? file.previews : [],
    ...(file.width === null ? {} : { width: file.width }),
    ...(file.height === null ? {} : { height: file.height }),
    createdAt: isoDate(file.createdAtMs),
    updatedAt: isoDate(file.updatedAtMs),
    ...(file.trashedAtMs === null ? {} : { trashedAt: isoDate(file.trashedAtMs) }),
    ...(file.purgeAtMs === null ? {} : { purgeAt: isoDate(file.purgeAtMs) }),
    etag: fileEtag(file),
  };
}

/** Of the entry, not of the bytes; changes with every change. */
export function fileEtag(file: FileRecord): string {
  return `"${file.fence}"`;
}

/** ISO 8601 in UTC. */
export function isoDate(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

// A version of a file as the service knows it: the row behind what clients see. `null` is an empty column. Every change of a
// row is compare-and-set on (id, fence), and raises the fence by one.
//
// Each row has bytes of its own under a key of its own, for good. The versions of one file share a line; one of them is the
// current one, and it alone carries the file's name and place. So a new version asks nothing of the endpoint.

import type {
  AnnouncedAlgorithm,
  ContentFinding,
  FileEntry,
  FileState,
  PreviewPreset,
  UploadStrategy,
} from '@stowage/contract';

export interface FileRecord {
  /** A ULID; also the upload's id. */
  readonly id: string;
  /** The file that this is a version of: what clients know as the file's id. That of the first version. */
  readonly lineId: string;
  readonly role: VersionRole;
  /**
   * The place in the order of the file's versions, which follows no clock: that in which they ceased to be the current one, or became
   * usable without ever being it. The current one's is higher than theirs; what is on its way has the one after it.
   */
  readonly versionNumber: number;
  readonly tenantId: string;
  readonly userId: string;
  /** As the user knows it; nothing is derived from it but what is shown. */
  readonly name: string;
  /** Empty: the top. */
  readonly folderId: string;
  readonly tags: readonly string[];
  /** The application's own, name to value. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The name of the policy that it was announced under. */
  readonly category: string;
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
  /** The version whose bytes the bucket is to copy; `null`: they are uploaded. */
  readonly copiedFrom: string | null;
  /** Where the bytes arrive when those at `objectKey` are made from them, copied or stripped; `null`: they arrive there. */
  readonly stagingKey: string | null;
  /** What makes the judged bytes the served bytes. */
  readonly sealedBy: Seal;
  readonly multipartUploadId: string | null;
  /** Of the bytes that were seen in the bucket; what is validated and served must still have it. */
  readonly objectEtag: string | null;
  readonly objectVersionId: string | null;
  /** What the client said of its bytes beforehand; without a value: part by part. */
  readonly announcedAlgorithm: AnnouncedAlgorithm | null;
  readonly announcedValue: string | null;
  readonly checksumAlgorithm: string | null;
  readonly checksumValue: string | null;
  /** What judged the bytes; where nothing did, `unscannedPrefix` and why. */
  readonly scanPolicy: string | null;
  /** Since when it waits for its verdict. */
  readonly scanningSinceMs: number | null;
  /** What was noticed about the bytes and did not refuse them. */
  readonly contentMarks: readonly ContentFinding[];
  /** The beginning of a text. */
  readonly excerpt: string | null;
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
  /** Until then its bytes are not purged, whoever asks. */
  readonly retainUntilMs: number | null;
  /** Since when its bytes are known to be gone from the bucket, against all that was promised; `null`: they are not. */
  readonly missingSinceMs: number | null;
}

type VersionRole = 'current' | 'version';

/**
 * What makes the judged bytes the served bytes. `if-none-match`: the only URL that can write the key works once. `service-only`: no URL
 * can write the key, only the service does, once (parts are joined, bytes are copied). `version-id`: the version that was judged is
 * pinned. `promotion`: bytes arrive under a key of their own and are copied to one that no URL can write before they are judged.
 */
export type Seal = 'if-none-match' | 'service-only' | 'version-id' | 'promotion';

/** What may change in a row. */
export type FileChanges = Partial<
  Omit<FileRecord, 'id' | 'tenantId' | 'userId' | 'category' | 'sealedBy' | 'fence' | 'createdAtMs'>
>;

/** An object in the bucket and, where the bucket keeps versions, which of them. */
export interface ObjectAddress {
  readonly key: string;
  readonly versionId: string | null;
}

/** The key that a client's bytes are sent to. */
export function arrivalKey({ stagingKey, objectKey }: Pick<FileRecord, 'stagingKey' | 'objectKey'>): string {
  return stagingKey ?? objectKey;
}

/** Where the bytes that were seen, and are judged and served, lie. */
export function objectOf({ objectKey, objectVersionId }: FileRecord): ObjectAddress {
  return { key: objectKey, versionId: objectVersionId };
}

/** Where a row is to be found: among unfinished uploads, in the list, in the trash, among a file's versions, or nowhere. */
export type Shelf = 'uploads' | 'files' | 'trash' | 'versions' | 'none';

/** The shelf of a row. */
export function shelfOf({ state, role }: Pick<FileRecord, 'state' | 'role'>): Shelf {
  const shelf = shelves[state];
  // A version that is not the current one has no place of its own.
  return role === 'version' && (shelf === 'files' || shelf === 'trash') ? 'versions' : shelf;
}

/** What of a tenant's room a row takes: what was promised to it, what it holds, or nothing. */
export function chargeOf({
  state,
  objectEtag,
}: Pick<FileRecord, 'state' | 'objectEtag'>): 'reserved' | 'used' | 'none' {
  if (shelves[state] === 'uploads') return 'reserved';
  // An upload that was given up: its bytes were never seen, and what it was promised was given back.
  if (state === 'purging' && objectEtag === null) return 'none';
  return state === 'aborted' || state === 'expired' || state === 'purged' ? 'none' : 'used';
}

const shelves: Readonly<Record<FileState, Exclude<Shelf, 'versions'>>> = {
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

/** How `scanPolicy` begins where nothing judged the bytes. */
export const unscannedPrefix = 'not scanned: ';

/** The row as its owner sees it; `folder` names the folders above it. */
export function fileEntry(file: FileRecord, folder: readonly string[]): FileEntry {
  return {
    id: file.lineId,
    versionId: file.id,
    name: file.name,
    folderId: file.folderId,
    folder,
    tags: file.tags,
    metadata: file.metadata,
    sizeBytes: file.sizeBytes,
    contentType: file.contentType,
    state: file.state,
    ...(file.reason === null ? {} : { reason: file.reason }),
    ...(file.contentMarks.length === 0 ? {} : { marks: file.contentMarks }),
    ...(file.scanPolicy?.startsWith(unscannedPrefix)
      ? { unscanned: file.scanPolicy.slice(unscannedPrefix.length) }
      : {}),
    ...(file.state !== 'ready' || file.excerpt === null ? {} : { excerpt: file.excerpt }),
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
    ...(file.retainUntilMs === null ? {} : { retainUntil: isoDate(file.retainUntilMs) }),
    ...(file.missingSinceMs === null ? {} : { missingSince: isoDate(file.missingSinceMs) }),
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

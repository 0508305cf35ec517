// A file as its owner sees it: a name, a place, and bytes in a known state.

import { z } from 'zod';
import { type FileState, fileStateNames } from './file-state.ts';
import { metadataSchema, type NameConflict, nameConflicts, nameSchema, tagsSchema } from './name.ts';

/** Sizes of preview that the service makes of images: the longest edge, in pixels. */
export const previewPresets = { thumbnail: 320 } as const satisfies Record<string, number>;
export type PreviewPreset = keyof typeof previewPresets;

/** What may be noticed about the bytes of a file. The service's table says what follows from each. */
export const contentFindings = [
  'disguised-program',
  'other-kind',
  'image-bomb',
  'archive-bomb',
  'active-content',
  'second-format',
  'encrypted-archive',
  'nested-archive',
  'unreadable-archive',
] as const;
export type ContentFinding = (typeof contentFindings)[number];

export interface FileEntry {
  /** Stays the same through all versions of the file. */
  readonly id: string;
  /** The version whose bytes these are. */
  readonly versionId: string;
  readonly name: string;
  /** The folder it lies in; empty at the top. */
  readonly folderId: string;
  /** Names of the folders above it, outermost first; empty at the top. */
  readonly folder: readonly string[];
  readonly tags: readonly string[];
  /** The application's own, name to value. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly sizeBytes: number;
  /** What the bytes are: sniffed from them, not what was claimed. */
  readonly contentType: string;
  readonly state: FileState;
  /** Why the file was rejected or quarantined. */
  readonly reason?: string;
  /** What was noticed about the bytes and did not refuse them, in the order of `contentFindings`. */
  readonly marks?: readonly ContentFinding[];
  /** Why nothing judged the bytes for malware. Absent where a scanner or a person did, and before. */
  readonly unscanned?: string;
  /** The first characters of a text that is ready. */
  readonly excerpt?: string;
  /** base64 of the bytes' CRC or SHA, when the bucket gave one. */
  readonly checksum?: { readonly algorithm: string; readonly value: string };
  /** Presets that can be fetched from `/v1/files/{id}/previews/{preset}`. */
  readonly previews: readonly PreviewPreset[];
  /** Pixels, of an image. */
  readonly width?: number;
  readonly height?: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** When it was put into the trash. */
  readonly trashedAt?: string;
  /** When it is deleted for good: of what lies in the trash, or was refused. */
  readonly purgeAt?: string;
  /** Until when it cannot be deleted for good. */
  readonly retainUntil?: string;
  /** Since when its bytes are known to be missing from the bucket: it cannot be downloaded until they are back. */
  readonly missingSince?: string;
  /** Changes with every change of the entry; for If-Match. */
  readonly etag: string;
}

export const fileEntrySchema: z.ZodType<FileEntry> = z.object({
  id: z.string(),
  versionId: z.string(),
  name: z.string(),
  folderId: z.string(),
  folder: z.array(z.string()),
  tags: z.array(z.string()),
  metadata: z.record(z.string(), z.string()),
  sizeBytes: z.int(),
  contentType: z.string(),
  state: z.enum(fileStateNames as [FileState, ...FileState[]]),
  reason: z.string().exactOptional(),
  marks: z.array(z.enum(contentFindings)).exactOptional(),
  unscanned: z.string().exactOptional(),
  excerpt: z.string().exactOptional(),
  checksum: z.object({ algorithm: z.string(), value: z.string() }).exactOptional(),
  previews: z.array(z.enum(Object.keys(previewPresets) as [PreviewPreset])),
  width: z.int().exactOptional(),
  height: z.int().exactOptional(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  trashedAt: z.iso.datetime().exactOptional(),
  purgeAt: z.iso.datetime().exactOptional(),
  retainUntil: z.iso.datetime().exactOptional(),
  missingSince: z.iso.datetime().exactOptional(),
  etag: z.string(),
});

export interface ListFilesQuery {
  readonly cursor?: string;
  /** 1 to 200. Default 50. */
  readonly limit?: number;
  /** Default `-createdAt`: newest first. */
  readonly sort?: 'name' | '-name' | 'createdAt' | '-createdAt' | 'sizeBytes' | '-sizeBytes';
  /**
   * Only files whose name holds this text, whatever the case. Of very many files a page looks at so many: it may hold fewer than asked
   * for, or none, and a `nextCursor` all the same.
   */
  readonly name?: string;
  /** Only what lies in this folder itself; empty for the top. Default: wherever it lies. */
  readonly folderId?: string;
}

export const listFilesQuerySchema: z.ZodType<ListFilesQuery> = z.strictObject({
  cursor: z.string().max(2048).exactOptional(),
  limit: z.coerce.number().int().min(1).max(200).exactOptional(),
  sort: z.enum(['name', '-name', 'createdAt', '-createdAt', 'sizeBytes', '-sizeBytes']).exactOptional(),
  name: z.string().max(256).exactOptional(),
  folderId: z.string().max(64).exactOptional(),
});

/** What is not named stays as it is. */
export interface ChangeFileRequest {
  readonly name?: string;
  /** The folder to move it to; empty for the top. */
  readonly folderId?: string;
  /** In place of all tags there are. */
  readonly tags?: readonly string[];
  /** In place of all metadata there is. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** For a new name or place that is taken. Default `refuse`; `replace` is not offered. */
  readonly onConflict?: Exclude<NameConflict, 'replace'>;
}

export const changeFileRequestSchema: z.ZodType<ChangeFileRequest> = z.strictObject({
  name: nameSchema.exactOptional(),
  folderId: z.string().max(64).exactOptional(),
  tags: tagsSchema.exactOptional(),
  metadata: metadataSchema.exactOptional(),
  onConflict: z.enum(['keep-both', 'refuse']).exactOptional(),
});

export interface CopyFileRequest {
  /** Default: that of the file. */
  readonly folderId?: string;
  /** Default: that of the file, with a number where it is taken. */
  readonly name?: string;
  /** Default `keep-both`. */
  readonly onConflict?: NameConflict;
}

export const copyFileRequestSchema: z.ZodType<CopyFileRequest> = z.strictObject({
  folderId: z.string().max(64).exactOptional(),
  name: nameSchema.exactOptional(),
  onConflict: z.enum(nameConflicts).exactOptional(),
});

export interface FileList {
  readonly files: readonly FileEntry[];
  readonly nextCursor?: string;
}

export const fileListSchema: z.ZodType<FileList> = z.object({
  files: z.array(fileEntrySchema),
  nextCursor: z.string().exactOptional(),
});

/** Default `attachment`. `inline` shows the file in the browser where its type is safe to show. */
export type Disposition = 'attachment' | 'inline';

export interface CreateLinkRequest {
  /** 60 to 604,800 (seven days). Default 3,600. */
  readonly expiresInSeconds?: number;
  readonly disposition?: Disposition;
}

export const createLinkRequestSchema: z.ZodType<CreateLinkRequest> = z.strictObject({
  expiresInSeconds: z.int().min(60).max(604_800).exactOptional(),
  disposition: z.enum(['attachment', 'inline']).exactOptional(),
});

/** A URL that downloads the bytes from the bucket, without signing in, until it expires. */
export interface DownloadLink {
  readonly url: string;
  readonly expiresAt: string;
}

export const downloadLinkSchema: z.ZodType<DownloadLink> = z.object({ url: z.string(), expiresAt: z.iso.datetime() });

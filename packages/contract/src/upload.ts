// An upload: what a client asks for, what it is handed, and how far it has come. The bytes go straight to the bucket.

import { z } from 'zod';
import { type FileState, fileStateNames } from './file-state.ts';
import { metadataSchema, type NameConflict, nameConflicts, nameSchema, tagsSchema } from './name.ts';

export const uploadLimits = {
  /** S3's own: parts of one multipart upload. */
  maxParts: 10_000,
  /** Parts that one request may have signed. */
  maxPartsPerSigning: 100,
  /** Longest wait of a state query. */
  maxWaitSeconds: 25,
} as const;

/** `put`: one request. `multipart`: parts whose URLs are signed just before they are sent. `copy`: the bucket copies another file's bytes. */
export type UploadStrategy = 'put' | 'multipart' | 'copy';

export interface CreateUploadRequest {
  /** As the user knows it, in any script. Never part of a key. */
  readonly name: string;
  readonly sizeBytes: number;
  /** What the client believes it to be; checked against the bytes. Default `application/octet-stream`. */
  readonly contentType?: string;
  /** The folder it goes to. Default: the top. */
  readonly folderId?: string;
  /** Names of folders below that one, e.g. of a folder that was dropped: `['holiday', 'day 1']`. Made where they are missing. */
  readonly folder?: readonly string[];
  /** The file that this is to be a new version of: then it keeps its name and place. */
  readonly versionOf?: string;
  /** Default `keep-both`. */
  readonly onConflict?: NameConflict;
  /** The policy that the file is judged by: a name that the service was given. Default `default`. */
  readonly category?: string;
  readonly tags?: readonly string[];
  /** The application's own, name to value; kept and returned as given. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** When the user last changed the file, if known. */
  readonly modifiedAt?: string;
}

export const createUploadRequestSchema: z.ZodType<CreateUploadRequest> = z.object({
  name: nameSchema,
  sizeBytes: z.int().min(0),
  contentType: z.string().max(255).exactOptional(),
  folderId: z.string().max(64).exactOptional(),
  folder: z.array(nameSchema).max(64).readonly().exactOptional(),
  versionOf: z.string().max(64).exactOptional(),
  onConflict: z.enum(nameConflicts).exactOptional(),
  category: z.string().max(32).exactOptional(),
  tags: tagsSchema.exactOptional(),
  metadata: metadataSchema.exactOptional(),
  modifiedAt: z.iso.datetime({ offset: true }).exactOptional(),
});

/** A request that the client is to send to the bucket exactly as it stands, with the bytes as its body. */
export interface SignedRequest {
  readonly method: 'PUT';
  readonly url: string;
  /** To be sent as they are; they are part of the signature. */
  readonly headers: Readonly<Record<string, string>>;
  /** ISO 8601. After it the bucket refuses the request: ask for a new one. */
  readonly expiresAt: string;
}

const signedRequestShape = {
  method: z.literal('PUT'),
  url: z.string(),
  headers: z.record(z.string(), z.string()),
  expiresAt: z.iso.datetime(),
};
export const signedRequestSchema: z.ZodType<SignedRequest> = z.object(signedRequestShape);

export interface Upload {
  readonly id: string;
  /** The file that it becomes, or that it becomes a version of. */
  readonly fileId: string;
  readonly name: string;
  readonly folder: readonly string[];
  readonly sizeBytes: number;
  readonly contentType: string;
  readonly state: FileState;
  /** Why the file was rejected, or what it waits for. */
  readonly reason?: string;
  readonly strategy: UploadStrategy;
  /** Bytes of every part but the last. Only of strategy `multipart`. */
  readonly partSizeBytes?: number;
  /** Only of strategy `multipart`. */
  readonly partCount?: number;
  readonly createdAt: string;
  /** When the upload is given up unless it has come to `uploaded`. */
  readonly expiresAt: string;
  /** Only of strategy `put`, in `pending`: the request that uploads the bytes. Freshly signed each time the upload is read. */
  readonly request?: SignedRequest;
}

export const uploadSchema: z.ZodType<Upload> = z.object({
  id: z.string(),
  fileId: z.string(),
  name: z.string(),
  folder: z.array(z.string()),
  sizeBytes: z.int(),
  contentType: z.string(),
  state: z.enum(fileStateNames as [FileState, ...FileState[]]),
  reason: z.string().exactOptional(),
  strategy: z.enum(['put', 'multipart', 'copy']),
  partSizeBytes: z.int().exactOptional(),
  partCount: z.int().exactOptional(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  request: signedRequestSchema.exactOptional(),
});

export interface UploadList {
  readonly uploads: readonly Upload[];
  /** Give it as `cursor` to go on; absent at the end. */
  readonly nextCursor?: string;
}

export const uploadListSchema: z.ZodType<UploadList> = z.object({
  uploads: z.array(uploadSchema),
  nextCursor: z.string().exactOptional(),
});

/** A part that the bucket holds, read by ListParts at this moment. */
export interface UploadedPart {
  readonly partNumber: number;
  readonly sizeBytes: number;
  readonly etag: string;
}

export interface UploadedPartList {
  readonly parts: readonly UploadedPart[];
}

export const uploadedPartListSchema: z.ZodType<UploadedPartList> = z.object({
  parts: z.array(z.object({ partNumber: z.int(), sizeBytes: z.int(), etag: z.string() })),
});

export interface SignPartsRequest {
  readonly partNumbers: readonly number[];
}

export const signPartsRequestSchema: z.ZodType<SignPartsRequest> = z.object({
  partNumbers: z
    .array(z.int().min(1).max(uploadLimits.maxParts))
    .min(1)
    .max(uploadLimits.maxPartsPerSigning)
    .readonly(),
});

export interface SignedPart extends SignedRequest {
  readonly partNumber: number;
}

export interface SignedPartList {
  readonly parts: readonly SignedPart[];
}

export const signedPartListSchema: z.ZodType<SignedPartList> = z.object({
  parts: z.array(z.object({ ...signedRequestShape, partNumber: z.int() })),
});

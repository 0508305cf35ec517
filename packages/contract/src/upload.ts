// An upload: what a client asks for, what it is handed, and how far it has come. The bytes go straight to the bucket.

import { z } from 'zod';
import { type FileState, fileStateNames } from './file-state.ts';
import { metadataSchema, type NameConflict, nameConflicts, nameSchema, tagsSchema } from './name.ts';
import { type Problem, problemSchema } from './problem.ts';

export const uploadLimits = {
  /** S3's own: parts of one multipart upload. */
  maxParts: 10_000,
  /** Parts that one request may have signed. */
  maxPartsPerSigning: 100,
  /** Uploads that one batch may announce. */
  maxUploadsPerBatch: 100,
  /** Longest wait of a state query. */
  maxWaitSeconds: 25,
} as const;

/** How a client can send bytes. `put`: one request. `form`: a browser's form. `multipart`: parts whose URLs are signed just before they are sent. */
export type UploadMeans = 'put' | 'form' | 'multipart';
export const uploadMeans = ['put', 'form', 'multipart'] as const satisfies readonly UploadMeans[];

/** How the bytes come to the bucket: sent by a client, or, by `copy`, the bucket copies another file's. */
export type UploadStrategy = UploadMeans | 'copy';

/** Algorithms by which a client may say what its bytes are, with the bytes of their values. */
export const announcedChecksums = { crc32: 4, crc64nvme: 8, sha256: 32 } as const satisfies Record<string, number>;
export type AnnouncedAlgorithm = keyof typeof announcedChecksums;

/** What the client knows of its bytes beforehand. Bytes that differ are refused, by the bucket itself where it can, else after they came. */
export interface AnnouncedChecksum {
  readonly algorithm: AnnouncedAlgorithm;
  /** base64, of the whole file. Absent: each part's comes when it is signed. */
  readonly value?: string;
}

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
  /** The file that this is to be a new version of. It keeps its name and place: `name`, `folderId` and `folder` change nothing then. */
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
  /** How the client can send. Default `put` and `multipart`. */
  readonly accepts?: readonly UploadMeans[];
  readonly checksum?: AnnouncedChecksum;
}

const announcedChecksumSchema: z.ZodType<AnnouncedChecksum> = z
  .strictObject({
    algorithm: z.enum(Object.keys(announcedChecksums) as [AnnouncedAlgorithm, ...AnnouncedAlgorithm[]]),
    value: z.string().max(64).exactOptional(),
  })
  .refine(
    ({ algorithm, value }) => value === undefined || isChecksum(algorithm, value),
    'expected a value that is the base64 of as many bytes as the algorithm gives',
  );

/** Whether a text is the base64 of a value of this algorithm. */
export function isChecksum(algorithm: AnnouncedAlgorithm, value: string): boolean {
  const characters = Math.ceil(announcedChecksums[algorithm] / 3) * 4;
  const padding = (3 - (announcedChecksums[algorithm] % 3)) % 3;
  return (
    value.length === characters &&
    /^[A-Za-z0-9+/]+={0,2}$/.test(value) &&
    value.length - value.replace(/=+$/, '').length === padding
  );
}

export const createUploadRequestSchema: z.ZodType<CreateUploadRequest> = z.strictObject({
  name: nameSchema.describe('As the user knows it, in any script. With `versionOf` the file keeps the name it has.'),
  sizeBytes: z.int().min(0),
  contentType: z.string().max(255).exactOptional(),
  folderId: z.string().max(64).exactOptional(),
  folder: z.array(nameSchema).max(64).exactOptional(),
  versionOf: z
    .string()
    .max(64)
    .describe(
      'The file that this is to be a new version of. It keeps its name and place: `name`, `folderId` and `folder` change nothing then.',
    )
    .exactOptional(),
  onConflict: z.enum(nameConflicts).exactOptional(),
  category: z.string().max(32).exactOptional(),
  tags: tagsSchema.exactOptional(),
  metadata: metadataSchema.exactOptional(),
  modifiedAt: z.iso.datetime({ offset: true }).exactOptional(),
  accepts: z.array(z.enum(uploadMeans)).min(1).max(uploadMeans.length).exactOptional(),
  checksum: announcedChecksumSchema.exactOptional(),
});

export interface CreateUploadsRequest {
  readonly uploads: readonly CreateUploadRequest[];
}

export const createUploadsRequestSchema: z.ZodType<CreateUploadsRequest> = z.strictObject({
  uploads: z.array(createUploadRequestSchema).min(1).max(uploadLimits.maxUploadsPerBatch),
});

/**
 * A request that the client is to send to the bucket exactly as it stands. The bytes are its body; of a `POST` they are the field
 * `file` of a form (multipart/form-data), after all of `fields`.
 */
export interface SignedRequest {
  readonly method: 'PUT' | 'POST';
  readonly url: string;
  /** To be sent as they are; they are part of the signature. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of a form: to be sent as they are, in this order, before the file. */
  readonly fields?: Readonly<Record<string, string>>;
  /** ISO 8601. After it the bucket refuses the request: ask for a new one. */
  readonly expiresAt: string;
}

const signedRequestShape = {
  method: z.enum(['PUT', 'POST']),
  url: z.string(),
  headers: z.record(z.string(), z.string()),
  fields: z.record(z.string(), z.string()).exactOptional(),
  expiresAt: z.iso.datetime(),
};
export const signedRequestSchema: z.ZodType<SignedRequest> = z.object(signedRequestShape);

export interface Upload {
  readonly id: string;
  /** The file that it becomes, or that it becomes a version of. */
  readonly fileId: string;
  readonly name: string;
  /** The folder that the file lies in, or is to; empty at the top. */
  readonly folderId: string;
  /** Names of the folders above it, outermost first. */
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
  /** Only of strategies `put` and `form`, in `pending`: the request that uploads the bytes. Freshly signed each time the upload is read. */
  readonly request?: SignedRequest;
}

export const uploadSchema: z.ZodType<Upload> = z.object({
  id: z.string(),
  fileId: z.string(),
  name: z.string(),
  folderId: z.string(),
  folder: z.array(z.string()),
  sizeBytes: z.int(),
  contentType: z.string(),
  state: z.enum(fileStateNames as [FileState, ...FileState[]]),
  reason: z.string().exactOptional(),
  strategy: z.enum([...uploadMeans, 'copy']),
  partSizeBytes: z.int().exactOptional(),
  partCount: z.int().exactOptional(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  request: signedRequestSchema.exactOptional(),
});

/** What became of one upload of a batch: exactly one of both. */
export interface UploadOutcome {
  readonly upload?: Upload;
  readonly problem?: Problem;
}

/** In the order of the request. */
export interface UploadOutcomes {
  readonly results: readonly UploadOutcome[];
}

export const uploadOutcomesSchema: z.ZodType<UploadOutcomes> = z.object({
  results: z.array(z.object({ upload: uploadSchema.exactOptional(), problem: problemSchema.exactOptional() })),
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
  /** base64 by part number, of the algorithm that was announced. For parts of which nothing is said nothing is checked. */
  readonly checksums?: Readonly<Record<string, string>>;
}

export const signPartsRequestSchema: z.ZodType<SignPartsRequest> = z.strictObject({
  partNumbers: z.array(z.int().min(1).max(uploadLimits.maxParts)).min(1).max(uploadLimits.maxPartsPerSigning),
  checksums: z
    .record(z.string().regex(/^\d{1,5}$/, 'expected the number of a part'), z.string().max(64))
    .exactOptional(),
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

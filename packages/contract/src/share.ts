// A share: a link by which people without an account read one file or folder, until it expires, is used up or is revoked.

import { z } from 'zod';

export interface Share {
  readonly id: string;
  /** The file or the folder that is shared. */
  readonly target: { readonly kind: 'file' | 'folder'; readonly id: string; readonly name: string };
  /** The address to hand out. Whoever has it may read; keep it like a password. */
  readonly url: string;
  readonly hasPassword: boolean;
  readonly createdAt: string;
  readonly expiresAt?: string;
  /** Absent: without limit. */
  readonly maxDownloads?: number;
  readonly downloads: number;
  readonly revokedAt?: string;
}

export const shareSchema: z.ZodType<Share> = z.object({
  id: z.string(),
  target: z.object({ kind: z.enum(['file', 'folder']), id: z.string(), name: z.string() }),
  url: z.string(),
  hasPassword: z.boolean(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().exactOptional(),
  maxDownloads: z.int().exactOptional(),
  downloads: z.int(),
  revokedAt: z.iso.datetime().exactOptional(),
});

export interface ShareList {
  /** The newest first. */
  readonly shares: readonly Share[];
  readonly nextCursor?: string;
}

export const shareListSchema: z.ZodType<ShareList> = z.object({
  shares: z.array(shareSchema),
  nextCursor: z.string().exactOptional(),
});

export interface CreateShareRequest {
  /** Either this or `folderId`. */
  readonly fileId?: string;
  /** With all that lies below it, then too what comes later. */
  readonly folderId?: string;
  /** 60 to 31,536,000 (a year). Default: it does not expire. */
  readonly expiresInSeconds?: number;
  /** 1 to 1,000,000. Default: without limit. A ZIP archive counts as one. */
  readonly maxDownloads?: number;
  /** 4 to 256 characters. Default: none is asked for. Kept as an argon2id hash. */
  readonly password?: string;
}

export const createShareRequestSchema: z.ZodType<CreateShareRequest> = z
  .strictObject({
    fileId: z.string().max(64).exactOptional(),
    folderId: z.string().min(1).max(64).exactOptional(),
    expiresInSeconds: z.int().min(60).max(31_536_000).exactOptional(),
    maxDownloads: z.int().min(1).max(1_000_000).exactOptional(),
    password: z.string().min(4).max(256).exactOptional(),
  })
  .refine(({ fileId, folderId }) => (fileId === undefined) !== (folderId === undefined), {
    message: 'expected either fileId or folderId',
  });

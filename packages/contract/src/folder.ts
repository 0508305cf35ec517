// A folder: a name and a place. Folders are rows of the service; the bucket knows nothing of them, so renaming or moving one
// touches one row, whatever lies below it.

import { z } from 'zod';
import { nameSchema } from './name.ts';

export interface Folder {
  readonly id: string;
  /** The folder it lies in; empty at the top. */
  readonly parentId: string;
  readonly name: string;
  /** Names from the top down to this folder, and with its own. */
  readonly path: readonly string[];
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Changes with every change of the folder itself; for If-Match. */
  readonly etag: string;
}

const folderShape = {
  id: z.string(),
  parentId: z.string(),
  name: z.string(),
  path: z.array(z.string()),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  etag: z.string(),
};
export const folderSchema: z.ZodType<Folder> = z.object(folderShape);

/** What lies in a folder and in all folders below it. Files that are still on their way do not count. */
export interface FolderContents {
  readonly folders: number;
  readonly files: number;
  readonly sizeBytes: number;
}

export interface FolderWithContents extends Folder {
  readonly contents: FolderContents;
}

export const folderWithContentsSchema: z.ZodType<FolderWithContents> = z.object({
  ...folderShape,
  contents: z.object({ folders: z.int(), files: z.int(), sizeBytes: z.int() }),
});

export interface FolderList {
  readonly folders: readonly Folder[];
  /** Give it as `cursor` to go on; absent at the end. */
  readonly nextCursor?: string;
}

export const folderListSchema: z.ZodType<FolderList> = z.object({
  folders: z.array(folderSchema),
  nextCursor: z.string().exactOptional(),
});

export interface ListFoldersQuery {
  /** Default: the top. */
  readonly parentId?: string;
  readonly cursor?: string;
  /** 1 to 200. Default 50. In order of name. */
  readonly limit?: number;
}

export const listFoldersQuerySchema: z.ZodType<ListFoldersQuery> = z.strictObject({
  parentId: z.string().max(64).exactOptional(),
  cursor: z.string().max(2048).exactOptional(),
  limit: z.coerce.number().int().min(1).max(200).exactOptional(),
});

export interface CreateFolderRequest {
  readonly name: string;
  /** Default: the top. */
  readonly parentId?: string;
}

export const createFolderRequestSchema: z.ZodType<CreateFolderRequest> = z.strictObject({
  name: nameSchema,
  parentId: z.string().max(64).exactOptional(),
});

/** What is not named stays as it is. */
export interface ChangeFolderRequest {
  readonly name?: string;
  readonly parentId?: string;
}

export const changeFolderRequestSchema: z.ZodType<ChangeFolderRequest> = z.strictObject({
  name: nameSchema.exactOptional(),
  parentId: z.string().max(64).exactOptional(),
});

// Files that have arrived.

import { z } from 'zod';
import {
  changeFileRequestSchema,
  copyFileRequestSchema,
  createLinkRequestSchema,
  downloadLinkSchema,
  fileEntrySchema,
  fileListSchema,
  listFilesQuerySchema,
} from '../file.ts';
import { uploadSchema } from '../upload.ts';
import type { Route } from './route.ts';

const contentQuery = z.strictObject({
  disposition: z.enum(['attachment', 'inline']).exactOptional(),
  /** A version that is not the current one. */
  version: z.string().max(64).exactOptional(),
});

export const fileRoutes = {
  listFiles: {
    method: 'GET',
    path: '/v1/files',
    summary: 'Files, a page at a time.',
    access: 'authenticated',
    requires: 'files:read',
    query: listFilesQuerySchema,
    status: 200,
    response: fileListSchema,
    problems: ['not-found'],
  },
  getFile: {
    method: 'GET',
    path: '/v1/files/{id}',
    summary: 'One file.',
    access: 'authenticated',
    requires: 'files:read',
    status: 200,
    response: fileEntrySchema,
    problems: [],
  },
  changeFile: {
    method: 'PATCH',
    path: '/v1/files/{id}',
    summary: 'Rename, move, tag or describe a file. No byte moves. Takes If-Match.',
    access: 'authenticated',
    requires: 'files:write',
    header: 'If-Match',
    body: changeFileRequestSchema,
    status: 200,
    response: fileEntrySchema,
    problems: ['wrong-state', 'name-taken'],
  },
  copyFile: {
    method: 'POST',
    path: '/v1/files/{id}/copy',
    summary:
      'Make a file of the same bytes. The bucket copies them; the copy is checked like an upload before it is ready.',
    access: 'authenticated',
    requires: 'uploads:create',
    body: copyFileRequestSchema,
    status: 201,
    response: uploadSchema,
    problems: [
      'wrong-state',
      'name-taken',
      'file-too-large',
      'type-not-allowed',
      'quota-exceeded',
      'storage-unavailable',
    ],
  },
  deleteFile: {
    method: 'DELETE',
    path: '/v1/files/{id}',
    summary:
      'Put a file into the trash. One that never became usable goes for good, which needs files:purge, or quarantine:write where it was set aside.',
    access: 'authenticated',
    requires: 'files:write',
    header: 'If-Match',
    status: 204,
    problems: ['wrong-state'],
  },
  restoreFile: {
    method: 'POST',
    path: '/v1/files/{id}/restore',
    summary: 'Take a file out of the trash.',
    access: 'authenticated',
    requires: 'files:write',
    status: 200,
    response: fileEntrySchema,
    problems: ['wrong-state'],
  },
  getContent: {
    method: 'GET',
    path: '/v1/files/{id}/content',
    summary: 'Redirects to a short-lived URL of the bytes.',
    access: 'authenticated',
    requires: 'files:read',
    query: contentQuery,
    status: 302,
    problems: ['wrong-state', 'bytes-missing'],
  },
  getPreview: {
    method: 'GET',
    path: '/v1/files/{id}/previews/{preset}',
    summary: 'Redirects to a short-lived URL of a preview.',
    access: 'authenticated',
    requires: 'files:read',
    status: 302,
    problems: ['wrong-state', 'bytes-missing'],
  },
  createLink: {
    method: 'POST',
    path: '/v1/files/{id}/links',
    summary: 'A URL that downloads the file without signing in, until it expires.',
    access: 'authenticated',
    requires: 'shares:write',
    body: createLinkRequestSchema,
    status: 201,
    response: downloadLinkSchema,
    problems: ['wrong-state', 'bytes-missing'],
  },
} as const satisfies Record<string, Route>;

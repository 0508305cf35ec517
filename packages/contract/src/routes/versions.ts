// The versions of a file.

import { fileEntrySchema } from '../file.ts';
import { fileVersionListSchema } from '../version.ts';
import type { Route } from './route.ts';

export const versionRoutes = {
  listVersions: {
    method: 'GET',
    path: '/v1/files/{id}/versions',
    summary: 'The versions of a file, the newest first, with those that are on their way.',
    access: 'authenticated',
    requires: 'files:read',
    status: 200,
    response: fileVersionListSchema,
    problems: [],
  },
  restoreVersion: {
    method: 'POST',
    path: '/v1/files/{id}/versions/{versionId}/restore',
    summary: 'Make an earlier version the current one. The one that is current now is kept as a version.',
    access: 'authenticated',
    requires: 'files:write',
    status: 200,
    response: fileEntrySchema,
    problems: ['wrong-state'],
  },
  deleteVersion: {
    method: 'DELETE',
    path: '/v1/files/{id}/versions/{versionId}',
    summary: 'Delete a version that is not the current one, for good.',
    access: 'authenticated',
    requires: 'files:purge',
    status: 204,
    problems: ['wrong-state', 'retained'],
  },
} as const satisfies Record<string, Route>;

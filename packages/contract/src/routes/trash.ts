// The trash: what was deleted and can still be restored.

import { z } from 'zod';
import { fileListSchema } from '../file.ts';
import { cursorQuery } from './cursor-query.ts';
import type { Route } from './route.ts';

export const trashRoutes = {
  listTrash: {
    method: 'GET',
    path: '/v1/trash',
    summary: 'Files in the trash, the newest files first.',
    access: 'authenticated',
    requires: 'files:read',
    query: cursorQuery,
    status: 200,
    response: fileListSchema,
    problems: [],
  },
  emptyTrash: {
    method: 'DELETE',
    path: '/v1/trash',
    summary:
      'Delete all that is in the trash for good, but for what is retained. Begun at once, done in the background.',
    access: 'authenticated',
    requires: 'files:purge',
    status: 200,
    response: z.object({ files: z.int() }),
    problems: [],
  },
  purgeFile: {
    method: 'DELETE',
    path: '/v1/trash/{id}',
    summary: 'Delete a file in the trash for good, with all its versions. Safe to repeat.',
    access: 'authenticated',
    requires: 'files:purge',
    status: 204,
    problems: ['wrong-state', 'retained'],
  },
} as const satisfies Record<string, Route>;

// Finding files.

import { fileListSchema } from '../file.ts';
import { searchQuerySchema } from '../search.ts';
import type { Route } from './route.ts';

export const searchRoutes = {
  search: {
    method: 'GET',
    path: '/v1/search',
    summary: 'Files whose name, tags or text have these words, the newest first.',
    access: 'authenticated',
    requires: 'files:read',
    query: searchQuerySchema,
    status: 200,
    response: fileListSchema,
    problems: ['not-found'],
  },
} as const satisfies Record<string, Route>;

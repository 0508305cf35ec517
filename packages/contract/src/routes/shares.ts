// Shares: made, listed and revoked by those who may read what they share. The public page `/s/{token}` is not among the routes
// of the API: it answers people, not programs.

import { createShareRequestSchema, shareListSchema, shareSchema } from '../share.ts';
import { cursorQuery } from './cursor-query.ts';
import type { Route } from './route.ts';

export const shareRoutes = {
  listShares: {
    method: 'GET',
    path: '/v1/shares',
    summary: 'Shares, the newest first, with those that have ended.',
    access: 'authenticated',
    requires: 'shares:write',
    query: cursorQuery,
    status: 200,
    response: shareListSchema,
    problems: [],
  },
  createShare: {
    method: 'POST',
    path: '/v1/shares',
    summary: 'Share a file or a folder by a link.',
    access: 'authenticated',
    requires: 'shares:write',
    body: createShareRequestSchema,
    status: 201,
    response: shareSchema,
    problems: ['not-found', 'wrong-state'],
  },
  revokeShare: {
    method: 'DELETE',
    path: '/v1/shares/{id}',
    summary: 'End a share at once. Safe to repeat.',
    access: 'authenticated',
    requires: 'shares:write',
    status: 204,
    problems: [],
  },
} as const satisfies Record<string, Route>;

// API keys.

import { apiKeyListSchema, createApiKeyRequestSchema, createdApiKeySchema } from '../account.ts';
import type { Route } from './route.ts';

export const keyRoutes = {
  listKeys: {
    method: 'GET',
    path: '/v1/keys',
    summary: 'API keys.',
    access: 'authenticated',
    requires: 'keys:read',
    status: 200,
    response: apiKeyListSchema,
    problems: [],
  },
  createKey: {
    method: 'POST',
    path: '/v1/keys',
    summary: 'Make an API key for a program.',
    access: 'person',
    requires: 'keys:write',
    body: createApiKeyRequestSchema,
    status: 201,
    response: createdApiKeySchema,
    problems: ['not-found'],
  },
  deleteKey: {
    method: 'DELETE',
    path: '/v1/keys/{id}',
    summary: 'Revoke an API key.',
    access: 'authenticated',
    requires: 'keys:write',
    status: 204,
    problems: [],
  },
} as const satisfies Record<string, Route>;

// What was set aside: looked at, judged anew, released, deleted.

import { quarantineListSchema, quarantineOutcomeSchema, releaseRequestSchema } from '../quarantine.ts';
import { cursorQuery } from './cursor-query.ts';
import type { Route } from './route.ts';

export const quarantineRoutes = {
  listQuarantine: {
    method: 'GET',
    path: '/v1/admin/quarantine',
    summary: 'Files in which malware was found, or which nothing could judge; the newest first.',
    access: 'authenticated',
    requires: 'quarantine:write',
    query: cursorQuery,
    status: 200,
    response: quarantineListSchema,
    problems: [],
  },
  rescanQuarantined: {
    method: 'POST',
    path: '/v1/admin/quarantine/{id}/rescan',
    summary: 'Have the scanner judge one anew: by newer signatures, or now that it is there.',
    access: 'authenticated',
    requires: 'quarantine:write',
    status: 200,
    response: quarantineOutcomeSchema,
    problems: ['wrong-state'],
  },
  releaseQuarantined: {
    method: 'POST',
    path: '/v1/admin/quarantine/{id}/release',
    summary: 'Make one usable whatever the scanner says. The audit log keeps who did it and why.',
    access: 'authenticated',
    requires: 'quarantine:write',
    body: releaseRequestSchema,
    status: 200,
    response: quarantineOutcomeSchema,
    problems: ['wrong-state', 'bytes-missing', 'storage-unavailable'],
  },
  deleteQuarantined: {
    method: 'DELETE',
    path: '/v1/admin/quarantine/{id}',
    summary: 'Delete one for good, now.',
    access: 'authenticated',
    requires: 'quarantine:write',
    status: 204,
    problems: ['wrong-state', 'retained'],
  },
} as const satisfies Record<string, Route>;

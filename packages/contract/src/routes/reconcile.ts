// Comparing the whole bucket with the database, for those who run the service.

import {
  listFindingsQuerySchema,
  reconcileFindingListSchema,
  reconcileRunListSchema,
  reconcileRunSchema,
  startReconcileRequestSchema,
} from '../reconcile.ts';
import type { Route } from './route.ts';

export const reconcileRoutes = {
  listReconciles: {
    method: 'GET',
    path: '/v1/admin/reconcile',
    summary: 'Comparisons of bucket and database, the newest first.',
    access: 'authenticated',
    requires: 'service:admin',
    status: 200,
    response: reconcileRunListSchema,
    problems: [],
  },
  startReconcile: {
    method: 'POST',
    path: '/v1/admin/reconcile',
    summary: 'Begin to compare the whole bucket with the database: as a dry run, unless told otherwise.',
    access: 'authenticated',
    requires: 'service:admin',
    body: startReconcileRequestSchema,
    status: 201,
    response: reconcileRunSchema,
    problems: ['reconcile-running'],
  },
  getReconcile: {
    method: 'GET',
    path: '/v1/admin/reconcile/{id}',
    summary: 'How far a comparison is, and what it found.',
    access: 'authenticated',
    requires: 'service:admin',
    status: 200,
    response: reconcileRunSchema,
    problems: [],
  },
  listReconcileFindings: {
    method: 'GET',
    path: '/v1/admin/reconcile/{id}/findings',
    summary: 'What a comparison found, one by one.',
    access: 'authenticated',
    requires: 'service:admin',
    query: listFindingsQuerySchema,
    status: 200,
    response: reconcileFindingListSchema,
    problems: [],
  },
  stopReconcile: {
    method: 'POST',
    path: '/v1/admin/reconcile/{id}/stop',
    summary: 'End a comparison where it is. Its report is kept.',
    access: 'authenticated',
    requires: 'service:admin',
    status: 200,
    response: reconcileRunSchema,
    problems: [],
  },
} as const satisfies Record<string, Route>;

// Uploads: announced, sent in parts, completed, given up.

import { z } from 'zod';
import { type FileState, fileStateNames } from '../file-state.ts';
import {
  createUploadRequestSchema,
  createUploadsRequestSchema,
  signedPartListSchema,
  signPartsRequestSchema,
  uploadedPartListSchema,
  uploadLimits,
  uploadListSchema,
  uploadOutcomesSchema,
  uploadSchema,
} from '../upload.ts';
import { cursorQuery } from './cursor-query.ts';
import type { Route } from './route.ts';

const waitQuery = z.strictObject({
  wait: z.coerce.number().int().min(0).max(uploadLimits.maxWaitSeconds).exactOptional(),
  state: z.enum(fileStateNames as [FileState, ...FileState[]]).exactOptional(),
});

export const uploadRoutes = {
  createUpload: {
    method: 'POST',
    path: '/v1/uploads',
    summary: 'Announce a file; answers how to send its bytes to the bucket. Takes Idempotency-Key.',
    access: 'authenticated',
    requires: 'uploads:create',
    header: 'Idempotency-Key',
    body: createUploadRequestSchema,
    status: 201,
    response: uploadSchema,
    problems: [
      'not-found',
      'wrong-state',
      'name-taken',
      'idempotency-conflict',
      'file-too-large',
      'type-not-allowed',
      'quota-exceeded',
      'storage-unavailable',
    ],
  },
  createUploads: {
    method: 'POST',
    path: '/v1/uploads/batch',
    summary: 'Announce several files at once; each has a result or a problem of its own. Takes Idempotency-Key.',
    access: 'authenticated',
    requires: 'uploads:create',
    header: 'Idempotency-Key',
    body: createUploadsRequestSchema,
    status: 200,
    response: uploadOutcomesSchema,
    problems: ['not-found'],
  },
  listUploads: {
    method: 'GET',
    path: '/v1/uploads',
    summary: 'Uploads that have not come to an end.',
    access: 'authenticated',
    requires: 'uploads:create',
    query: cursorQuery,
    status: 200,
    response: uploadListSchema,
    problems: [],
  },
  getUpload: {
    method: 'GET',
    path: '/v1/uploads/{id}',
    summary:
      'One upload. `wait` seconds: answers early when the state changes, and at once when it is not `state`, the one the caller knows.',
    access: 'authenticated',
    requires: 'uploads:create',
    query: waitQuery,
    status: 200,
    response: uploadSchema,
    problems: ['wrong-state', 'storage-unavailable'],
  },
  listParts: {
    method: 'GET',
    path: '/v1/uploads/{id}/parts',
    summary: 'The parts the bucket holds.',
    access: 'authenticated',
    requires: 'uploads:create',
    status: 200,
    response: uploadedPartListSchema,
    problems: ['wrong-state', 'storage-unavailable'],
  },
  signParts: {
    method: 'POST',
    path: '/v1/uploads/{id}/parts/sign',
    summary: 'URLs for parts about to be sent.',
    access: 'authenticated',
    requires: 'uploads:create',
    body: signPartsRequestSchema,
    status: 200,
    response: signedPartListSchema,
    problems: ['wrong-state', 'storage-unavailable'],
  },
  completeUpload: {
    method: 'POST',
    path: '/v1/uploads/{id}/complete',
    summary: 'All bytes are sent: confirm them with the bucket. Safe to repeat.',
    access: 'authenticated',
    requires: 'uploads:create',
    status: 200,
    response: uploadSchema,
    problems: ['wrong-state', 'parts-missing', 'checksum-wrong', 'storage-unavailable'],
  },
  abortUpload: {
    method: 'DELETE',
    path: '/v1/uploads/{id}',
    summary: 'Give an upload up. Safe to repeat.',
    access: 'authenticated',
    requires: 'uploads:create',
    status: 204,
    problems: ['wrong-state'],
  },
} as const satisfies Record<string, Route>;

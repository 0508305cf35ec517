// Every route of the file service, as one table: the server is a Record over its names, the OpenAPI document is made from it,
// and the client reads its paths.

import { z } from 'zod';
import {
  apiKeyListSchema,
  createApiKeyRequestSchema,
  createdApiKeySchema,
  sessionSchema,
  signInRequestSchema,
} from './account.ts';
import {
  createLinkRequestSchema,
  downloadLinkSchema,
  fileEntrySchema,
  fileListSchema,
  listFilesQuerySchema,
} from './file.ts';
import { type FileState, fileStateNames } from './file-state.ts';
import type { ProblemCode } from './problem.ts';
import {
  createUploadRequestSchema,
  signedPartListSchema,
  signPartsRequestSchema,
  uploadedPartListSchema,
  uploadLimits,
  uploadListSchema,
  uploadSchema,
} from './upload.ts';

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'PATCH';
  /** With `{id}`-style parameters (OpenAPI). */
  readonly path: string;
  readonly summary: string;
  /** Who may call: anyone, or a session or API key. */
  readonly access: 'public' | 'authenticated';
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  /** Status of success. */
  readonly status: 200 | 201 | 204 | 302;
  /** Body of success; absent for 204 and 302. */
  readonly response?: z.ZodType;
  /** Problems beside invalid-request, unauthenticated, too-many-requests and internal-error, which any route may answer. */
  readonly problems: readonly ProblemCode[];
}

const waitQuery = z.object({
  wait: z.coerce.number().int().min(0).max(uploadLimits.maxWaitSeconds).exactOptional(),
  state: z.enum(fileStateNames as [FileState, ...FileState[]]).exactOptional(),
});
const cursorQuery = z.object({
  cursor: z.string().max(2048).exactOptional(),
  limit: z.coerce.number().int().min(1).max(200).exactOptional(),
});
const dispositionQuery = z.object({ disposition: z.enum(['attachment', 'inline']).exactOptional() });

const routeTable = {
  signIn: {
    method: 'POST',
    path: '/v1/session',
    summary: 'Sign in with a one-time token; sets the session cookie.',
    access: 'public',
    body: signInRequestSchema,
    status: 200,
    response: sessionSchema,
    problems: ['sign-in-link-used', 'cross-site'],
  },
  getSession: {
    method: 'GET',
    path: '/v1/session',
    summary: 'Who is calling, and what applies to them.',
    access: 'authenticated',
    status: 200,
    response: sessionSchema,
    problems: [],
  },
  signOut: {
    method: 'DELETE',
    path: '/v1/session',
    summary: 'End the session.',
    access: 'authenticated',
    status: 204,
    problems: ['cross-site'],
  },

  createUpload: {
    method: 'POST',
    path: '/v1/uploads',
    summary: 'Announce a file; answers how to send its bytes to the bucket. Takes Idempotency-Key.',
    access: 'authenticated',
    body: createUploadRequestSchema,
    status: 201,
    response: uploadSchema,
    problems: ['file-too-large', 'type-not-allowed', 'quota-exceeded', 'idempotency-conflict', 'storage-unavailable'],
  },
  listUploads: {
    method: 'GET',
    path: '/v1/uploads',
    summary: 'Uploads that have not come to an end.',
    access: 'authenticated',
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
    query: waitQuery,
    status: 200,
    response: uploadSchema,
    problems: ['not-found'],
  },
  listParts: {
    method: 'GET',
    path: '/v1/uploads/{id}/parts',
    summary: 'The parts the bucket holds.',
    access: 'authenticated',
    status: 200,
    response: uploadedPartListSchema,
    problems: ['not-found', 'wrong-state', 'storage-unavailable'],
  },
  signParts: {
    method: 'POST',
    path: '/v1/uploads/{id}/parts/sign',
    summary: 'URLs for parts about to be sent.',
    access: 'authenticated',
    body: signPartsRequestSchema,
    status: 200,
    response: signedPartListSchema,
    problems: ['not-found', 'wrong-state'],
  },
  completeUpload: {
    method: 'POST',
    path: '/v1/uploads/{id}/complete',
    summary: 'All bytes are sent: confirm them with the bucket. Safe to repeat.',
    access: 'authenticated',
    status: 200,
    response: uploadSchema,
    problems: ['not-found', 'wrong-state', 'parts-missing', 'storage-unavailable'],
  },
  abortUpload: {
    method: 'DELETE',
    path: '/v1/uploads/{id}',
    summary: 'Give an upload up. Safe to repeat.',
    access: 'authenticated',
    status: 204,
    problems: ['not-found', 'wrong-state'],
  },

  listFiles: {
    method: 'GET',
    path: '/v1/files',
    summary: 'Files, a page at a time.',
    access: 'authenticated',
    query: listFilesQuerySchema,
    status: 200,
    response: fileListSchema,
    problems: [],
  },
  getFile: {
    method: 'GET',
    path: '/v1/files/{id}',
    summary: 'One file.',
    access: 'authenticated',
    status: 200,
    response: fileEntrySchema,
    problems: ['not-found'],
  },
  deleteFile: {
    method: 'DELETE',
    path: '/v1/files/{id}',
    summary: 'Put a file into the trash.',
    access: 'authenticated',
    status: 204,
    problems: ['not-found', 'wrong-state', 'precondition-failed'],
  },
  restoreFile: {
    method: 'POST',
    path: '/v1/files/{id}/restore',
    summary: 'Take a file out of the trash.',
    access: 'authenticated',
    status: 200,
    response: fileEntrySchema,
    problems: ['not-found', 'wrong-state'],
  },
  getContent: {
    method: 'GET',
    path: '/v1/files/{id}/content',
    summary: 'Redirects to a short-lived URL of the bytes.',
    access: 'authenticated',
    query: dispositionQuery,
    status: 302,
    problems: ['not-found', 'wrong-state'],
  },
  getPreview: {
    method: 'GET',
    path: '/v1/files/{id}/previews/{preset}',
    summary: 'Redirects to a short-lived URL of a preview.',
    access: 'authenticated',
    status: 302,
    problems: ['not-found', 'wrong-state'],
  },
  createLink: {
    method: 'POST',
    path: '/v1/files/{id}/links',
    summary: 'A URL that downloads the file without signing in, until it expires.',
    access: 'authenticated',
    body: createLinkRequestSchema,
    status: 201,
    response: downloadLinkSchema,
    problems: ['not-found', 'wrong-state'],
  },

  listKeys: {
    method: 'GET',
    path: '/v1/keys',
    summary: 'API keys.',
    access: 'authenticated',
    status: 200,
    response: apiKeyListSchema,
    problems: ['forbidden'],
  },
  createKey: {
    method: 'POST',
    path: '/v1/keys',
    summary: 'Make an API key for a program.',
    access: 'authenticated',
    body: createApiKeyRequestSchema,
    status: 201,
    response: createdApiKeySchema,
    problems: ['forbidden', 'cross-site'],
  },
  deleteKey: {
    method: 'DELETE',
    path: '/v1/keys/{id}',
    summary: 'Revoke an API key.',
    access: 'authenticated',
    status: 204,
    problems: ['forbidden', 'not-found', 'cross-site'],
  },
} as const satisfies Record<string, Route>;

export type RouteName = keyof typeof routeTable;

/** The parsed query of a route; `undefined` where it takes none. */
export type RouteQuery<Name extends RouteName> = (typeof routeTable)[Name] extends { query: z.ZodType<infer Query> }
  ? Query
  : undefined;
/** The parsed body that a route takes; `undefined` where it takes none. */
export type RouteBody<Name extends RouteName> = (typeof routeTable)[Name] extends { body: z.ZodType<infer Body> }
  ? Body
  : undefined;
/** What a route answers on success; `undefined` for 204 and 302. */
export type RouteResponse<Name extends RouteName> = (typeof routeTable)[Name] extends {
  response: z.ZodType<infer Answer>;
}
  ? Answer
  : undefined;

export const routes: Readonly<Record<RouteName, Route>> = routeTable;
export const routeNames: readonly RouteName[] = Object.keys(routeTable) as RouteName[];

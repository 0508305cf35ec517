// Several files as one ZIP archive, made while it is sent.

import { z } from 'zod';
import type { Route } from './route.ts';

/** Up to 100 ids with commas between. */
const idsSchema = z
  .string()
  .regex(/^[A-Za-z0-9]{1,64}(,[A-Za-z0-9]{1,64}){0,99}$/, 'expected up to 100 ids with commas between');

const archiveQuery = z.strictObject({
  /** Ids of files, with commas between. */
  files: idsSchema.exactOptional(),
  /** Ids of folders, with commas between; each goes in with all below it. */
  folders: idsSchema.exactOptional(),
  /** Of the archive, without `.zip`. Default `files`. */
  name: z.string().min(1).max(200).exactOptional(),
});

export const archiveRoutes = {
  getArchive: {
    method: 'GET',
    path: '/v1/archive',
    summary:
      'A ZIP archive of files and folders, streamed. Only what is ready goes in. An archive that breaks off is shorter than its end: unpackers say so. So many are sent at once (503 beyond), and who reads too slowly is cut off.',
    access: 'authenticated',
    requires: 'files:read',
    query: archiveQuery,
    status: 200,
    produces: 'application/zip',
    problems: ['not-found', 'bytes-missing', 'archive-too-large', 'too-busy'],
  },
} as const satisfies Record<string, Route>;

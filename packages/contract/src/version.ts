// The versions of one file: each has bytes of its own, one of them is the current one.

import { z } from 'zod';
import { type FileState, fileStateNames } from './file-state.ts';

export interface FileVersion {
  readonly id: string;
  readonly current: boolean;
  readonly state: FileState;
  readonly sizeBytes: number;
  readonly contentType: string;
  readonly createdAt: string;
  /** Until when it cannot be deleted for good. */
  readonly retainUntil?: string;
}

export interface FileVersionList {
  /** What is still being checked, the current one, and those before it: the last that was current first. */
  readonly versions: readonly FileVersion[];
}

export const fileVersionListSchema: z.ZodType<FileVersionList> = z.object({
  versions: z.array(
    z.object({
      id: z.string(),
      current: z.boolean(),
      state: z.enum(fileStateNames as [FileState, ...FileState[]]),
      sizeBytes: z.int(),
      contentType: z.string(),
      createdAt: z.iso.datetime(),
      retainUntil: z.iso.datetime().exactOptional(),
    }),
  ),
});

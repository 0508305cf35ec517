// What a person calls a file or a folder, and what an application attaches to it.

import { z } from 'zod';

export const nameLimits = {
  /** UTF-8 bytes of a file's or folder's name. */
  maxNameBytes: 1024,
  /** Tags of one file. */
  maxTags: 50,
  maxTagCharacters: 100,
  /** Entries of a file's metadata. */
  maxMetadataEntries: 50,
  maxMetadataNameCharacters: 100,
  maxMetadataValueCharacters: 1000,
} as const;

export const nameSchema = z
  .string()
  .min(1)
  .refine((name) => new TextEncoder().encode(name).length <= nameLimits.maxNameBytes, {
    message: `expected at most ${nameLimits.maxNameBytes} bytes of UTF-8`,
  });

export const tagsSchema = z.array(z.string().trim().min(1).max(nameLimits.maxTagCharacters)).max(nameLimits.maxTags);

export const metadataSchema = z
  .record(
    z.string().min(1).max(nameLimits.maxMetadataNameCharacters),
    z.string().max(nameLimits.maxMetadataValueCharacters),
  )
  .refine((metadata) => Object.keys(metadata).length <= nameLimits.maxMetadataEntries, {
    message: `expected at most ${nameLimits.maxMetadataEntries} entries`,
  });

/**
 * What happens when the folder has a file of that name: `keep-both` gives the new one a number, `replace` makes it a new version
 * of the one that is there, `refuse` answers `name-taken`.
 */
export type NameConflict = 'keep-both' | 'replace' | 'refuse';
export const nameConflicts = ['keep-both', 'replace', 'refuse'] as const satisfies readonly NameConflict[];

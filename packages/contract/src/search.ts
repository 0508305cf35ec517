// Finding files by the words of their names, tags and text, wherever they lie.

import { z } from 'zod';

export interface SearchQuery {
  /**
   * Words, all of which must be found, each as the beginning of a word. Case, accents' spelling and punctuation do not matter. May be
   * left out where `tag` is given.
   */
  readonly q?: string;
  /** Only below this folder, however deep. */
  readonly folderId?: string;
  /** Only of this type: `image/png`, or `image/*`. */
  readonly type?: string;
  /** Only files with this tag. */
  readonly tag?: string;
  readonly minSizeBytes?: number;
  readonly maxSizeBytes?: number;
  /** Only files that came at this time or later. */
  readonly from?: string;
  /** Only files that came before this time. */
  readonly until?: string;
  readonly cursor?: string;
  /** 1 to 200. Default 50. The newest first. */
  readonly limit?: number;
}

const searchWordsSchema = z
  .string()
  .min(1)
  .max(256)
  .describe('Words, all of which must be found. May be left out where `tag` is given.');

export const searchQuerySchema: z.ZodType<SearchQuery> = z
  .strictObject({
    q: searchWordsSchema.exactOptional(),
    folderId: z.string().max(64).exactOptional(),
    type: z
      .string()
      .regex(/^[\w.+-]+\/([\w.+-]+|\*)$/, 'expected a type like image/png or image/*')
      .exactOptional(),
    tag: z.string().max(100).exactOptional(),
    minSizeBytes: z.coerce.number().int().min(0).exactOptional(),
    maxSizeBytes: z.coerce.number().int().min(0).exactOptional(),
    from: z.iso.datetime({ offset: true }).exactOptional(),
    until: z.iso.datetime({ offset: true }).exactOptional(),
    cursor: z.string().max(2048).exactOptional(),
    limit: z.coerce.number().int().min(1).max(200).exactOptional(),
  })
  .refine(({ q, tag }) => q !== undefined || tag !== undefined, { message: 'expected q, or a tag, to search by' });

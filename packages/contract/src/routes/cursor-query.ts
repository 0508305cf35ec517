// How a page of a list is asked for.

import { z } from 'zod';

export const cursorQuery = z.strictObject({
  /** `nextCursor` of the page before. */
  cursor: z.string().max(2048).exactOptional(),
  /** Default 50. */
  limit: z.coerce.number().int().min(1).max(200).exactOptional(),
});

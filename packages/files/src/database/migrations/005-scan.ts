// Since when a file waits for its verdict.

import type { Migration } from './migration.ts';

export const scan = {
  name: 'scan',
  statements: () => [`ALTER TABLE files ADD COLUMN scanning_since_ms bigint`],
} as const satisfies Migration;

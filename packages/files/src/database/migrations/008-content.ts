// What was noticed about the bytes of a file, and the beginning of a text.

import type { Migration } from './migration.ts';

export const content = {
  name: 'content',
  statements: () => [
    `ALTER TABLE files ADD COLUMN content_marks text NOT NULL DEFAULT '[]'`,
    `ALTER TABLE files ADD COLUMN excerpt text`,
  ],
} as const satisfies Migration;

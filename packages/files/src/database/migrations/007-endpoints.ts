// What endpoints were found to do, and what clients said of their bytes beforehand.

import type { Migration } from './migration.ts';

export const endpoints = {
  name: 'endpoints',
  statements: () => [
    `CREATE TABLE endpoint_profiles (
      endpoint text NOT NULL,
      bucket text NOT NULL,
      version bigint NOT NULL,
      probed_at_ms bigint NOT NULL,
      basis text NOT NULL,
      capabilities text NOT NULL,
      PRIMARY KEY (endpoint, bucket)
    )`,
    `ALTER TABLE files ADD COLUMN announced_algorithm text`,
    `ALTER TABLE files ADD COLUMN announced_value text`,
  ],
} as const satisfies Migration;

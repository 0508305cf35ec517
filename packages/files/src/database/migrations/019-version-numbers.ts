// Versions of a file have numbers, in the order in which they ceased to be the current one: ids follow clocks, and clocks go backwards.

import type { Migration } from './migration.ts';

export const versionNumbers = {
  name: 'version-numbers',
  statements: () => [
    // Right for nearly all, which have no versions: their rows are not written.
    `ALTER TABLE files ADD COLUMN version_number bigint NOT NULL DEFAULT 1`,
    // The current one is the last that became so, wherever its id stands. Of the others nothing but their ids is known.
    `UPDATE files SET version_number = numbered.number FROM (
      SELECT id, row_number() OVER (
        PARTITION BY line_id ORDER BY CASE role WHEN 'current' THEN 1 ELSE 0 END, id
      ) AS number
      FROM files WHERE line_id IN (SELECT line_id FROM files WHERE role = 'version')
    ) AS numbered WHERE files.id = numbered.id AND numbered.number > 1`,
    // The current one stands at its end, or before what is on its way: that index serves both.
    `CREATE INDEX files_by_version ON files (line_id, version_number, id)`,
    `DROP INDEX files_by_line`,
  ],
} as const satisfies Migration;

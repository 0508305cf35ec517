// Pages of one folder in every order that lists have, what lies in it counted without reading its files, and what one user holds in a
// category.

import type { Migration } from './migration.ts';

export const folderPages = {
  name: 'folder-pages',
  statements: () => [
    `CREATE INDEX files_by_folder_creation ON files (tenant_id, folder_id, shelf, created_at_ms, id)`,
    // The one by name leaves out what is in the trash, and so is of no use where the tree is walked down.
    `CREATE INDEX folders_by_parent ON folders (tenant_id, parent_id)`,
    `CREATE INDEX files_by_folder_size ON files (tenant_id, folder_id, shelf, size_bytes, id)`,
    `CREATE INDEX files_by_user_category ON files (tenant_id, user_id, category, state, size_bytes)`,
  ],
} as const satisfies Migration;

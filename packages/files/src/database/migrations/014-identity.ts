// Who the database is: a mark that a copy of it shares and no other has. The bucket's owner marker names it.

import type { Migration } from './migration.ts';

export const identity = {
  name: 'identity',
  statements: () => [`CREATE TABLE database_identity (id text PRIMARY KEY)`],
  run: async (transaction, { newId }) => {
    await transaction.insertInto('databaseIdentity').values({ id: newId() }).execute();
  },
} as const satisfies Migration;

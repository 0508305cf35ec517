// Rows of files that were set aside.

import type { QuarantineTable } from './database.ts';
import { recordOf } from './file-rows.ts';
import type { SqlScope } from './sql-scope.ts';

export function openQuarantineTable(scope: SqlScope): QuarantineTable {
  return {
    list: ({ tenantId, limit, beforeId }) =>
      scope.read({ tenantId }, async (query) => {
        let rows = query
          .selectFrom('files')
          .selectAll()
          .where('tenantId', '=', tenantId)
          .where('state', 'in', ['quarantined', 'scan-failed'])
          .orderBy('id', 'desc')
          .limit(limit);
        if (beforeId !== undefined) rows = rows.where('id', '<', beforeId);
        return (await rows.execute()).map(recordOf);
      }),
  };
}

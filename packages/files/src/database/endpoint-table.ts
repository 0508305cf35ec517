// What endpoints were found to do. Of no tenant: the service's own.

import type { EndpointProfile } from '../bucket/endpoint-profile.ts';
import type { EndpointTable } from './database.ts';
import type { EndpointProfileRow } from './schema.ts';
import type { SqlScope } from './sql-scope.ts';

export function openEndpointTable(scope: SqlScope): EndpointTable {
  return {
    get: ({ endpoint, bucket }) =>
      scope.read('service', async (query) => {
        const row = await query
          .selectFrom('endpointProfiles')
          .selectAll()
          .where('endpoint', '=', endpoint)
          .where('bucket', '=', bucket)
          .executeTakeFirst();
        return row === undefined ? undefined : profileOf(row);
      }),

    put: (profile) =>
      scope.write('service', async (transaction) => {
        const row = { ...profile, capabilities: JSON.stringify(profile.capabilities) };
        await transaction
          .insertInto('endpointProfiles')
          .values(row)
          .onConflict((conflict) => conflict.columns(['endpoint', 'bucket']).doUpdateSet(row))
          .execute();
      }),
  };
}

function profileOf({ capabilities, ...row }: EndpointProfileRow): EndpointProfile {
  // Written by `put` alone; a profile of another version is never looked into.
  return { ...row, capabilities: JSON.parse(capabilities) as EndpointProfile['capabilities'] };
}

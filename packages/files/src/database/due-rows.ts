// What is due, in its order. Read off an index from its beginning: neither what is not due yet nor what somebody holds is read, and of a
// backlog only as much as is asked for.

import type { Kysely } from 'kysely';
import type { Schema } from './schema.ts';

interface DueOptions {
  readonly nowMs: number;
  readonly limit: number;
}

/** Files whose review is due. What is held is due when its lease is over. */
export function dueFiles(query: Kysely<Schema>, { nowMs, limit }: DueOptions) {
  return query
    .selectFrom('files')
    .selectAll()
    .where('reviewAtMs', 'is not', null)
    .where('reviewAtMs', '<=', nowMs)
    .orderBy('reviewAtMs')
    .limit(limit);
}

/** Jobs that are due. Those that are held are passed over: no more than are done at the same time. */
export function dueJobs(query: Kysely<Schema>, { nowMs, limit }: DueOptions) {
  return query
    .selectFrom('outbox')
    .select(['id', 'kind', 'fileId', 'attempts', 'fence'])
    .where('dueAtMs', '<=', nowMs)
    .where('leasedUntilMs', '<=', nowMs)
    .orderBy('dueAtMs')
    .orderBy('id')
    .limit(limit);
}

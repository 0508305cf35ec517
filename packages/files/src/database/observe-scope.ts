// A scope of queries that somebody watches: told of each read and each transaction, its retries included.

import type { SqlScope } from './sql-scope.ts';

/** Runs the work, and may measure it. */
export type DatabaseObserver = <Result>(kind: 'read' | 'write', work: () => Promise<Result>) => Promise<Result>;

export function observeScope(scope: SqlScope, observe: DatabaseObserver): SqlScope {
  return {
    dialect: scope.dialect,
    read: (who, work) => observe('read', () => scope.read(who, work)),
    write: (who, work) => observe('write', () => scope.write(who, work)),
    writeLocked: (who, work) => observe('write', () => scope.writeLocked(who, work)),
  };
}

// What a step of the database's shape is. Steps only go forward.

import type { Transaction } from 'kysely';
import type { Schema } from '../schema.ts';

export type SqlDialect = 'sqlite' | 'postgres';

export interface Migration {
  readonly name: string;
  /** SQL, in order. Its checksum is kept in the database and compared at every start. */
  statements(dialect: SqlDialect): readonly string[];
  /** What SQL alone cannot do, after the statements and in the same transaction. */
  run?(transaction: Transaction<Schema>, context: MigrationContext): Promise<void>;
}

export interface MigrationContext {
  readonly nowMs: number;
  /** A new ULID. */
  readonly newId: () => string;
}

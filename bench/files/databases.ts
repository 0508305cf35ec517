// The databases that benches of the file service run on, each with what its acknowledgement is worth.

import { join } from 'node:path';
import type { FileServiceOptions } from '@stowage/files';
import { startDurablePostgres } from '../../tests/servers/postgres-server.ts';

export interface BenchDatabase {
  readonly name: string;
  readonly durability: string;
  /** A new one, empty. */
  create(): Promise<FileServiceOptions['database']>;
}

/** `wanted`: names, or all that this machine has. */
export async function benchDatabases(directory: string, wanted?: readonly string[]): Promise<readonly BenchDatabase[]> {
  const is = (name: string): boolean => wanted === undefined || wanted.includes(name.toLowerCase());
  let count = 0;
  const found: BenchDatabase[] = [];
  if (is('sqlite')) {
    found.push({
      name: 'SQLite',
      durability: 'WAL, synchronous FULL: on the disk before the answer',
      create: async () => {
        count += 1;
        return { path: join(directory, `bench-${count}.sqlite`) };
      },
    });
  }
  if (is('postgresql')) {
    const postgres = await startDurablePostgres();
    if (postgres.found) {
      found.push({
        name: 'PostgreSQL',
        durability: 'fsync and synchronous_commit on, on the same machine',
        create: async () => ({ url: await postgres.createDatabase() }),
      });
    } else process.stderr.write(`${postgres.reason}\n`);
  }
  return found;
}

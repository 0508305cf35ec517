// Names in a folder: which are taken, and what a file is called when its own name is.

import type { Transaction } from 'kysely';
import type { FileRecord } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import { foldName, topFolderId } from '../tree/folder-record.ts';
import type { TakenName } from './database.ts';
import type { Schema } from './schema.ts';
import type { LockedTransaction } from './sql-scope.ts';

/** Numbers that are tried in order; beyond them the file's own id is put into the name. */
const maxNumber = 100;

/** The name that the file gets in its folder, alone with the tenant: two must not choose the same. Throws `name-taken` where that is wanted, `not-found` when the folder is gone. */
export async function chooseName(
  transaction: LockedTransaction,
  file: Pick<FileRecord, 'tenantId' | 'folderId' | 'name' | 'lineId'>,
  onConflict: TakenName,
): Promise<string> {
  await requireFolder(transaction, file);
  if (!(await isTaken(transaction, file, file.name))) return file.name;
  if (onConflict === 'refuse') {
    throw new FilesError('name-taken', { detail: 'There is a file of this name in the folder. Choose another name.' });
  }
  for (let number = 2; number <= maxNumber; number++) {
    const name = withNumber(file.name, String(number));
    if (!(await isTaken(transaction, file, name))) return name;
  }
  return withNumber(file.name, file.lineId);
}

/** `report.tar.gz` becomes `report (2).tar.gz`. */
export function withNumber(name: string, number: string): string {
  const ending = /(?:\.tar)?\.[^.\s]{1,16}$/i.exec(name);
  if (ending === null || ending.index === 0) return `${name} (${number})`;
  return `${name.slice(0, ending.index)} (${number})${ending[0]}`;
}

async function isTaken(
  transaction: Transaction<Schema>,
  { tenantId, folderId, lineId }: Pick<FileRecord, 'tenantId' | 'folderId' | 'lineId'>,
  name: string,
): Promise<boolean> {
  const row = await transaction
    .selectFrom('files')
    .select('id')
    .where('tenantId', '=', tenantId)
    .where('folderId', '=', folderId)
    .where('shelf', 'in', ['files', 'uploads'])
    .where('role', '=', 'current')
    .where('nameFolded', '=', foldName(name))
    .where('lineId', '<>', lineId)
    .executeTakeFirst();
  return row !== undefined;
}

async function requireFolder(
  transaction: Transaction<Schema>,
  { tenantId, folderId }: Pick<FileRecord, 'tenantId' | 'folderId'>,
): Promise<void> {
  if (folderId === topFolderId) return;
  const folder = await transaction
    .selectFrom('folders')
    .select('id')
    .where('id', '=', folderId)
    .where('tenantId', '=', tenantId)
    .where('trashedAtMs', 'is', null)
    .executeTakeFirst();
  if (folder === undefined) throw new FilesError('not-found', { detail: `There is no folder ${folderId}.` });
}

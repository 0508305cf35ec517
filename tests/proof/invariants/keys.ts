// Invariants about keys and names: rows before URLs (3), keys used once and foreign objects left alone (4), tenants apart (11).

import { type Examination, named } from './examination.ts';
import type { FileFacts } from './facts.ts';

/** 3: Row and quota reservation commit before anything is signed. So whatever came to the bucket has a row, and the row knew of it. */
export function* rowsBeforeUrls({
  files,
  versions,
  uploads,
  keys,
  witnesses,
  history,
  tenantId,
}: Examination): Generator<string> {
  const rows = new Map(files.map((file) => [file.id, file]));
  for (const { key } of [...versions, ...uploads]) {
    const read = keys.read(key);
    if (read === undefined) continue;
    const row = rows.get(read.fileId);
    if (row === undefined) yield `The bucket holds our key ${key}, and no row does.`;
    else if (!isKeyOf(row, key, read.zone))
      yield `The bucket holds ${key}, which is none of the keys of ${named(row)}.`;
  }
  for (const { key, expiresAtMs } of witnesses.handedOut ?? []) {
    const fileId = keys.read(key)?.fileId ?? '';
    const row = rows.get(fileId);
    if (row === undefined) yield `A URL was handed out for ${key}, and no row knows of it.`;
    else if (row.signedUntilMs < expiresAtMs)
      yield `A URL for ${key} is good until ${expiresAtMs}, but ${named(row)} knows of none after ${row.signedUntilMs}.`;
  }
  for (const file of history?.missing({ files }, tenantId) ?? []) yield `The row of ${named(file)} is gone.`;
}

function isKeyOf(row: FileFacts, key: string, zone: string): boolean {
  if (key === row.objectKey || key === row.stagingKey) return true;
  const [, ...place] = row.objectKey.split('/').slice(0, -1);
  const beside = key.startsWith(`${zone}/${place.join('/')}/${row.id}-`);
  // A promotion that was given up, and copied all the same; a preview.
  return beside && (zone === 'previews' || row.stagingKey !== null);
}

/** 4: Keys are never reused. An invalid MAC: foreign, never deleted. */
export function* keysUsedOnce({ files, keys, witnesses, foreignNow }: Examination): Generator<string> {
  const users = new Map<string, string>();
  for (const file of files) {
    for (const key of [file.objectKey, file.stagingKey]) {
      if (key === null) continue;
      const other = users.get(key);
      if (other !== undefined) yield `The key ${key} is that of file ${other} and that of ${named(file)}.`;
      users.set(key, file.id);
      const read = keys.read(key);
      if (read === undefined) yield `The key of ${named(file)} carries no valid MAC: it would never be deleted.`;
      else if (read.fileId !== file.id) yield `The key of ${named(file)} names another file, ${read.fileId}.`;
    }
  }
  for (const { key, etag } of witnesses.foreign ?? []) {
    const now = foreignNow.get(key);
    if (now !== etag) yield `The foreign object ${key} had ETag ${etag}; now ${now ?? 'it is gone'}.`;
  }
}

/** 11: A tenant never sees another's row or key. */
export async function* tenantsApart({ files, references, keys, witnesses }: Examination): AsyncGenerator<string> {
  for (const { what, id, tenantId, namedTenantId } of references) {
    if (namedTenantId === tenantId) continue;
    yield `${what}: ${id} is of tenant ${tenantId}, what it names ${namedTenantId === null ? 'is not there' : `of ${namedTenantId}`}.`;
  }
  for (const file of files) {
    for (const key of [file.objectKey, file.stagingKey]) {
      const read = key === null ? undefined : keys.read(key);
      if (read === undefined || (read.tenantId === file.tenantId && read.userId === file.userId)) continue;
      yield `The key ${key} is of tenant ${read.tenantId} and user ${read.userId}; its row is of ${file.tenantId} and ${file.userId}.`;
    }
    if (witnesses.doors === undefined) continue;
    for (const { door, status, opened } of await witnesses.doors.asStranger(file))
      if (opened || status !== 404) yield `${door} answered ${status} to another tenant, for ${named(file)}.`;
  }
}

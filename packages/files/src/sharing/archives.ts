// Several files as one ZIP archive, made while it is sent: bytes are read from the bucket, one file after the other, and nothing
// is gathered. ZIP64 begins by itself where sizes ask for it. Spec: APPNOTE.TXT 6.3.10. Entries are stored, not compressed.
// The one place where the bytes of files pass through the service.

import { makeZip } from 'client-zip';
import type { Bucket } from '../bucket/bucket.ts';
import type { Database, FileTable } from '../database/database.ts';
import { withNumber } from '../database/file-names.ts';
import type { TenantId } from '../database/tenant-id.ts';
import { type FileRecord, objectOf } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import type { UsageCounter } from '../usage/usage-counter.ts';

interface ArchiveSelection {
  readonly tenantId: string;
  readonly fileIds: readonly string[];
  readonly folderIds: readonly string[];
}

export interface Archives {
  /** Throws `not-found` for what is not there or not ready, `archive-too-large`. */
  make(selection: ArchiveSelection, signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
}

interface ArchivesOptions {
  readonly bucket: Pick<Bucket, 'read'>;
  readonly database: Pick<Database, 'files' | 'folders'>;
  readonly maxFiles: number;
  readonly usage: Pick<UsageCounter, 'handedOut'>;
}

interface Entry {
  /** Path in the archive. */
  readonly name: string;
  readonly file: FileRecord;
}

export function openArchives({ bucket, database, maxFiles, usage }: ArchivesOptions): Archives {
  const { files, folders } = database;

  async function entriesOf({ tenantId, fileIds, folderIds }: ArchiveSelection): Promise<readonly Entry[]> {
    const entries: Entry[] = [];
    const taken = new Set<string>();
    const add = (path: readonly string[], file: FileRecord): void => {
      if (entries.length === maxFiles) {
        throw new FilesError('archive-too-large', {
          detail: `An archive holds at most ${maxFiles} files. Choose fewer.`,
        });
      }
      entries.push({ name: freeName([...path, file.name].map(safeName).join('/'), taken), file });
    };
    for (const id of fileIds) add([], await requireFile(files, { tenantId, id }));
    for (const id of folderIds) {
      const folder = await folders.get({ tenantId, id });
      if (folder === undefined) throw new FilesError('not-found', { detail: `There is no folder ${id}.` });
      const found = await files.readyWithin({ tenantId, folderId: id, limit: maxFiles + 1 });
      const paths = await folders.paths(tenantId, [id, ...found.map(({ folderId }) => folderId)]);
      const above = (paths.get(id)?.length ?? 1) - 1;
      for (const file of found) add((paths.get(file.folderId) ?? []).slice(above), file);
    }
    if (entries.length === 0) {
      throw new FilesError('not-found', {
        detail: 'Nothing that is ready was chosen. Name files, or folders that hold some.',
      });
    }
    return entries;
  }

  /** Each file is looked at again when its turn comes: what went into the trash meanwhile is not given out. */
  async function* inputs(entries: readonly Entry[], signal: AbortSignal) {
    for (const { name, file } of entries) {
      signal.throwIfAborted();
      const now = await files.find(file.id);
      if (now?.state !== 'ready' || now.objectEtag === null || now.missingSinceMs !== null) continue;
      const body = await open(now, bucket, signal);
      yield { name, lastModified: new Date(now.modifiedAtMs ?? now.createdAtMs), input: body, size: now.sizeBytes };
    }
  }

  return {
    make: async (selection, signal) => {
      const entries = await entriesOf(selection);
      const sizeBytes = entries.reduce((sum, { file }) => sum + file.sizeBytes, 0);
      await usage.handedOut(selection.tenantId, sizeBytes);
      return makeZip(inputs(entries, signal));
    },
  };
}

async function requireFile(files: FileTable, address: TenantId): Promise<FileRecord> {
  const file = await files.current(address);
  if (file?.missingSinceMs != null) {
    throw new FilesError('bytes-missing', {
      detail: `The object storage no longer has the bytes of file ${address.id}.`,
    });
  }
  if (file?.state === 'ready') return file;
  throw new FilesError('not-found', { detail: `There is no file ${address.id} that is ready.` });
}

async function* open(file: FileRecord, bucket: Pick<Bucket, 'read'>, signal: AbortSignal): AsyncIterable<Uint8Array> {
  if (file.sizeBytes === 0) return;
  const body = await bucket.read(objectOf(file), { etag: file.objectEtag ?? '', signal });
  if (body === undefined) throw new Error(`The bytes of file ${file.id} are not those that were checked.`);
  yield* body;
}

/** A part of a path that no unpacker takes for another place, on any system. */
function safeName(name: string): string {
  const safe = name
    .toWellFormed()
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
    .replace(/[\u0000-\u001f\u007f<>:"/\\|?*]/g, '_')
    .replace(/[. ]+$/, '');
  return safe === '' ? '_' : safe;
}

/** Systems that ignore case would unpack one over the other. */
function freeName(name: string, taken: Set<string>): string {
  let free = name;
  for (let number = 2; taken.has(free.toLowerCase()); number++) free = withNumber(name, String(number));
  taken.add(free.toLowerCase());
  return free;
}

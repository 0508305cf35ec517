// Several files as one ZIP archive, made while it is sent: bytes are read from the bucket, one file after the other, and nothing
// is gathered. ZIP64 begins by itself where sizes ask for it. Spec: APPNOTE.TXT 6.3.10. Entries are stored, not compressed.
// The one place where the bytes of files pass through the service.

import { makeZip } from 'client-zip';
import type { Bucket } from '../bucket/bucket.ts';
import type { Database, FileTable } from '../database/database.ts';
import type { TenantId } from '../database/tenant-id.ts';
import { type FileRecord, objectOf } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import type { FilesLimits } from '../limits.ts';
import type { FilesLog } from '../log.ts';
import { openArchiveNames } from './archive-names.ts';
import { openArchivePlaces } from './archive-places.ts';
import { paceStream } from './paced-stream.ts';

interface ArchiveSelection {
  readonly tenantId: string;
  readonly fileIds: readonly string[];
  readonly folderIds: readonly string[];
  /** The share by which somebody asks. */
  readonly shareId?: string;
}

export interface Archives {
  /**
   * Nothing is read and nothing counted yet, but a place is taken. Throws `not-found` for what is not there or not ready,
   * `archive-too-large`, and `too-busy` when too many are being sent.
   */
  make(selection: ArchiveSelection): Promise<Archive>;
  /** Whether it could be made, which takes no place. Throws as `make`, but for `too-busy`. */
  require(selection: ArchiveSelection): Promise<void>;
}

interface Archive {
  /** Of its files together: what is handed out. */
  readonly sizeBytes: number;
  /** Reads the files while it is read; breaks off when its reader is too slow. Once, and soon: the place is given away otherwise. */
  send(signal: AbortSignal): ReadableStream<Uint8Array>;
}

interface ArchivesOptions {
  readonly bucket: Pick<Bucket, 'read'>;
  readonly database: Pick<Database, 'files' | 'folders'>;
  readonly limits: Pick<
    FilesLimits,
    'maxArchiveFiles' | 'archiveConcurrency' | 'tenantArchiveConcurrency' | 'archiveMinBytesPerSecond' | 'archiveSlowMs'
  >;
  readonly log: FilesLog;
}

/** How long a place is kept for an archive that was made and is not sent. */
const unsentMs = 10_000;

interface Entry {
  /** Path in the archive. */
  readonly name: string;
  readonly file: FileRecord;
}

export function openArchives({ bucket, database, limits, log }: ArchivesOptions): Archives {
  const { files, folders } = database;
  const { maxArchiveFiles: maxFiles } = limits;
  const places = openArchivePlaces({ atOnce: limits.archiveConcurrency, ofTenant: limits.tenantArchiveConcurrency });

  async function entriesOf({ tenantId, fileIds, folderIds }: ArchiveSelection): Promise<readonly Entry[]> {
    const entries: Entry[] = [];
    const names = openArchiveNames();
    const add = (path: readonly string[], file: FileRecord): void => {
      if (entries.length === maxFiles) {
        throw new FilesError('archive-too-large', {
          detail: `An archive holds at most ${maxFiles} files. Choose fewer.`,
        });
      }
      entries.push({ name: names.take([...path, file.name]), file });
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
      const current = await files.current({ tenantId: file.tenantId, id: file.lineId });
      if (current?.state !== 'ready') continue;
      // The version that was asked for, also when another has taken its place.
      const now = current.id === file.id ? current : await files.find(file.id);
      if (now?.state !== 'ready' || now.objectEtag === null || now.missingSinceMs !== null) continue;
      const body = await open(now, bucket, signal);
      yield { name, lastModified: new Date(now.modifiedAtMs ?? now.createdAtMs), input: body, size: now.sizeBytes };
    }
  }

  function paced(entries: readonly Entry[], signal: AbortSignal, leave: () => void): ReadableStream<Uint8Array> {
    const ending = new AbortController();
    return paceStream(makeZip(inputs(entries, AbortSignal.any([signal, ending.signal]))), {
      minBytesPerSecond: limits.archiveMinBytesPerSecond,
      slowMs: limits.archiveSlowMs,
      now: () => performance.now(),
      onEnd: (how) => {
        // With its connection to the bucket, whatever is still under way there.
        ending.abort(new Error('The archive has ended.'));
        leave();
        if (how === 'too-slow')
          log.info('The reader of an archive was too slow, and cut off.', { files: entries.length });
      },
    });
  }

  return {
    require: async (selection) => void (await entriesOf(selection)),

    make: async (selection) => {
      const leave = places.take(selection);
      try {
        const entries = await entriesOf(selection);
        const unsent = setTimeout(leave, unsentMs);
        unsent.unref();
        return {
          sizeBytes: entries.reduce((sum, { file }) => sum + file.sizeBytes, 0),
          send: (signal) => {
            clearTimeout(unsent);
            return paced(entries, signal, leave);
          },
        };
      } catch (error) {
        leave();
        throw error;
      }
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
  const body = await bucket.read(objectOf(file), { etag: file.objectEtag ?? '', signal, lasting: true });
  if (body === undefined) throw new Error(`The bytes of file ${file.id} are not those that were checked.`);
  yield* body;
}

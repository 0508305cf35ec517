// The trash: what was deleted and can still be restored, until its time is over or somebody wants it gone.

import type { FileList } from '@stowage/contract';
import type { AuditNote } from '../accounts/audit-note.ts';
import type { FileTable } from '../database/database.ts';
import type { TenantId } from '../database/tenant-id.ts';
import { FilesError } from '../files-error.ts';
import { type FileMover, maxMoveAttempts, tooFast } from '../lifecycle/move-file.ts';
import { readPlace, writePlace } from './list-cursor.ts';
import type { StoredFiles } from './stored-files.ts';
import { requireNotRetained } from './versions.ts';

export interface Trash {
  /** `within`: only what lies in these folders, however deep. Default: wherever it lies. */
  list(
    tenantId: string,
    query: { readonly cursor?: string; readonly limit?: number },
    within?: readonly string[],
  ): Promise<FileList>;
  /** Has all of it that is not retained be deleted for good. Answers how many files. */
  empty(tenantId: string, note: AuditNote, within?: readonly string[]): Promise<number>;
  /** Deletes one for good, with all its versions. Safe to repeat. Throws `not-found`, `wrong-state`, `retained`. */
  purge(file: TenantId, note: AuditNote): Promise<void>;
}

interface TrashOptions {
  readonly files: FileTable;
  readonly storedFiles: Pick<StoredFiles, 'entries'>;
  readonly mover: FileMover;
  readonly clock: () => number;
  /** Told that there is something to do. */
  readonly onEmptied: () => void;
}

const defaultPageSize = 50;
const order = 'trash';

export function openTrash({ files, storedFiles, mover, clock, onEmptied }: TrashOptions): Trash {
  return {
    list: async (tenantId, { cursor, limit = defaultPageSize }, within) => {
      const rows = await files.list({
        tenantId,
        shelf: 'trash',
        within,
        sort: 'createdAt',
        descending: true,
        limit: limit + 1,
        after: cursor === undefined ? undefined : readPlace(cursor, order),
      });
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      const more = rows.length > limit && last !== undefined;
      return {
        files: await storedFiles.entries(page),
        ...(more ? { nextCursor: writePlace(files.placeOf(last, 'createdAt'), order) } : {}),
      };
    },

    empty: async (tenantId, note, within) => {
      const count = await files.emptyTrash({ tenantId, nowMs: clock(), within, note });
      onEmptied();
      return count;
    },

    purge: async ({ tenantId, id }, note) => {
      for (let attempt = 0; attempt < maxMoveAttempts; attempt++) {
        const file = await files.current({ tenantId, id });
        if (file === undefined) throw new FilesError('not-found', { detail: `There is no file ${id}.` });
        if (file.state === 'purging' || file.state === 'purged') return;
        if (file.state !== 'trashed') {
          throw new FilesError('wrong-state', {
            detail: `Only a file in the trash can be deleted for good; this one is ${file.state}.`,
          });
        }
        requireNotRetained({ retainUntilMs: await files.retainedUntil(file) }, clock());
        if ((await mover.move(file, { kind: 'purge-started', asked: true }, note)) !== undefined) return;
      }
      throw tooFast();
    },
  };
}

// The one place where a file's state is written: transition, compare-and-set with its jobs, and word to whoever waits for it.

import { type AuditNote, serviceNote } from '../accounts/audit-note.ts';
import type { FileTable } from '../database/database.ts';
import type { FileRecord } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import type { FilesLimits } from '../limits.ts';
import type { FilesLog } from '../log.ts';
import type { Policies } from '../policies.ts';
import { canHappen, type FileEvent, isRetained, purgeableFrom, transition } from './file-lifecycle.ts';

export interface FileMover {
  /**
   * Moves the file if it still is as given. `undefined` when the row has moved on or the event cannot happen in its state:
   * read it again and decide anew. A note for the audit log is written with the move; none is taken with `restored`. Throws `forbidden`
   * for a file that would be restored to outside of the folders that were named.
   */
  move(file: FileRecord, event: FileEvent, note?: AuditNote): Promise<FileRecord | undefined>;
}

interface FileMoverOptions {
  readonly files: FileTable;
  readonly clock: () => number;
  readonly limits: FilesLimits;
  readonly policies: Policies;
  readonly log: FilesLog;
  /** Told after each committed move. */
  readonly onMove: (file: FileRecord) => void;
}

/** How often a move is decided anew because the row had moved on; more means that something writes it without end. */
export const maxMoveAttempts = 8;

/** For who has tried as often as that. */
export function tooFast(what: 'file' | 'folder' | 'upload' = 'file'): FilesError {
  return new FilesError('wrong-state', {
    detail: `The ${what} is changing too fast; try again.`,
    retryAfterSeconds: 1,
  });
}

export function openFileMover({ files, clock, limits, policies, log, onMove }: FileMoverOptions): FileMover {
  return {
    move: async (file, event, note) => {
      if (!canHappen(file, event.kind)) return undefined;
      const nowMs = clock();
      // The last gate before bytes are removed.
      if (event.kind === 'purge-started') {
        if (isRetained(file, nowMs) || (event.asked !== true && nowMs < purgeableFrom(file))) return undefined;
      }
      const { changes, jobs } = transition(file, event, { nowMs, limits, policies });
      // What comes out of the trash may find its folder gone and its name taken.
      const moved = await (event.kind === 'restored'
        ? files.relocate(file, changes, { onConflict: 'keep-both', jobs, within: event.within })
        : files.change(file, changes, jobs, note ?? noteOf(file, event)));
      if (moved === undefined) return undefined;
      log.debug?.('File moved.', { fileId: file.id, from: file.state, to: moved.state, fence: moved.fence });
      onMove(moved);
      return moved;
    },
  };
}

/** What the service does by itself and the audit log tells of all the same. */
function noteOf({ tenantId, lineId, id }: FileRecord, event: FileEvent): AuditNote | undefined {
  if (event.kind !== 'infected') return undefined;
  const details = { versionId: id, signature: event.signature };
  return serviceNote({ tenantId, action: 'file.quarantined', subject: { kind: 'file', id: lineId }, details });
}

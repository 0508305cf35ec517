// What never became usable, or is no longer, goes for good when it is deleted: there is nothing that the trash could give back. Who
// may do so depends on why it is where it is.

import type { Action, FileState } from '@stowage/contract';
import type { NoteOf } from '../accounts/members.ts';
import type { FileRecord } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import type { FileEvent } from '../lifecycle/file-lifecycle.ts';
import type { FileMover } from '../lifecycle/move-file.ts';

export interface ForGoodOptions {
  /** Whether who asks may do this to what lies in a folder. */
  readonly may: (action: Action, folderId: string) => Promise<boolean>;
  /** Begins the note for the audit log of what goes for good. */
  readonly noteOf: NoteOf;
}

/** What somebody of the tenant judges: it is theirs to delete, by whatever route. */
const setAside: ReadonlySet<FileState> = new Set(['quarantined', 'scan-failed']);
const ofQuarantine = { needs: 'quarantine:write', action: 'quarantine.deleted' } as const;
/** What was refused goes as what is in the trash does. */
const ofRefused = { needs: 'files:purge', action: 'file.purged' } as const;

const reason = 'It was deleted while its bytes were missing.';

/**
 * One try: whether it goes now; `false` when the row has moved on, or is still being checked. Of a file that is being checked and whose
 * bytes are missing nothing will ever come, unless they come back: the check ends here. Throws `forbidden`.
 */
export async function removeForGood(
  file: FileRecord,
  { may, noteOf, mover }: ForGoodOptions & { readonly mover: FileMover },
): Promise<boolean> {
  const isMissing = file.missingSinceMs !== null;
  const { needs, action } = setAside.has(file.state) && !isMissing ? ofQuarantine : ofRefused;
  if (!(await may(needs, file.folderId))) {
    throw new FilesError('forbidden', {
      detail: `The file is ${file.state}, and deleting it would be for good: that needs ${needs}. Ask an owner for it.`,
    });
  }
  let current: FileRecord | undefined = file;
  for (let ending = endOf(current, isMissing); ending !== undefined; ending = endOf(current, isMissing)) {
    current = await mover.move(current, ending);
    if (current === undefined) return false;
  }
  const details = { versionId: file.id, found: current.reason ?? '' };
  const note = noteOf({ action, subject: { kind: 'file', id: file.lineId }, details });
  return (await mover.move(current, { kind: 'purge-started', asked: true }, note)) !== undefined;
}

/** The next step to where a check of missing bytes ends; `undefined`: it has ended, or goes on. */
function endOf({ state }: FileRecord, isMissing: boolean): FileEvent | undefined {
  if (!isMissing) return undefined;
  if (state === 'uploaded') return { kind: 'validation-started' };
  if (state === 'validating') return { kind: 'rejected', reason };
  if (state === 'scanning') return { kind: 'scan-failed', reason };
  return undefined;
}

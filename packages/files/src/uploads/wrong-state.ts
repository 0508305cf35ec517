// The refusal of something that an upload of this state, or of this strategy, does not allow.

import type { FileRecord } from '../file-record.ts';
import { FilesError } from '../files-error.ts';

/** `what` completes “One cannot … an upload”. */
export function wrongState(file: FileRecord, what: string): FilesError {
  const why = file.reason === null ? '' : ` ${file.reason}`;
  return new FilesError('wrong-state', {
    detail: `One cannot ${what} an upload of strategy ${file.strategy} that is ${file.state}.${why}`,
  });
}

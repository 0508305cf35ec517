// What every name of a file or folder must be. How long it may be is the contract's to say.

import { FilesError } from '../files-error.ts';

/** Throws `invalid-request` for a name that no file or folder can have. */
export function requireName(name: string): void {
  if (name.includes('\0')) {
    throw new FilesError('invalid-request', { detail: 'A name holds a NUL character. Take it out.' });
  }
}

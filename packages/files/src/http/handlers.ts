// One handler for each route of the contract, a file for each theme: a missing one does not compile.

import type { Handlers } from './handler.ts';
import { type FileHandlersOptions, fileHandlers } from './handlers/files.ts';
import { type KeyHandlersOptions, keyHandlers } from './handlers/keys.ts';
import { type SessionHandlersOptions, sessionHandlers } from './handlers/session.ts';
import { type UploadHandlersOptions, uploadHandlers } from './handlers/uploads.ts';

type HandlersOptions = FileHandlersOptions & KeyHandlersOptions & SessionHandlersOptions & UploadHandlersOptions;

export function createHandlers(options: HandlersOptions): Handlers {
  return {
    ...sessionHandlers(options),
    ...uploadHandlers(options),
    ...fileHandlers(options),
    ...keyHandlers(options),
  };
}

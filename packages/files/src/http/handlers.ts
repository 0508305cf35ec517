// One handler for each route of the contract, a file for each theme: a missing one does not compile.

import type { Handlers } from './handler.ts';
import { type FileHandlersOptions, fileHandlers } from './handlers/files.ts';
import { type FolderHandlersOptions, folderHandlers } from './handlers/folders.ts';
import { type KeyHandlersOptions, keyHandlers } from './handlers/keys.ts';
import { type SearchHandlersOptions, searchHandlers } from './handlers/search.ts';
import { type SessionHandlersOptions, sessionHandlers } from './handlers/session.ts';
import { type UploadHandlersOptions, uploadHandlers } from './handlers/uploads.ts';

type HandlersOptions = FileHandlersOptions &
  FolderHandlersOptions &
  KeyHandlersOptions &
  SearchHandlersOptions &
  SessionHandlersOptions &
  UploadHandlersOptions;

export function createHandlers(options: HandlersOptions): Handlers {
  return {
    ...sessionHandlers(options),
    ...uploadHandlers(options),
    ...fileHandlers(options),
    ...folderHandlers(options),
    ...searchHandlers(options),
    ...keyHandlers(options),
  };
}

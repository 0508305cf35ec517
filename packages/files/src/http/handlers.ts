// One handler for each route of the contract, a file for each theme: a missing one does not compile.

import type { Handlers } from './handler.ts';
import { type ArchiveHandlersOptions, archiveHandlers } from './handlers/archives.ts';
import { type FileHandlersOptions, fileHandlers } from './handlers/files.ts';
import { type FolderHandlersOptions, folderHandlers } from './handlers/folders.ts';
import { type KeyHandlersOptions, keyHandlers } from './handlers/keys.ts';
import { type SearchHandlersOptions, searchHandlers } from './handlers/search.ts';
import { type SessionHandlersOptions, sessionHandlers } from './handlers/session.ts';
import { type ShareHandlersOptions, shareHandlers } from './handlers/shares.ts';
import { type TrashHandlersOptions, trashHandlers } from './handlers/trash.ts';
import { type UploadHandlersOptions, uploadHandlers } from './handlers/uploads.ts';
import { type VersionHandlersOptions, versionHandlers } from './handlers/versions.ts';

type HandlersOptions = ArchiveHandlersOptions &
  FileHandlersOptions &
  FolderHandlersOptions &
  KeyHandlersOptions &
  SearchHandlersOptions &
  SessionHandlersOptions &
  ShareHandlersOptions &
  TrashHandlersOptions &
  UploadHandlersOptions &
  VersionHandlersOptions;

export function createHandlers(options: HandlersOptions): Handlers {
  return {
    ...sessionHandlers(options),
    ...uploadHandlers(options),
    ...fileHandlers(options),
    ...versionHandlers(options),
    ...trashHandlers(options),
    ...folderHandlers(options),
    ...searchHandlers(options),
    ...shareHandlers(options),
    ...archiveHandlers(options),
    ...keyHandlers(options),
  };
}

// Finding files.

import type { SearchFiles } from '../../tree/search-files.ts';
import type { HandlersOf } from '../handler.ts';

export interface SearchHandlersOptions {
  readonly searchFiles: SearchFiles;
}

export function searchHandlers({ searchFiles }: SearchHandlersOptions): HandlersOf<'search'> {
  return {
    search: async ({ caller, query, access }) => ({
      body: await searchFiles(caller.account.tenantId, query, await access.rootsOf('files:read')),
    }),
  };
}

// The list of files as pages that load on demand, kept fresh while something in it is still being checked.

import { isClientError, type StowageClient } from '@stowage/client';
import type { FileEntry, FileList } from '@stowage/contract';
import { type InfiniteData, infiniteQueryOptions, type QueryClient } from '@tanstack/react-query';
import { kindOf } from './file-kind.ts';
import { defaultSort, type FilesSearch } from './files-search.ts';

export const filesKey = ['files'] as const;
type FilePages = InfiniteData<FileList, unknown>;

const pageSize = 100;
/** Pages without a file that are passed over in search of a name: each stands for thousands of files. */
const maxEmptyPages = 1_000;
const checkingPollMs = 1500;
/** Once the service has stayed away through every retry; the page says that it is tried again. */
const silentPollMs = 5_000;
/** Longer than the service takes for one preview. */
const previewPatienceMs = 30_000;

export function fileListQuery(client: StowageClient, { name, sort = defaultSort }: FilesSearch) {
  return infiniteQueryOptions({
    queryKey: [...filesKey, { name, sort }],
    queryFn: async ({ pageParam, signal }) => {
      const ask = (cursor: string | undefined): Promise<FileList> => {
        const named = name === undefined ? {} : { name };
        return client.files.list(
          { limit: pageSize, sort, ...named, ...(cursor === undefined ? {} : { cursor }) },
          signal,
        );
      };
      let page = await ask(pageParam);
      for (let passed = 0; passed < maxEmptyPages; passed++) {
        if (page.files.length > 0 || page.nextCursor === undefined) break;
        page = await ask(page.nextCursor);
      }
      return page;
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page: FileList) => page.nextCursor,
    refetchInterval: ({ state: { data, error } }) => {
      // Without a list the page shows the error, with a button to try again.
      if (data === undefined) return false;
      if (isClientError(error) && error.retryable) return silentPollMs;
      return data.pages.some(isUnsettled) ? checkingPollMs : false;
    },
  });
}

/** What the list shows: the files whose bytes have arrived. Those under way stand in the upload tray. */
export function listedFiles(data: FilePages): readonly FileEntry[] {
  return data.pages.flatMap(({ files }) => files.filter(({ state }) => listed.has(state)));
}

/** Takes a file out of all lists at once, before the service has answered. */
export function dropFromLists(queries: QueryClient, id: string): void {
  queries.setQueriesData<FilePages>({ queryKey: filesKey }, (data) =>
    data === undefined
      ? undefined
      : {
          ...data,
          pages: data.pages.map((page) => ({ ...page, files: page.files.filter((file) => file.id !== id) })),
        },
  );
}

const listed: ReadonlySet<string> = new Set<FileEntry['state']>([
  'uploaded',
  'validating',
  'scanning',
  'ready',
  'rejected',
  'quarantined',
  'scan-failed',
]);

const checking: ReadonlySet<string> = new Set<FileEntry['state']>(['uploaded', 'validating', 'scanning']);

/** Something in it will change by itself soon. */
function isUnsettled({ files }: FileList): boolean {
  return files.some((file) => checking.has(file.state) || awaitsPreview(file));
}

/** A picture gets its preview a moment after it is ready; one that has none by then gets none. */
function awaitsPreview({ state, contentType, previews, updatedAt }: FileEntry): boolean {
  const isPicture =
    kindOf(contentType) === 'image' || kindOf(contentType) === 'video' || contentType === 'application/pdf';
  return (
    state === 'ready' && isPicture && previews.length === 0 && Date.now() - Date.parse(updatedAt) < previewPatienceMs
  );
}

// The first page: all files, newest first, found by name.

import { briefName, shownName } from '@stowage/contract';
import { useFilePicker, useStowage, useUploadEvents } from '@stowage/react';
import { keepPreviousData, useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { CloudOff, FolderUp, PackageOpen, SearchX, Upload } from 'lucide-react';
import { type ReactNode, useCallback, useMemo, useRef } from 'react';
import { ConnectionBanner } from '../shell/connection-banner.tsx';
import { usePageTitle } from '../shell/page-title.ts';
import { BlankPage } from './blank-page.tsx';
import { FileList } from './file-list.tsx';
import { fileListQuery, filesKey, listedFiles } from './file-queries.ts';
import { withName } from './files-search.ts';
import { ListSkeleton } from './list-skeleton.tsx';
import { SortMenu } from './sort-menu.tsx';
import './files-page.css';

export function FilesPage(): ReactNode {
  const { client } = useStowage();
  const search = useSearch({ from: '/' });
  const queries = useQueryClient();
  const list = useInfiniteQuery({ ...fileListQuery(client, search), placeholderData: keepPreviousData });
  const toFocus = useRef<string | undefined>(undefined);
  usePageTitle(search.name === undefined ? 'All files' : `Search: ${shownName(briefName(search.name))}`);
  const { data, error, fetchNextPage, isFetching } = list;
  const files = useMemo(() => (data === undefined ? undefined : listedFiles(data)), [data]);

  useUploadEvents(({ kind }) => {
    // A request under way may not know of it yet: it is asked anew.
    if (kind !== 'failed') void queries.invalidateQueries({ queryKey: filesKey });
  });
  const onEnd = useCallback(() => {
    void fetchNextPage({ cancelRefetch: false });
  }, [fetchNextPage]);

  function content(): ReactNode {
    if (files === undefined && error !== null) return <ListError error={error} onRetry={() => void list.refetch()} />;
    if (files === undefined) return <ListSkeleton />;
    if (files.length > 0) return <FileList files={files} hasMore={list.hasNextPage} onEnd={onEnd} toFocus={toFocus} />;
    if (isFetching && search.name !== undefined) return <ListSkeleton />;
    return search.name === undefined ? <NoFiles /> : <NothingFound name={search.name} />;
  }

  const isEmpty = files?.length === 0;
  return (
    <>
      <ConnectionBanner isServiceSilent={files !== undefined && (error !== null || list.failureCount > 1)} />
      <div className="files-head">
        <h1>{search.name === undefined ? 'All files' : `Files with “${shownName(search.name)}” in the name`}</h1>
        {isEmpty ? null : <SortMenu />}
      </div>
      {content()}
    </>
  );
}

function NoFiles(): ReactNode {
  const { uploads } = useStowage();
  const pick = useFilePicker(({ requests }) => uploads.add(requests));
  return (
    <BlankPage
      icon={PackageOpen}
      title="Nothing stowed yet"
      text="Drop files or whole folders anywhere on this page. Large ones are fine: an upload that is interrupted goes on where it stopped."
    >
      <button type="button" className="button" data-kind="primary" onClick={() => pick()}>
        <Upload size={17} aria-hidden="true" /> Choose files
      </button>
      <button type="button" className="button" onClick={() => pick({ folder: true })}>
        <FolderUp size={17} aria-hidden="true" /> Choose a folder
      </button>
    </BlankPage>
  );
}

function NothingFound({ name }: { readonly name: string }): ReactNode {
  const navigate = useNavigate({ from: '/' });
  const search = useSearch({ from: '/' });
  return (
    <BlankPage
      icon={SearchX}
      role="status"
      title={`No file has “${shownName(briefName(name))}” in its name`}
      text="All files were looked through, in whatever folder, capital letters or not. Folders’ names, tags and what stands in files are not searched here. Try a shorter piece of the name, as it is written: two words are found only side by side."
    >
      <button type="button" className="button" onClick={() => void navigate({ search: withName(search, '') })}>
        Show all files
      </button>
    </BlankPage>
  );
}

function ListError({ error, onRetry }: { readonly error: Error; readonly onRetry: () => void }): ReactNode {
  return (
    <BlankPage icon={CloudOff} role="alert" title="Your files could not be listed" text={error.message}>
      <button type="button" className="button" data-kind="primary" onClick={onRetry}>
        Try again
      </button>
    </BlankPage>
  );
}

// The list itself: only the rows in view exist, more are fetched when the end comes near.

import type { FileEntry } from '@stowage/contract';
import { defaultRangeExtractor, useWindowVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, type RefObject, useCallback, useEffect, useRef, useState } from 'react';
import { FileDetails } from './file-details.tsx';
import { FileRow } from './file-row.tsx';
import { SortHeader } from './sort-header.tsx';
import { useFileActions } from './use-file-actions.ts';
import { useRovingRows } from './use-roving-rows.ts';
import './file-list.css';

interface FileListProps {
  readonly files: readonly FileEntry[];
  readonly hasMore: boolean;
  readonly onEnd: () => void;
  /** Id of the file whose row takes the focus once it is listed. Outlives the list, which an emptied page has not. */
  readonly toFocus: RefObject<string | undefined>;
}

/** Must be what file-list.css says. */
const rowPixels = 64;
/** Rows kept beyond the edge of the screen. */
const overscan = 8;
/** Header of the page and of the list, which cover the top. */
const coveredPixels = 112;
/** So that "5 minutes ago" stays true. */
const tickMs = 30_000;

export function FileList({ files, hasMore, onEnd, toFocus }: FileListProps): ReactNode {
  const [shownId, setShown] = useState<string | undefined>(undefined);
  const actions = useFileActions({
    onShow: useCallback(({ id }) => setShown(id), []),
    onRestored: useCallback(
      ({ id }) => {
        toFocus.current = id;
        // Where it stays when the file is not in view of this list, as after a search.
        document.querySelector('main')?.focus({ preventScroll: true });
      },
      [toFocus],
    ),
  });
  const body = useRef<HTMLTableSectionElement>(null);
  const active = useRef(0);
  const nowMs = useNow();
  const virtualizer = useWindowVirtualizer({
    count: files.length,
    estimateSize: () => rowPixels,
    overscan,
    scrollMargin: body.current?.offsetTop ?? 0,
    scrollPaddingStart: coveredPixels,
    scrollPaddingEnd: rowPixels,
    getItemKey: (index) => files[index]?.id ?? index,
    // The row in the tab order exists even when it is out of view.
    rangeExtractor: (range) => [...new Set([...defaultRangeExtractor(range), active.current])].sort((a, b) => a - b),
  });
  const roving = useRovingRows({
    files,
    actions,
    list: body,
    toFocus,
    scrollTo: (index) => virtualizer.scrollToIndex(index, { align: 'auto' }),
  });
  active.current = Math.min(roving.activeIndex, files.length - 1);

  const rows = virtualizer.getVirtualItems();
  const lastShown = rows.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && lastShown >= files.length - overscan * 2) onEnd();
  }, [hasMore, lastShown, files.length, onEnd]);

  return (
    <>
      {/* A real table; its layout is CSS's, because rows out of view are left out. As a grid it takes arrow keys. */}
      <table
        // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: the ARIA practices make a table a grid so.
        role="grid"
        className="file-list"
        aria-label="Files"
        aria-rowcount={hasMore ? -1 : files.length + 1}
        onKeyDown={roving.onKeyDown}
        onFocus={roving.onFocus}
      >
        <thead className="file-list-head">
          <tr className="file-list-head-row" aria-rowindex={1}>
            <SortHeader column="name" label="Name" />
            <SortHeader column="sizeBytes" label="Size" />
            <SortHeader column="createdAt" label="Added" />
            <th scope="col">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody ref={body} className="file-list-body" style={{ height: virtualizer.getTotalSize() }}>
          {rows.map(({ index, key, start }) => {
            const file = files[index];
            return file === undefined ? null : (
              <FileRow
                key={key}
                file={file}
                index={index}
                offset={start - virtualizer.options.scrollMargin}
                isActive={index === roving.activeIndex}
                actions={roving.rowActions}
                nowMs={nowMs}
              />
            );
          })}
        </tbody>
      </table>
      <FileDetails
        file={files.find(({ id }) => id === shownId)}
        actions={roving.rowActions}
        onClose={() => setShown(undefined)}
      />
    </>
  );
}

function useNow(): number {
  const [nowMs, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), tickMs);
    return () => clearInterval(timer);
  }, []);
  return nowMs;
}

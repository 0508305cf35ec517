// A column's head: sorts by it, and the other way round when it does already.

import { useNavigate, useSearch } from '@tanstack/react-router';
import { ArrowDown, ArrowUp } from 'lucide-react';
import type { ReactNode } from 'react';
import { defaultSort, type FileSort, withSort } from './files-search.ts';

type Column = 'name' | 'sizeBytes' | 'createdAt';

/** What a first click wants to see: the newest and the largest, but names from A. */
const firstOrder: Readonly<Record<Column, FileSort>> = {
  name: 'name',
  sizeBytes: '-sizeBytes',
  createdAt: '-createdAt',
};

export function SortHeader({ column, label }: { readonly column: Column; readonly label: string }): ReactNode {
  const search = useSearch({ from: '/' });
  const { sort = defaultSort } = search;
  const navigate = useNavigate({ from: '/' });
  const isSorted = sort === column || sort === `-${column}`;
  const isDescending = sort.startsWith('-');
  const turned: FileSort = isDescending ? column : `-${column}`;
  const next = isSorted ? turned : firstOrder[column];
  const Arrow = isDescending ? ArrowDown : ArrowUp;
  return (
    <th
      scope="col"
      className={`file-head-${column}`}
      aria-sort={isSorted ? (isDescending ? 'descending' : 'ascending') : 'none'}
    >
      <button type="button" className="sort-button" onClick={() => void navigate({ search: withSort(search, next) })}>
        {label}
        {isSorted ? <Arrow size={14} aria-hidden="true" /> : null}
      </button>
    </th>
  );
}

// What the list of files is asked for, as it stands in the address: `?name=report&sort=name`.

import type { ListFilesQuery } from '@stowage/contract';

export const fileSorts = {
  '-createdAt': 'Newest first',
  createdAt: 'Oldest first',
  name: 'Name, A to Z',
  '-name': 'Name, Z to A',
  '-sizeBytes': 'Largest first',
  sizeBytes: 'Smallest first',
} as const satisfies Record<NonNullable<ListFilesQuery['sort']>, string>;

export type FileSort = keyof typeof fileSorts;
export const defaultSort: FileSort = '-createdAt';
/** The contract's limit. */
const maxNameChars = 256;

export interface FilesSearch {
  /** Text that names must hold. Absent: all. */
  readonly name?: string;
  /** Absent: newest first. */
  readonly sort?: FileSort;
}

/** Anything an address may hold; what makes no sense is left out. */
export function parseFilesSearch(search: Readonly<Record<string, unknown>>): FilesSearch {
  const name = search.name === undefined ? '' : String(search.name).slice(0, maxNameChars);
  const { sort } = search;
  return { ...(name === '' ? {} : { name }), ...(isFileSort(sort) && sort !== defaultSort ? { sort } : {}) };
}

export function withName(search: FilesSearch, name: string): FilesSearch {
  return parseFilesSearch({ ...search, name });
}

export function withSort(search: FilesSearch, sort: FileSort): FilesSearch {
  return parseFilesSearch({ ...search, sort });
}

function isFileSort(value: unknown): value is FileSort {
  return typeof value === 'string' && Object.hasOwn(fileSorts, value);
}

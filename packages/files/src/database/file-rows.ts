// A file's record as its row, and back.

import type { PreviewPreset } from '@stowage/contract';
import { type FileRecord, shelfOf } from '../file-record.ts';
import { foldName } from '../folder-record.ts';
import type { FileRow } from './schema.ts';

export function rowOf(file: FileRecord): FileRow {
  return {
    ...file,
    tags: JSON.stringify(file.tags),
    metadata: JSON.stringify(file.metadata),
    previews: JSON.stringify(file.previews),
    nameFolded: foldName(file.name),
    shelf: shelfOf(file),
  };
}

export function recordOf(row: FileRow): FileRecord {
  const { nameFolded: _nameFolded, shelf: _shelf, tags, metadata, previews, ...rest } = row;
  // The three columns are written by rowOf alone.
  return {
    ...rest,
    tags: JSON.parse(tags) as string[],
    metadata: JSON.parse(metadata) as Record<string, string>,
    previews: JSON.parse(previews) as PreviewPreset[],
  };
}

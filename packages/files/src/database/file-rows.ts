// A file's record as its row, and back.

import type { ContentFinding, PreviewPreset } from '@stowage/contract';
import { type FileRecord, shelfOf } from '../file-record.ts';
import { foldName } from '../tree/folder-record.ts';
import type { FileRow } from './schema.ts';

export function rowOf(file: FileRecord): FileRow {
  return {
    ...file,
    tags: JSON.stringify(file.tags),
    metadata: JSON.stringify(file.metadata),
    contentMarks: JSON.stringify(file.contentMarks),
    previews: JSON.stringify(file.previews),
    nameFolded: foldName(file.name),
    shelf: shelfOf(file),
  };
}

export function recordOf(row: FileRow): FileRecord {
  const { nameFolded: _nameFolded, shelf: _shelf, tags, metadata, contentMarks, previews, ...rest } = row;
  // The four columns are written by rowOf alone.
  return {
    ...rest,
    tags: JSON.parse(tags) as string[],
    metadata: JSON.parse(metadata) as Record<string, string>,
    contentMarks: JSON.parse(contentMarks) as ContentFinding[],
    previews: JSON.parse(previews) as PreviewPreset[],
  };
}

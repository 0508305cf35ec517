// A file's record as its row, and back.

import type { ContentFinding, PreviewPreset } from '@stowage/contract';
import { type FileChanges, type FileRecord, shelfOf } from '../file-record.ts';
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

/**
 * What of a row is written when some of it changes, and what follows from that. Not the rest: what else is in the record may be older
 * than the row, whose lease is written beside the fence.
 */
export function columnsOf(changed: FileRecord, changes: FileChanges): Partial<FileRow> {
  const row = rowOf(changed);
  const written = new Set<string>([...Object.keys(changes), 'fence', 'shelf', 'nameFolded']);
  return Object.fromEntries(Object.entries(row).filter(([column]) => written.has(column)));
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

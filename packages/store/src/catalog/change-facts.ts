// Which facts tell a reader of changes something (cursors/). The journal counts them, so that a cursor knows how far it is
// behind without reading.

import type { FactType } from './facts.ts';

const changes: Readonly<Record<FactType, boolean>> = {
  bucketPut: true,
  bucketDeleted: true,
  objectPut: true,
  objectCopied: true,
  objectDeleted: true,
  uploadCreated: true,
  uploadCompleted: true,
  uploadAborted: true,
  // A part is nothing to anyone before its upload is completed.
  partPut: false,
  // Compaction says again what was said before.
  rowKept: false,
  rowGone: false,
  cursorPut: false,
  cursorGone: false,
};

export function isChange(type: FactType): boolean {
  return changes[type];
}

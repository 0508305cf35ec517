// What examinations saw before: rows may only go where the table of states leads, fences only rise, what was judged stays what
// is served, and what was removed stays away.

import { type FileState, fileStateNames, mayFollow } from '@stowage/contract';
import type { Facts, FileFacts } from './facts.ts';

/** From the scan on, the bytes that a row names are the judged ones, for good. */
const judged: ReadonlySet<FileState> = new Set(['scanning', 'ready', 'trashed', 'quarantined', 'scan-failed']);

export class History {
  readonly #files = new Map<string, FileFacts>();
  readonly #etags = new Map<string, string>();

  /** What goes against what was seen before, as sentences; then remembers what is there now. */
  compare({ files, bytes }: Pick<Facts, 'files' | 'bytes'>): readonly string[] {
    const wrong: string[] = [];
    for (const file of files) {
      const before = this.#files.get(file.id);
      if (before !== undefined) wrong.push(...compareFiles(before, file));
      this.#files.set(file.id, file);
      const etag = bytes.get(file.id)?.etag;
      const known = this.#etags.get(file.objectKey);
      if (etag === undefined || !judged.has(file.state)) continue;
      if (known !== undefined && known !== etag) {
        wrong.push(`The bytes under ${file.objectKey} changed from ${known} to ${etag} after they were judged.`);
      }
      this.#etags.set(file.objectKey, etag);
    }
    return wrong;
  }

  /** Rows that were seen before and are gone. */
  missing({ files }: Pick<Facts, 'files'>, tenantId: string | undefined): readonly FileFacts[] {
    const there = new Set(files.map(({ id }) => id));
    return [...this.#files.values()].filter(
      (file) => !there.has(file.id) && (tenantId === undefined || file.tenantId === tenantId),
    );
  }
}

function compareFiles(before: FileFacts, now: FileFacts): readonly string[] {
  const wrong: string[] = [];
  const path = `from ${before.state} (fence ${before.fence}) to ${now.state} (fence ${now.fence})`;
  if (now.fence < before.fence) wrong.push(`The fence of ${now.id} fell, ${path}.`);
  if (now.state !== before.state && now.fence === before.fence) {
    wrong.push(`File ${now.id} went ${path}: without a new fence.`);
  }
  if (!leadsTo(before.state, now.state)) wrong.push(`File ${now.id} went ${path}: no way leads there.`);
  if (judged.has(before.state) && judged.has(now.state)) {
    for (const column of ['objectKey', 'objectEtag', 'objectVersionId', 'sizeBytes'] as const) {
      if (before[column] === now[column]) continue;
      wrong.push(`After it was judged, ${column} of ${now.id} changed from ${before[column]} to ${now[column]}.`);
    }
  }
  return wrong;
}

const reachable = new Map<FileState, ReadonlySet<FileState>>();

/** Whether any number of steps of the table of states leads from one to the other. */
function leadsTo(from: FileState, to: FileState): boolean {
  let known = reachable.get(from);
  if (known === undefined) {
    const found = new Set<FileState>([from]);
    for (const state of found) for (const next of fileStateNames) if (mayFollow(state, next)) found.add(next);
    known = found;
    reachable.set(from, known);
  }
  return known.has(to);
}

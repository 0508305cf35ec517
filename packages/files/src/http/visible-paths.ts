// What a caller with grants alone is shown begins at the folders that were granted to them: the names of those above are taken out
// of every answer, and a granted folder lies at the top.

import type { Access } from '../accounts/access.ts';
import { topFolderId } from '../tree/folder-record.ts';

/** An answer as it is for this caller. */
export async function trimPaths(body: unknown, access: Access): Promise<unknown> {
  if (access.everywhere('folders:read')) return body;
  const roots = await access.rootsOf('folders:read');
  if (roots === undefined) return body;
  const ids: string[] = [];
  walk(body, (place) => {
    ids.push(place.folderId);
    return undefined;
  });
  if (ids.length === 0) return body;
  const chains = await access.chains(ids);
  return walk(body, ({ folderId }) => {
    const fromTop = [...(chains.get(folderId) ?? [])].reverse();
    const first = fromTop.findIndex((id) => roots.includes(id));
    return { hidden: first === -1 ? fromTop.length : first, isRoot: first === fromTop.length - 1 };
  });
}

interface Place {
  readonly folderId: string;
}

/** How many names to take away from the front; whether the folder itself is where the visible begins. */
type Cut = { readonly hidden: number; readonly isRoot: boolean } | undefined;

/** Answers hold files, uploads and folders in lists and alone, no deeper than this. */
const maxDepth = 4;

/** A copy of the value, each file, upload and folder in it cut as told; the value itself where nothing is cut. */
function walk(value: unknown, cutOf: (place: Place) => Cut, depth = 0): unknown {
  if (depth > maxDepth || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => walk(item, cutOf, depth + 1));
  const copy: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(value)) copy[name] = walk(item, cutOf, depth + 1);
  const { folderId, folder, id, parentId, path } = copy;
  if (typeof folderId === 'string' && Array.isArray(folder)) {
    const cut = folderId === topFolderId ? undefined : cutOf({ folderId });
    if (cut !== undefined) copy.folder = folder.slice(cut.hidden);
  } else if (typeof id === 'string' && typeof parentId === 'string' && Array.isArray(path)) {
    const cut = cutOf({ folderId: id });
    if (cut !== undefined) {
      copy.path = path.slice(cut.hidden);
      if (cut.isRoot) copy.parentId = topFolderId;
    }
  }
  return copy;
}

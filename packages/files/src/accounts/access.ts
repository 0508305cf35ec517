// What a caller may do where: the one place in which roles, grants, a key's scopes and a key's folder come together. Most callers
// may do what they ask wherever it lies, and then nothing is read for it; only for others are grants looked at, once a request.

import { type Action, actions, roleAllows } from '@stowage/contract';
import type { GrantTable } from '../database/account-tables.ts';
import type { FolderTable } from '../database/database.ts';
import { FilesError } from '../files-error.ts';
import { topFolderId } from '../tree/folder-record.ts';
import { type Caller, isWithinScopes, mayEverywhere } from './caller.ts';

export interface Access {
  /** Whether the action is allowed wherever it lies. */
  everywhere(action: Action): boolean;
  /** The folders in and below which the action is allowed, none below another. `undefined`: everywhere. Empty: nowhere. */
  rootsOf(action: Action): Promise<readonly string[] | undefined>;
  /** Whether the action is allowed in a folder; the top, too. */
  allows(action: Action, folderId: string): Promise<boolean>;
  /** Of each folder, those from itself up to the top; what is not there is not in the answer. */
  chains(folderIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
}

interface AccessOptions {
  readonly grants: Pick<GrantTable, 'of'>;
  readonly folders: Pick<FolderTable, 'chains'>;
}

export function accessOf(caller: Caller, { grants, folders }: AccessOptions): Access {
  const { tenantId, userId } = caller.account;
  let granted: ReturnType<GrantTable['of']> | undefined;
  const known = new Map<Action, Promise<readonly string[] | undefined>>();

  const chains = (folderIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> =>
    folders.chains(tenantId, folderIds);

  async function findRoots(action: Action): Promise<readonly string[] | undefined> {
    if (mayEverywhere(caller, action)) return undefined;
    if (actions[action].judged !== 'folder' || !isWithinScopes(caller, action)) return [];
    const byRole = roleAllows(caller.identity.role, action);
    const roots = byRole ? undefined : await grantedRoots(action);
    return caller.folderId === undefined ? roots : within(roots, caller.folderId);
  }

  async function grantedRoots(action: Action): Promise<readonly string[] | undefined> {
    granted ??= grants.of({ tenantId, id: userId });
    const ids = (await granted).filter(({ role }) => roleAllows(role, action)).map(({ folderId }) => folderId);
    if (ids.includes(topFolderId)) return undefined;
    const all = new Set(ids);
    const above = await chains([...all]);
    // What lies below another root needs no naming of its own.
    return [...above].filter(([, chain]) => !chain.slice(1).some((id) => all.has(id))).map(([id]) => id);
  }

  /** Roots that a key for one folder is left with. */
  async function within(roots: readonly string[] | undefined, folderId: string): Promise<readonly string[]> {
    const above = await chains([folderId, ...(roots ?? [])]);
    const own = above.get(folderId);
    if (own === undefined) return [];
    if (roots === undefined || own.some((id) => roots.includes(id))) return [folderId];
    return roots.filter((root) => above.get(root)?.includes(folderId) === true);
  }

  function rootsOf(action: Action): Promise<readonly string[] | undefined> {
    const roots = known.get(action) ?? findRoots(action);
    known.set(action, roots);
    return roots;
  }

  return {
    everywhere: (action) => mayEverywhere(caller, action),
    rootsOf,
    chains,
    allows: async (action, folderId) => {
      const roots = await rootsOf(action);
      if (roots === undefined) return true;
      if (roots.length === 0 || folderId === topFolderId) return false;
      return (await chains([folderId])).get(folderId)?.some((id) => roots.includes(id)) === true;
    },
  };
}

/** Throws `forbidden` when the caller may do it nowhere. */
export async function requireAction(caller: Caller, access: Access, action: Action): Promise<void> {
  if (access.everywhere(action)) return;
  const roots = await access.rootsOf(action);
  if (roots === undefined || roots.length > 0) return;
  throw refusalOf(caller, action, 'anywhere');
}

/** The refusal of an action that the caller may do nowhere, or not with what was named. */
export function refusalOf(caller: Caller, action: Action, where: 'anywhere' | 'here'): FilesError {
  return new FilesError('forbidden', { detail: explainRefusal(caller, action, where) });
}

/** What stands in the way, and who can change it: whoever made a key can make another, if their own role suffices. */
function explainRefusal(caller: Caller, action: Action, where: 'anywhere' | 'here'): string {
  const { judged, byKey } = actions[action];
  if (!isWithinScopes(caller, action)) {
    return byKey === 'never'
      ? `${action} is for people who are signed in, not for keys and tokens.`
      : `This key does not have ${action}. Make a key with this scope.`;
  }
  if (caller.folderId !== undefined && judged !== 'folder') {
    return `This key is for one folder, and ${action} is for all of them. Make a key without a folder.`;
  }
  if (where === 'anywhere') return `Your role does not have ${action}. Ask an owner for it.`;
  // A role holds everywhere: then it is the key's folder alone that does not reach so far.
  return caller.folderId !== undefined && roleAllows(caller.identity.role, action)
    ? 'This key is for one folder, and what was asked is not within it. Make a key without a folder.'
    : `You do not have ${action} here. Ask an owner for it.`;
}

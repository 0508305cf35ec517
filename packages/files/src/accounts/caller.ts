// A caller who was recognised, and what they may do wherever it lies: by role, and for a key within what it was given.

import { type Action, actionNames, actions, roleAllows } from '@stowage/contract';
import type { SessionRecord } from '../database/account-rows.ts';
import type { Account, Identity } from '../database/account-tables.ts';
import type { AuditNote } from './audit-note.ts';

export interface Caller {
  readonly account: Account;
  readonly identity: Identity;
  /** How: a cookie is sent by browsers of themselves, a key or an issuer’s token never is. */
  readonly by: 'session' | 'api-key' | 'token';
  /** Of this session, key or token; tells callers apart without naming a secret. */
  readonly principal: string;
  /** Of a session. */
  readonly session: SessionRecord | undefined;
  /** What a key was given by name. `undefined`: what keys may do unless told otherwise. */
  readonly scopes: ReadonlySet<Action> | undefined;
  /** The folder that a key is held to. */
  readonly folderId: string | undefined;
  readonly expiresAtMs?: number;
}

/** Where a request came from; for sessions and the audit log. */
export interface RequestPlace {
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly requestId: string | null;
}

/** Whether the way the caller came by lets the action through, whatever their rights are. */
export function isWithinScopes({ by, scopes }: Pick<Caller, 'by' | 'scopes'>, action: Action): boolean {
  if (by === 'session') return true;
  const { byKey } = actions[action];
  if (byKey === 'never') return false;
  if (by === 'token') return true;
  return scopes === undefined ? byKey === 'usual' : scopes.has(action);
}

/** Whether the caller may do it wherever it lies. Grants may allow more on some folders: access.ts. */
export function mayEverywhere(caller: Caller, action: Action): boolean {
  if (!isWithinScopes(caller, action) || caller.folderId !== undefined) return false;
  if (actions[action].judged === 'service') return caller.identity.serviceAdmin;
  return roleAllows(caller.identity.role, action);
}

export function rightsEverywhere(caller: Caller): readonly Action[] {
  return actionNames.filter((action) => mayEverywhere(caller, action));
}

/** Begins an audit note in the caller's name, for the log of their tenant unless another is named. */
export function noteBy(
  { account, by, principal }: Pick<Caller, 'account' | 'by' | 'principal'>,
  { address, requestId }: RequestPlace,
  note: Pick<AuditNote, 'action' | 'subject'> & { readonly tenantId?: string; readonly details?: AuditNote['details'] },
): AuditNote {
  const actor = {
    kind: by === 'session' ? 'user' : by,
    id: by === 'api-key' ? principal.replace(/^key:/, '') : account.userId,
  } as const;
  const { tenantId = account.tenantId, action, subject, details = {} } = note;
  return { tenantId, action, subject, actor, details, address, requestId };
}

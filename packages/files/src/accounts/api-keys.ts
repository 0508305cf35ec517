// API keys: for programs that act for a user, with all that keys may do or only what they were given, for ever or a while,
// wherever the user may or below one folder.

import type { Action, ApiKey, ApiKeyList, CreateApiKeyRequest, CreatedApiKey } from '@stowage/contract';
import type { ApiKeyRecord } from '../database/account-rows.ts';
import type { AccountTable } from '../database/account-tables.ts';
import type { FolderTable } from '../database/database.ts';
import { isoDate } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import type { FilesLimits } from '../limits.ts';
import type { AuditNote } from './audit-note.ts';
import { type Caller, isWithinScopes, mayEverywhere } from './caller.ts';
import { hashToken, newToken } from './secret-token.ts';

/** Begins an audit note about a key. */
type NoteOf = (note: Pick<AuditNote, 'action' | 'subject'> & { readonly details?: AuditNote['details'] }) => AuditNote;

export interface ApiKeys {
  /** Throws `forbidden` when there are too many, or for scopes that its user does not have; `not-found` for its folder. */
  create(caller: Caller, request: CreateApiKeyRequest, noteOf: NoteOf): Promise<CreatedApiKey>;
  /** One's own; all of the tenant for who looks after its people. */
  list(caller: Caller): Promise<ApiKeyList>;
  /** Throws `not-found`. */
  remove(caller: Caller, id: string, noteOf: NoteOf): Promise<void>;
  /** The caller that a key stands for. `undefined` when it is not known, or has expired. */
  recognise(secret: string): Promise<Caller | undefined>;
}

interface ApiKeysOptions {
  readonly accounts: AccountTable;
  readonly folders: Pick<FolderTable, 'get'>;
  readonly limits: FilesLimits;
  readonly clock: () => number;
  readonly random: (sizeBytes: number) => Uint8Array;
  readonly newId: () => string;
}

/** What every key begins with: a token of an issuer never does. */
export const keyPrefix = 'sk_';
const hintCharacters = 8;
/** How stale the note of a key's last use may be: writing it at every request would be a write at every request. */
const touchIntervalMs = 60_000;

export function openApiKeys({ accounts, folders, limits, clock, random, newId }: ApiKeysOptions): ApiKeys {
  return {
    create: async (caller, { name, scopes, expiresInSeconds, folderId }, noteOf) => {
      const { tenantId, userId } = caller.account;
      requireScopes(caller, scopes);
      if (folderId !== undefined && (await folders.get({ tenantId, id: folderId })) === undefined) {
        throw new FilesError('not-found', { detail: `There is no folder ${folderId}.` });
      }
      const secret = `${keyPrefix}${newToken(random)}`;
      const nowMs = clock();
      const key: ApiKeyRecord = {
        id: newId(),
        userId,
        tenantId,
        name,
        hint: secret.slice(0, hintCharacters),
        secretHash: hashToken(secret),
        scopes: scopes === undefined ? null : JSON.stringify(scopes),
        folderId: folderId ?? null,
        createdAtMs: nowMs,
        expiresAtMs: expiresInSeconds === undefined ? null : nowMs + expiresInSeconds * 1000,
        lastUsedAtMs: null,
      };
      const details = { name, scopes: key.scopes, folderId: key.folderId, expiresAtMs: key.expiresAtMs };
      const note = noteOf({ action: 'key.created', subject: { kind: 'key', id: key.id }, details });
      if (!(await accounts.addApiKey(key, note, limits.maxApiKeys))) {
        throw new FilesError('forbidden', { detail: `There are ${limits.maxApiKeys} keys already. Revoke one first.` });
      }
      return { ...shownKey(key), secret };
    },

    list: async (caller) => {
      const { tenantId, userId } = caller.account;
      const keys = await accounts.listApiKeys(tenantId, mayEverywhere(caller, 'members:write') ? undefined : userId);
      return { keys: keys.map(shownKey) };
    },

    remove: async (caller, id, noteOf) => {
      const { tenantId, userId } = caller.account;
      const note = noteOf({ action: 'key.deleted', subject: { kind: 'key', id } });
      const whose = mayEverywhere(caller, 'members:write') ? undefined : userId;
      if (!(await accounts.removeApiKey({ tenantId, id }, whose, note)))
        throw new FilesError('not-found', { detail: `There is no key ${id}.` });
    },

    recognise: async (secret) => {
      const found = await accounts.findApiKey(hashToken(secret));
      if (found === undefined) return undefined;
      const { key, identity } = found;
      const nowMs = clock();
      if (key.expiresAtMs !== null && key.expiresAtMs <= nowMs) return undefined;
      if (nowMs - (key.lastUsedAtMs ?? 0) > touchIntervalMs) await accounts.touchApiKey(key.id, nowMs);
      return {
        account: identity,
        identity,
        by: 'api-key',
        principal: `key:${key.id}`,
        session: undefined,
        scopes: scopesOf(key),
        folderId: key.folderId ?? undefined,
        ...(key.expiresAtMs === null ? {} : { expiresAtMs: key.expiresAtMs }),
      };
    },
  };
}

/** Nobody gives a key what keys may never have. What its user may not do, the key may not either, whatever it was given. */
function requireScopes(caller: Caller, scopes: readonly Action[] | undefined): void {
  const given = new Set(scopes);
  const never = scopes?.filter((scope) => !isWithinScopes({ by: 'api-key', scopes: given }, scope)) ?? [];
  if (never.length > 0) {
    throw new FilesError('forbidden', { detail: `No key may have ${never.join(', ')}: that is for people.` });
  }
  const administrative = ['service:admin', 'members:write', 'audit:read'] as const;
  const beyond = administrative.filter((scope) => given.has(scope) && !mayEverywhere(caller, scope));
  if (beyond.length > 0)
    throw new FilesError('forbidden', { detail: `You do not have ${beyond.join(', ')} yourself.` });
}

/** Written by `create` alone, from actions. */
function scopesOf({ scopes }: ApiKeyRecord): ReadonlySet<Action> | undefined {
  return scopes === null ? undefined : new Set(JSON.parse(scopes) as Action[]);
}

function shownKey(key: ApiKeyRecord): ApiKey {
  const { id, name, hint, userId, folderId, createdAtMs, expiresAtMs, lastUsedAtMs } = key;
  const scopes = scopesOf(key);
  return {
    id,
    name,
    hint,
    userId,
    ...(scopes === undefined ? {} : { scopes: [...scopes] }),
    ...(folderId === null ? {} : { folderId }),
    createdAt: isoDate(createdAtMs),
    ...(expiresAtMs === null ? {} : { expiresAt: isoDate(expiresAtMs) }),
    ...(lastUsedAtMs === null ? {} : { lastUsedAt: isoDate(lastUsedAtMs) }),
  };
}

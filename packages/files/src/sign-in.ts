// Who is calling. People come by a one-time link and keep a session cookie; programs send an API key. The database holds
// hashes only: whoever reads it can sign in nowhere. Tokens are 256 random bits, so a plain hash of them is enough.

import { createHash } from 'node:crypto';
import type { ApiKeyList, CreatedApiKey } from '@stowage/contract';
import type { Account, AccountTable, StoredApiKey } from './database/database.ts';
import { isoDate } from './file-record.ts';
import { FilesError } from './files-error.ts';
import type { FilesLimits } from './limits.ts';

/** A caller who was recognised. */
export interface Caller {
  readonly account: Account;
  /** How: a cookie is sent by browsers of themselves, a key never is. */
  readonly by: 'session' | 'api-key';
  /** Of this session or key; tells callers apart without naming a secret. */
  readonly principal: string;
  readonly expiresAtMs?: number;
}

export interface SignIn {
  /** A token for one sign-in as the owner. */
  issueToken(): Promise<string>;
  /** Trades the token for a session. Throws `sign-in-link-used`. */
  redeem(token: string): Promise<{ readonly caller: Caller; readonly sessionToken: string }>;
  recogniseSession(sessionToken: string): Promise<Caller | undefined>;
  endSession(sessionToken: string): Promise<void>;
  recogniseKey(secret: string): Promise<Caller | undefined>;
  createKey(account: Account, name: string): Promise<CreatedApiKey>;
  listKeys(account: Account): Promise<ApiKeyList>;
  /** Throws `not-found`. */
  removeKey(account: Account, id: string): Promise<void>;
}

interface SignInOptions {
  readonly accounts: AccountTable;
  readonly limits: FilesLimits;
  readonly clock: () => number;
  readonly random: (sizeBytes: number) => Uint8Array;
  readonly newId: () => string;
}

const tokenBytes = 32;
const keyPrefix = 'sk_';
const hintCharacters = 8;
/** How stale the note of a key's last use may be: writing it at every request would be a write at every request. */
const touchIntervalMs = 60_000;
/** The one account there is until there are more. */
const ownerId = 'owner';

export function openSignIn({ accounts, limits, clock, random, newId }: SignInOptions): SignIn {
  const newToken = (): string => Buffer.from(random(tokenBytes)).toString('base64url');

  return {
    issueToken: async () => {
      const token = newToken();
      const expiresAtMs = clock() + limits.signInLinkLifeMs;
      await accounts.addSignInToken({ tokenHash: hash(token), userId: ownerId, expiresAtMs });
      return token;
    },

    redeem: async (token) => {
      const sessionToken = newToken();
      const nowMs = clock();
      const expiresAtMs = nowMs + limits.sessionLifeMs;
      const sessionHash = hash(sessionToken);
      const account = await accounts.redeemSignInToken({ tokenHash: hash(token), sessionHash, nowMs, expiresAtMs });
      if (account === undefined) throw new FilesError('sign-in-link-used');
      return { sessionToken, caller: { account, by: 'session', principal: `session:${sessionHash}`, expiresAtMs } };
    },

    recogniseSession: async (sessionToken) => {
      const sessionHash = hash(sessionToken);
      const session = await accounts.findSession(sessionHash, clock());
      return session === undefined ? undefined : { ...session, by: 'session', principal: `session:${sessionHash}` };
    },

    endSession: (sessionToken) => accounts.removeSession(hash(sessionToken)),

    recogniseKey: async (secret) => {
      if (!secret.startsWith(keyPrefix)) return undefined;
      const found = await accounts.findApiKey(hash(secret));
      if (found === undefined) return undefined;
      const nowMs = clock();
      if (nowMs - (found.key.lastUsedAtMs ?? 0) > touchIntervalMs) await accounts.touchApiKey(found.key.id, nowMs);
      return { account: found.account, by: 'api-key', principal: `key:${found.key.id}` };
    },

    createKey: async ({ userId, tenantId }, name) => {
      const known = await accounts.listApiKeys(tenantId);
      if (known.length >= limits.maxApiKeys) {
        throw new FilesError('forbidden', { detail: `There are ${known.length} keys already. Revoke one first.` });
      }
      const secret = `${keyPrefix}${newToken()}`;
      const hint = secret.slice(0, hintCharacters);
      const key: StoredApiKey = { id: newId(), name, hint, createdAtMs: clock(), lastUsedAtMs: null };
      await accounts.addApiKey({ ...key, secretHash: hash(secret), userId, tenantId });
      return { ...shownKey(key), secret };
    },

    listKeys: async ({ tenantId }) => ({ keys: (await accounts.listApiKeys(tenantId)).map(shownKey) }),

    removeKey: async ({ tenantId }, id) => {
      if (!(await accounts.removeApiKey(tenantId, id)))
        throw new FilesError('not-found', { detail: `There is no key ${id}.` });
    },
  };
}

function shownKey({ id, name, hint, createdAtMs, lastUsedAtMs }: StoredApiKey): ApiKeyList['keys'][number] {
  const lastUsed = lastUsedAtMs === null ? {} : { lastUsedAt: isoDate(lastUsedAtMs) };
  return { id, name, hint, createdAt: isoDate(createdAtMs), ...lastUsed };
}

function hash(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

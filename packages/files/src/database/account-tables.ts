// The tables of people and rights, as interfaces. What is given an audit note writes it in the transaction of its change: either
// both are there or neither. Tokens, keys and codes are only ever given here as hashes.

import type { AuditAction, TenantRole } from '@stowage/contract';
import type { AuditRecord } from '../accounts/audit-chain.ts';
import type { AuditNote } from '../accounts/audit-note.ts';
import type {
  ApiKeyRecord,
  GrantRecord,
  GroupRecord,
  SessionRecord,
  SignInTokenRecord,
  UserRecord,
} from './account-rows.ts';
import type { TenantRow } from './schema.ts';
import type { TenantId } from './tenant-id.ts';

/** In whose name something is done. */
export interface Account {
  readonly userId: string;
  readonly userName: string;
  readonly tenantId: string;
  readonly tenantName: string;
}

/** A user with all that decides what they may do. */
export interface Identity extends Account {
  readonly email: string | null;
  readonly role: TenantRole;
  readonly serviceAdmin: boolean;
  readonly disabledAtMs: number | null;
  readonly suspendedAtMs: number | null;
}

/** How people and programs show who they are. */
export interface AccountTable {
  addSignInToken(token: SignInTokenRecord, note: AuditNote): Promise<void>;
  /** Without using it. `undefined` when the token is unknown, used or expired. */
  findSignInToken(tokenHash: string, nowMs: number): Promise<SignInTokenRecord | undefined>;
  /** Trades a token for a session: of several that try the same token, one gets it. */
  redeemSignInToken(tokenHash: string, session: SessionRecord, note: AuditNote): Promise<boolean>;
  addSession(session: SessionRecord, note: AuditNote): Promise<void>;
  findSession(
    tokenHash: string,
    nowMs: number,
  ): Promise<{ readonly identity: Identity; readonly session: SessionRecord } | undefined>;
  /** Those that have not ended, the newest first. */
  listSessions(user: TenantId, nowMs: number): Promise<readonly SessionRecord[]>;
  removeSession(tokenHash: string): Promise<void>;
  /** Whether the user had such a session. */
  removeSessionById(user: TenantId, sessionId: string, note: AuditNote): Promise<boolean>;
  removeOtherSessions(user: TenantId, keptTokenHash: string, note: AuditNote): Promise<void>;
  /** Forgets tokens, sessions and idempotency keys that have expired. */
  removeExpired(nowMs: number): Promise<void>;
  /** `false`, and nothing is written, when the tenant has `atMost` already. */
  addApiKey(key: ApiKeyRecord, note: AuditNote, atMost: number): Promise<boolean>;
  /** Of one user, or of all. */
  listApiKeys(tenantId: string, userId?: string): Promise<readonly ApiKeyRecord[]>;
  /** Whether there was one. With a user, only a key of theirs is removed. */
  removeApiKey(key: TenantId, userId: string | undefined, note: AuditNote): Promise<boolean>;
  findApiKey(secretHash: string): Promise<{ readonly identity: Identity; readonly key: ApiKeyRecord } | undefined>;
  /** Notes when a key was last used. */
  touchApiKey(id: string, nowMs: number): Promise<void>;
}

export interface UserTable {
  /** Throws `name-taken` for an e-mail address or subject that another user of the tenant has. */
  add(user: UserRecord, token: SignInTokenRecord | undefined, note: AuditNote): Promise<void>;
  get(user: TenantId): Promise<UserRecord | undefined>;
  /** By id, at most `limit`. */
  list(page: {
    readonly tenantId: string;
    readonly limit: number;
    readonly afterId?: string | undefined;
  }): Promise<readonly UserRecord[]>;
  findByEmail(tenantId: string, email: string): Promise<UserRecord | undefined>;
  findIdentity(user: TenantId): Promise<Identity | undefined>;
  findBySubject(subject: {
    readonly tenantId: string;
    readonly issuer: string;
    readonly subject: string;
  }): Promise<Identity | undefined>;
  /**
   * Answers the user as it is then; `undefined` when there is none. Disabling ends all sessions. Throws `name-taken` for another
   * user's e-mail address, and `last-owner` when nobody who can sign in would be left to look after the tenant.
   */
  change(
    user: TenantId,
    changes: {
      readonly name?: string;
      readonly email?: string | null;
      readonly role?: TenantRole;
      readonly disabledAtMs?: number | null;
    },
    note: AuditNote,
  ): Promise<UserRecord | undefined>;
  /** All sessions but the one that is kept end. */
  setPassword(user: TenantId, passwordHash: string, keptTokenHash: string, note: AuditNote): Promise<void>;
  /** An authenticator that is not confirmed yet. `false` when there is one that is. */
  offerAuthenticator(user: TenantId, authenticator: string): Promise<boolean>;
  /** `false` when nothing waits to be confirmed, or it was confirmed or offered anew meanwhile. */
  confirmAuthenticator(
    user: TenantId,
    confirmed: {
      readonly authenticator: string;
      readonly step: number;
      readonly nowMs: number;
      readonly codeHashes: readonly string[];
    },
    note: AuditNote,
  ): Promise<boolean>;
  /** Notes that the code of this time step was used; `false` when it, or a later one, was already. */
  useStep(user: TenantId, step: number): Promise<boolean>;
  /** Strikes a recovery code off; `false` when there is none such. */
  useRecoveryCode(user: TenantId, codeHash: string): Promise<boolean>;
  removeAuthenticator(user: TenantId, note: AuditNote): Promise<void>;
}

export interface GroupTable {
  /** `false`, and nothing is written, when the tenant has `atMost` already. Throws `name-taken`. */
  add(group: GroupRecord, note: AuditNote, atMost: number): Promise<boolean>;
  get(group: TenantId): Promise<GroupRecord | undefined>;
  /** By name, at most `limit`. */
  list(tenantId: string, limit: number): Promise<readonly GroupRecord[]>;
  /** By group. */
  members(tenantId: string, groupIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
  /** Throws `name-taken`. Whether there is one. */
  rename(group: TenantId, name: string, note: AuditNote): Promise<boolean>;
  /** With its members' places and its grants. Whether there was one. */
  remove(group: TenantId, note: AuditNote): Promise<boolean>;
  /** `false` when the group or the user is not there. */
  addMember(group: TenantId, userId: string, note: AuditNote): Promise<boolean>;
  removeMember(group: TenantId, userId: string, note: AuditNote): Promise<void>;
}

export interface GrantTable {
  /**
   * In place of the one that the same user or group has on the same folder. Answers the grant as it is then; `undefined`, and nothing is
   * written, when there is none in whose place it comes and the tenant has `atMost` already.
   */
  set(grant: GrantRecord, note: AuditNote, atMost: number): Promise<GrantRecord | undefined>;
  list(filter: {
    readonly tenantId: string;
    readonly folderId?: string | undefined;
    readonly userId?: string | undefined;
    readonly groupId?: string | undefined;
    readonly limit: number;
  }): Promise<readonly GrantRecord[]>;
  get(grant: TenantId): Promise<GrantRecord | undefined>;
  remove(grant: TenantId, note: AuditNote): Promise<boolean>;
  /** Those that apply to a user, of their own or by a group. */
  of(user: TenantId): Promise<readonly Pick<GrantRecord, 'folderId' | 'role'>[]>;
}

interface TenantSums {
  readonly usedBytes: number;
  readonly usedFiles: number;
  readonly reservedBytes: number;
  readonly reservedFiles: number;
}

export interface TenantTable {
  /** With its first owner and the link that signs them in. Throws `name-taken` for an id there is. */
  add(tenant: TenantRow, owner: UserRecord, token: SignInTokenRecord, notes: readonly AuditNote[]): Promise<void>;
  get(id: string): Promise<TenantRow | undefined>;
  /** By id, at most `limit`. */
  list(page: { readonly limit: number; readonly afterId?: string | undefined }): Promise<readonly TenantRow[]>;
  change(
    id: string,
    changes: Partial<Pick<TenantRow, 'name' | 'suspendedAtMs' | 'quotaBytes' | 'quotaFiles'>>,
    note: AuditNote,
  ): Promise<TenantRow | undefined>;
  usage(tenantId: string): Promise<TenantSums>;
  /** Those who hold something, the one who holds the most first. */
  usageByUser(tenantId: string, limit: number): Promise<readonly (TenantSums & { readonly userId: string })[]>;
}

export interface ListAuditOptions {
  readonly tenantId: string;
  readonly limit: number;
  readonly beforeSequence?: number | undefined;
  readonly action?: AuditAction | undefined;
  readonly actorId?: string | undefined;
  readonly subjectId?: string | undefined;
  readonly fromMs?: number | undefined;
  readonly untilMs?: number | undefined;
}

export interface AuditTable {
  /** For what changes no row; everything else is written with its change. */
  append(note: AuditNote): Promise<void>;
  /** The newest first. */
  list(options: ListAuditOptions): Promise<readonly AuditRecord[]>;
  /** In order, from the one after `sequence`. */
  readAfter(tenantId: string, sequence: number, limit: number): Promise<readonly AuditRecord[]>;
}

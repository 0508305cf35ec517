// Rows of people and rights. `null` is an empty column.

import type { Role, TenantRole } from '@stowage/contract';

export interface UserRecord {
  /** A ULID; `owner` is the first one of the first tenant. */
  readonly id: string;
  readonly tenantId: string;
  readonly name: string;
  readonly email: string | null;
  readonly role: TenantRole;
  /** 1: may do `service:admin`. */
  readonly serviceAdmin: number;
  readonly createdAtMs: number;
  readonly disabledAtMs: number | null;
  /** PHC string of argon2id. */
  readonly passwordHash: string | null;
  /** Who names them by tokens, and how. */
  readonly issuer: string | null;
  readonly subject: string | null;
  /** The authenticator's secret, encrypted; without `authenticatorAtMs` it is an offer that was not confirmed. */
  readonly authenticator: string | null;
  readonly authenticatorAtMs: number | null;
  /** The time step of the last code that was taken: no code is taken twice. */
  readonly authenticatorStep: number;
}

export interface UserRow extends UserRecord {
  readonly emailFolded: string | null;
}

export interface SessionRecord {
  readonly tokenHash: string;
  /** A ULID: names the session without being worth anything. */
  readonly id: string;
  readonly tenantId: string;
  readonly userId: string;
  readonly how: 'link' | 'password' | 'oidc';
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

export interface SignInTokenRecord {
  readonly tokenHash: string;
  readonly tenantId: string;
  readonly userId: string;
  /** `service`: who runs the process, and needs no second factor. */
  readonly issuedBy: 'service' | 'member';
  readonly expiresAtMs: number;
}

export interface ApiKeyRecord {
  readonly id: string;
  readonly userId: string;
  readonly tenantId: string;
  readonly name: string;
  readonly hint: string;
  readonly secretHash: string;
  /** JSON text. `null`: what keys may do unless told otherwise. */
  readonly scopes: string | null;
  readonly folderId: string | null;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  readonly lastUsedAtMs: number | null;
}

export interface RecoveryCodeRow {
  readonly tenantId: string;
  readonly userId: string;
  readonly codeHash: string;
}

export interface GroupRecord {
  readonly id: string;
  readonly tenantId: string;
  readonly name: string;
  readonly createdAtMs: number;
}

export interface GroupRow extends GroupRecord {
  readonly nameFolded: string;
}

export interface GroupMemberRow {
  readonly tenantId: string;
  readonly groupId: string;
  readonly userId: string;
}

export interface GrantRecord {
  readonly id: string;
  readonly tenantId: string;
  /** Empty: the top. */
  readonly folderId: string;
  readonly subjectKind: 'user' | 'group';
  readonly subjectId: string;
  readonly role: Role;
  readonly createdAtMs: number;
}

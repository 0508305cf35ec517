// People sign in: by a one-time link, by e-mail and password, or by an issuer that knows them. Each way ends in a session, whose
// token is in a cookie. Who tries a password learns nothing but that it did not do: unknown addresses, wrong passwords and
// accounts that are closed take as long, and are answered alike.

import type { TenantRole } from '@stowage/contract';
import type { SessionRecord, UserRecord } from '../database/account-rows.ts';
import type { AccountTable, Identity, UserTable } from '../database/account-tables.ts';
import type { TenantId } from '../database/tenant-id.ts';
import { FilesError } from '../files-error.ts';
import type { RateLimit } from '../http/rate-limit.ts';
import type { FilesLimits } from '../limits.ts';
import { type AuditNote, serviceNote } from './audit-note.ts';
import type { Caller, RequestPlace } from './caller.ts';
import type { PasswordHashes } from './password-hash.ts';
import type { SecondFactor } from './second-factor.ts';
import { hashToken, newToken } from './secret-token.ts';

export interface SignedIn {
  readonly caller: Caller;
  /** For the cookie. */
  readonly sessionToken: string;
}

interface PasswordAttempt {
  readonly email: string;
  readonly password: string;
  readonly tenantId?: string;
  readonly code?: string;
}

export interface SignIn {
  /** A token for one sign-in as the owner of the first tenant, for who runs the process. */
  issueToken(): Promise<string>;
  /** Trades a link's token for a session. Throws `sign-in-link-used`, and what a second factor throws. */
  redeem(token: string, code: string | undefined, place: RequestPlace): Promise<SignedIn>;
  /** Throws `sign-in-failed`, `second-factor-required`, `second-factor-wrong`, `too-many-requests`. */
  byPassword(attempt: PasswordAttempt, place: RequestPlace): Promise<SignedIn>;
  /** For whom an issuer has named. */
  asIdentity(identity: Identity, place: RequestPlace): Promise<SignedIn>;
}

interface SignInOptions {
  readonly accounts: AccountTable;
  readonly users: UserTable;
  readonly passwords: PasswordHashes;
  readonly secondFactor: SecondFactor;
  /** Tries for one account. */
  readonly tries: RateLimit;
  readonly limits: FilesLimits;
  readonly clock: () => number;
  readonly random: (sizeBytes: number) => Uint8Array;
  readonly newId: () => string;
}

/** The tenant and the user that there are from the first start. */
const firstTenantId = 'main';
const firstOwner: TenantId = { tenantId: firstTenantId, id: 'owner' };
const maxUserAgentCharacters = 256;

export function openSignIn(options: SignInOptions): SignIn {
  const { accounts, users, passwords, secondFactor, tries, limits, clock, random, newId } = options;

  function newSession(identity: Identity, how: SessionRecord['how'], place: RequestPlace): [SessionRecord, string] {
    const sessionToken = newToken(random);
    const nowMs = clock();
    const session: SessionRecord = {
      tokenHash: hashToken(sessionToken),
      id: newId(),
      tenantId: identity.tenantId,
      userId: identity.userId,
      how,
      address: place.address,
      userAgent: place.userAgent?.slice(0, maxUserAgentCharacters) ?? null,
      createdAtMs: nowMs,
      expiresAtMs: nowMs + limits.sessionLifeMs,
    };
    return [session, sessionToken];
  }

  /** Throws what a second factor throws, unless the user has none. */
  async function requireSecondFactor(user: UserRecord, code: string | undefined): Promise<void> {
    if (user.authenticatorAtMs === null) return;
    if (code === undefined) throw new FilesError('second-factor-required');
    await secondFactor.use(user, code);
  }

  return {
    issueToken: async () => {
      const token = newToken(random);
      const { tenantId, id: userId } = firstOwner;
      const expiresAtMs = clock() + limits.signInLinkLifeMs;
      const row = { tokenHash: hashToken(token), tenantId, userId, issuedBy: 'service', expiresAtMs } as const;
      await accounts.addSignInToken(
        row,
        serviceNote({ tenantId, action: 'user.invited', subject: { kind: 'user', id: userId } }),
      );
      return token;
    },

    redeem: async (token, code, place) => {
      const tokenHash = hashToken(token);
      const found = await accounts.findSignInToken(tokenHash, clock());
      if (found === undefined) throw new FilesError('sign-in-link-used');
      const user = { tenantId: found.tenantId, id: found.userId };
      const identity = await users.findIdentity(user);
      if (identity === undefined || isClosed(identity)) throw new FilesError('sign-in-link-used');
      if (found.issuedBy === 'member') {
        tries.take(`user:${found.userId}`);
        const record = await users.get(user);
        if (record !== undefined) await requireSecondFactor(record, code);
      }
      const [session, sessionToken] = newSession(identity, 'link', place);
      if (!(await accounts.redeemSignInToken(tokenHash, session, signedIn(session, place)))) {
        throw new FilesError('sign-in-link-used');
      }
      return { caller: callerOf(identity, session), sessionToken };
    },

    byPassword: async ({ email, password, tenantId = firstTenantId, code }, place) => {
      tries.take(hashToken(JSON.stringify([tenantId, email.normalize('NFC').toLowerCase()])));
      const user = await users.findByEmail(tenantId, email);
      // Who is not there costs the same two questions and the same hash as who is.
      const identity = await users.findIdentity(user ?? firstOwner);
      const right = await passwords.matches(password, user?.passwordHash ?? passwords.nobodys);
      if (!right || user === undefined || identity === undefined || isClosed(identity)) throw signInFailed();
      await requireSecondFactor(user, code);
      const [session, sessionToken] = newSession(identity, 'password', place);
      await accounts.addSession(session, signedIn(session, place));
      return { caller: callerOf(identity, session), sessionToken };
    },

    asIdentity: async (identity, place) => {
      if (isClosed(identity)) throw signInFailed();
      const [session, sessionToken] = newSession(identity, 'oidc', place);
      await accounts.addSession(session, signedIn(session, place));
      return { caller: callerOf(identity, session), sessionToken };
    },
  };
}

/** A caller by a session. */
export function callerOf(identity: Identity, session: SessionRecord): Caller {
  return {
    account: identity,
    identity,
    by: 'session',
    principal: `session:${session.tokenHash}`,
    session,
    scopes: undefined,
    folderId: undefined,
    expiresAtMs: session.expiresAtMs,
  };
}

function signInFailed(): FilesError {
  return new FilesError('sign-in-failed', { detail: 'The e-mail address and the password do not belong together.' });
}

/** Whether the user, or the whole tenant, may do nothing. */
function isClosed(identity: Identity): boolean {
  return identity.disabledAtMs !== null || identity.suspendedAtMs !== null;
}

/** What a new user is before they have done anything. */
export function newUser(user: {
  readonly id: string;
  readonly tenantId: string;
  readonly name: string;
  readonly email: string | undefined;
  readonly role: TenantRole;
  readonly nowMs: number;
}): UserRecord {
  const { id, tenantId, name, email = null, role, nowMs } = user;
  return {
    id,
    tenantId,
    name,
    email,
    role,
    serviceAdmin: 0,
    createdAtMs: nowMs,
    disabledAtMs: null,
    passwordHash: null,
    issuer: null,
    subject: null,
    authenticator: null,
    authenticatorAtMs: null,
    authenticatorStep: 0,
  };
}

function signedIn({ tenantId, userId, how, id }: SessionRecord, { address, requestId }: RequestPlace): AuditNote {
  return {
    tenantId,
    action: 'user.signed-in',
    actor: { kind: 'user', id: userId },
    subject: { kind: 'session', id },
    details: { how },
    address,
    requestId,
  };
}

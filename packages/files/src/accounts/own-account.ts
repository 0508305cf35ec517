// What people do with their own account: password, second factor, sessions.

import type { RecoveryCodes, SecondFactorOffer, SessionEntry } from '@stowage/contract';
import type { SessionRecord, UserRecord } from '../database/account-rows.ts';
import type { AccountTable, UserTable } from '../database/account-tables.ts';
import type { TenantId } from '../database/tenant-id.ts';
import { isoDate } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import type { RateLimit } from '../http/rate-limit.ts';
import type { AuditNote } from './audit-note.ts';
import type { PasswordHashes } from './password-hash.ts';
import type { SecondFactor } from './second-factor.ts';

/** Begins an audit note in the person's name. */
type NoteOf = (note: Pick<AuditNote, 'action' | 'subject'>) => AuditNote;

export interface OwnAccount {
  /**
   * Ends all sessions but this one. Throws `password-wrong` when the present password is not the right one, wherever it is given, and
   * when it is missing: only whoever came by a link, or has none, may leave it out.
   */
  changePassword(
    session: SessionRecord,
    request: { readonly password: string; readonly current?: string },
    noteOf: NoteOf,
  ): Promise<void>;
  offerSecondFactor(session: SessionRecord): Promise<SecondFactorOffer>;
  confirmSecondFactor(session: SessionRecord, code: string, noteOf: NoteOf): Promise<RecoveryCodes>;
  removeSecondFactor(session: SessionRecord, code: string, noteOf: NoteOf): Promise<void>;
  listSessions(session: SessionRecord): Promise<readonly SessionEntry[]>;
  endOtherSessions(session: SessionRecord, noteOf: NoteOf): Promise<void>;
  /** Throws `not-found`. */
  endSession(session: SessionRecord, id: string, noteOf: NoteOf): Promise<void>;
  /** Ends the session with this token, if there is one. */
  signOut(tokenHash: string): Promise<void>;
}

interface OwnAccountOptions {
  readonly accounts: AccountTable;
  readonly users: UserTable;
  readonly passwords: PasswordHashes;
  readonly secondFactor: SecondFactor;
  /** Tries of passwords and codes for one account, with those of signing in. */
  readonly tries: RateLimit;
  readonly clock: () => number;
}

export function openOwnAccount(options: OwnAccountOptions): OwnAccount {
  const { accounts, users, passwords, secondFactor, tries, clock } = options;

  async function find(session: SessionRecord): Promise<UserRecord> {
    const user = await users.get(userOf(session));
    if (user === undefined) throw new FilesError('unauthenticated');
    return user;
  }

  return {
    changePassword: async (session, { password, current }, noteOf) => {
      const user = await find(session);
      // Whoever it is: making a hash costs as much as trying one.
      tries.take(`user:${user.id}`);
      // Who came by a link has shown more than a password; and it is how a lost one is replaced.
      const mayLeaveOut = user.passwordHash === null || session.how === 'link';
      if (current !== undefined || !mayLeaveOut) {
        const matches =
          current !== undefined && user.passwordHash !== null && (await passwords.matches(current, user.passwordHash));
        if (!matches) throw presentPasswordWrong(user, current);
      }
      const note = noteOf({ action: 'password.changed', subject: { kind: 'user', id: user.id } });
      await users.setPassword(user, await passwords.hash(password), session.tokenHash, note);
    },

    offerSecondFactor: async (session) => secondFactor.offer(await find(session)),

    confirmSecondFactor: async (session, code, noteOf) => {
      const user = await find(session);
      tries.take(`user:${user.id}`);
      return secondFactor.confirm(user, code, noteOf({ action: 'second-factor.enabled', subject: subjectOf(user) }));
    },

    removeSecondFactor: async (session, code, noteOf) => {
      const user = await find(session);
      if (user.authenticatorAtMs === null) throw new FilesError('not-found', { detail: 'There is no authenticator.' });
      tries.take(`user:${user.id}`);
      await secondFactor.use(user, code);
      await users.removeAuthenticator(user, noteOf({ action: 'second-factor.removed', subject: subjectOf(user) }));
    },

    listSessions: async (session) =>
      (await accounts.listSessions(userOf(session), clock())).map((entry) => shown(entry, session)),

    endOtherSessions: (session, noteOf) => {
      const note = noteOf({ action: 'session.revoked', subject: { kind: 'user', id: session.userId } });
      return accounts.removeOtherSessions(userOf(session), session.tokenHash, note);
    },

    endSession: async (session, id, noteOf) => {
      const note = noteOf({ action: 'session.revoked', subject: { kind: 'session', id } });
      if (!(await accounts.removeSessionById(userOf(session), id, note))) {
        throw new FilesError('not-found', { detail: `There is no session ${id}.` });
      }
    },

    signOut: (tokenHash) => accounts.removeSession(tokenHash),
  };
}

function presentPasswordWrong({ passwordHash }: UserRecord, current: string | undefined): FilesError {
  if (passwordHash === null) {
    return new FilesError('password-wrong', { detail: 'This account has no password yet: leave `current` out.' });
  }
  if (current === undefined) {
    return new FilesError('password-wrong', { detail: 'Nothing came as `current`; send the present password in it.' });
  }
  return new FilesError('password-wrong', {
    detail:
      'The present password is not the right one. If it is lost, ask an owner for a sign-in link: it does without.',
  });
}

function userOf({ tenantId, userId }: SessionRecord): TenantId {
  return { tenantId, id: userId };
}

function subjectOf({ id }: UserRecord): AuditNote['subject'] {
  return { kind: 'user', id };
}

function shown(session: SessionRecord, current: SessionRecord): SessionEntry {
  const { id, how, address, userAgent, createdAtMs, expiresAtMs } = session;
  return {
    id,
    current: id === current.id,
    how,
    createdAt: isoDate(createdAtMs),
    expiresAt: isoDate(expiresAtMs),
    ...(address === null ? {} : { address }),
    ...(userAgent === null ? {} : { userAgent }),
  };
}

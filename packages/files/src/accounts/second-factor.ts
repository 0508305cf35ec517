// A second proof beside the password: six digits of an authenticator, new every 30 seconds, or a recovery code. No code is taken
// twice. Spec: RFC 6238, RFC 4226; SHA-1 and six digits, which is what all authenticators know.

import { createHash } from 'node:crypto';
import type { RecoveryCodes, SecondFactorOffer } from '@stowage/contract';
import { Secret, TOTP } from 'otpauth';
import type { UserRecord } from '../database/account-rows.ts';
import type { UserTable } from '../database/account-tables.ts';
import { FilesError } from '../files-error.ts';
import { openSealedText } from '../sealed-text.ts';
import type { AuditNote } from './audit-note.ts';

export interface SecondFactor {
  /** Throws `second-factor-exists`. */
  offer(user: UserRecord): Promise<SecondFactorOffer>;
  /** Throws `not-found` without an offer, `second-factor-wrong`, `second-factor-exists`. */
  confirm(user: UserRecord, code: string, note: AuditNote): Promise<RecoveryCodes>;
  /** Uses the code up. Throws `second-factor-wrong`. */
  use(user: UserRecord, code: string): Promise<void>;
}

interface SecondFactorOptions {
  readonly users: UserTable;
  readonly secret: Uint8Array;
  readonly clock: () => number;
  readonly random: (sizeBytes: number) => Uint8Array;
}

const secretBytes = 20;
const periodSeconds = 30;
/** Steps before and after the present one that are taken: clocks differ, and typing takes time. */
const windowSteps = 1;
const recoveryCodeCount = 10;
const recoveryCodeBytes = 10;

export function openSecondFactor({ users, secret, clock, random }: SecondFactorOptions): SecondFactor {
  const sealed = openSealedText({ secret, purpose: 'stowage authenticators v1', random });

  /** The time step that the code belongs to; `undefined` when it is a wrong one. */
  function stepOf(user: UserRecord, code: string): number | undefined {
    const base32 = user.authenticator === null ? undefined : sealed.open(user.authenticator, user.id);
    if (base32 === undefined) throw new Error('An authenticator cannot be read. Was the secret changed?');
    const timestamp = clock();
    const delta = totp(Secret.fromBase32(base32)).validate({ token: code, timestamp, window: windowSteps });
    return delta === null ? undefined : Math.floor(timestamp / 1000 / periodSeconds) + delta;
  }

  return {
    offer: async (user) => {
      const made = new Secret({ buffer: new Uint8Array(random(secretBytes)).buffer });
      if (!(await users.offerAuthenticator(user, sealed.seal(made.base32, user.id)))) {
        throw new FilesError('second-factor-exists');
      }
      return { secret: made.base32, uri: totp(made, user.email ?? user.name).toString() };
    },

    confirm: async (user, code, note) => {
      if (user.authenticatorAtMs !== null) throw new FilesError('second-factor-exists');
      const { authenticator } = user;
      if (authenticator === null) throw new FilesError('not-found', { detail: 'Ask for an authenticator first.' });
      const step = stepOf(user, normalCode(code));
      if (step === undefined) throw wrongCode();
      const recoveryCodes = Array.from({ length: recoveryCodeCount }, () => newRecoveryCode(random));
      const codeHashes = recoveryCodes.map((recoveryCode) => hashOf(user, recoveryCode));
      const confirmed = { authenticator, step, nowMs: clock(), codeHashes };
      if (!(await users.confirmAuthenticator(user, confirmed, note))) throw new FilesError('second-factor-exists');
      return { recoveryCodes };
    },

    use: async (user, code) => {
      const digits = normalCode(code);
      const isOfAuthenticator = /^\d{6}$/.test(digits);
      const step = isOfAuthenticator ? stepOf(user, digits) : undefined;
      const used = isOfAuthenticator
        ? step !== undefined && (await users.useStep(user, step))
        : await users.useRecoveryCode(user, hashOf(user, code));
      if (!used) throw wrongCode();
    },
  };
}

function totp(secret: Secret, label = ''): TOTP {
  return new TOTP({ issuer: 'Stowage', label, algorithm: 'SHA1', digits: 6, period: periodSeconds, secret });
}

function wrongCode(): FilesError {
  return new FilesError('second-factor-wrong', { detail: 'Wait for the next code, or take a recovery code.' });
}

/** What people type between digits and letters does not matter. */
function normalCode(code: string): string {
  return code.toUpperCase().replace(/[^A-Z0-9]/g, '');
}

/** Eighty random bits, as `abcd-efgh-ijkl-mnop`. */
function newRecoveryCode(random: (sizeBytes: number) => Uint8Array): string {
  const text = new Secret({ buffer: new Uint8Array(random(recoveryCodeBytes)).buffer }).base32.toLowerCase();
  return (text.match(/.{4}/g) ?? [text]).join('-');
}

function hashOf(user: UserRecord, code: string): string {
  return createHash('sha256')
    .update(`${user.id} ${normalCode(code)}`)
    .digest('hex');
}

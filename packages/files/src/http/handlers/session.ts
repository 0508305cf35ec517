// Signing in and out.

import type { Session } from '@stowage/contract';
import { type Caller, rightsEverywhere } from '../../accounts/caller.ts';
import type { OwnAccount } from '../../accounts/own-account.ts';
import { hashToken } from '../../accounts/secret-token.ts';
import type { SignIn } from '../../accounts/sign-in.ts';
import type { S3Settings } from '../../bucket/s3-settings.ts';
import { isoDate } from '../../file-record.ts';
import type { FilesLimits } from '../../limits.ts';
import type { HandlersOf } from '../handler.ts';

export interface SessionHandlersOptions {
  readonly signIn: SignIn;
  readonly ownAccount: Pick<OwnAccount, 'signOut'>;
  readonly limits: FilesLimits;
  readonly s3: S3Settings;
  /** Where else people can sign in. */
  readonly providers: readonly { readonly id: string; readonly name: string }[];
}

export function sessionHandlers(options: SessionHandlersOptions): HandlersOf<'session'> {
  const { signIn, ownAccount, limits, providers } = options;
  return {
    signIn: async ({ body, place }) => {
      const { caller, sessionToken } = await ('token' in body
        ? signIn.redeem(body.token, body.code, place)
        : signIn.byPassword(body, place));
      return { body: sessionOf(caller, options), session: { token: sessionToken, lifeMs: limits.sessionLifeMs } };
    },
    getSession: async ({ caller }) => ({ body: sessionOf(caller, options) }),
    signOut: async ({ sessionToken }) => {
      if (sessionToken !== undefined) await ownAccount.signOut(hashToken(sessionToken));
      return { body: undefined, session: null };
    },
    getSignInWays: async () => ({ body: { password: true, providers } }),
  };
}

function sessionOf(caller: Caller, { limits, s3 }: SessionHandlersOptions): Session {
  const { identity, expiresAtMs } = caller;
  const email = identity.email === null ? {} : { email: identity.email };
  return {
    user: { id: identity.userId, name: identity.userName, ...email },
    tenant: { id: identity.tenantId, name: identity.tenantName },
    role: identity.role,
    rights: rightsEverywhere(caller),
    ...(expiresAtMs === undefined ? {} : { expiresAt: isoDate(expiresAtMs) }),
    limits: { maxFileSizeBytes: limits.maxFileSizeBytes },
    storage: { endpoint: s3.publicEndpoint ?? s3.endpoint, bucket: s3.bucket },
  };
}

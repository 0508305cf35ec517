// Signing in and out.

import type { Session } from '@stowage/contract';
import type { S3Settings } from '../../bucket/s3-settings.ts';
import { isoDate } from '../../file-record.ts';
import type { FilesLimits } from '../../limits.ts';
import type { Caller, SignIn } from '../../sign-in.ts';
import type { HandlersOf } from '../handler.ts';

export interface SessionHandlersOptions {
  readonly signIn: SignIn;
  readonly limits: FilesLimits;
  readonly s3: S3Settings;
}

export function sessionHandlers(options: SessionHandlersOptions): HandlersOf<'session'> {
  const { signIn, limits } = options;
  return {
    signIn: async ({ body }) => {
      const { caller, sessionToken } = await signIn.redeem(body.token);
      return { body: sessionOf(caller, options), session: { token: sessionToken, lifeMs: limits.sessionLifeMs } };
    },
    getSession: async ({ caller }) => ({ body: sessionOf(caller, options) }),
    signOut: async ({ sessionToken }) => {
      if (sessionToken !== undefined) await signIn.endSession(sessionToken);
      return { body: undefined, session: null };
    },
  };
}

function sessionOf(caller: Caller, { limits, s3 }: SessionHandlersOptions): Session {
  const { account, expiresAtMs } = caller;
  return {
    user: { id: account.userId, name: account.userName },
    tenant: { id: account.tenantId, name: account.tenantName },
    ...(expiresAtMs === undefined ? {} : { expiresAt: isoDate(expiresAtMs) }),
    limits: { maxFileSizeBytes: limits.maxFileSizeBytes },
    storage: { endpoint: s3.publicEndpoint ?? s3.endpoint, bucket: s3.bucket },
  };
}

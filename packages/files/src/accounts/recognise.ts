// Finds out who calls, by what a request shows: a session cookie, an API key, or a token of an issuer. Who shows a key or token is
// judged by that alone.

import type { AccountTable } from '../database/account-tables.ts';
import { FilesError } from '../files-error.ts';
import { type ApiKeys, keyPrefix } from './api-keys.ts';
import type { RecogniseToken } from './bearer-tokens.ts';
import type { Caller, RequestPlace } from './caller.ts';
import { hashToken } from './secret-token.ts';
import { callerOf } from './sign-in.ts';

interface Credentials {
  /** Of the header Authorization. */
  readonly authorization: string | undefined;
  /** Of the session cookie. */
  readonly sessionToken: string | undefined;
}

/**
 * `undefined` for who shows nothing, or a session that has ended. Throws `unauthenticated`, `tenant-suspended`,
 * `provider-unavailable`.
 */
export type Recognise = (credentials: Credentials, place: RequestPlace) => Promise<Caller | undefined>;

interface RecogniseOptions {
  readonly accounts: Pick<AccountTable, 'findSession'>;
  readonly apiKeys: Pick<ApiKeys, 'recognise'>;
  /** Callers by tokens of issuers; `undefined` for a token of none of them. Throws `unauthenticated`. */
  readonly recogniseToken: RecogniseToken;
  readonly clock: () => number;
}

export function openRecognise({ accounts, apiKeys, recogniseToken, clock }: RecogniseOptions): Recognise {
  return async ({ authorization, sessionToken }, place) => {
    if (authorization !== undefined) {
      const [scheme = '', secret = ''] = authorization.split(' ', 2);
      const isBearer = scheme.toLowerCase() === 'bearer';
      const caller = isBearer
        ? await (secret.startsWith(keyPrefix) ? apiKeys.recognise(secret) : recogniseToken(secret, place))
        : undefined;
      if (caller === undefined) {
        throw new FilesError('unauthenticated', {
          detail: 'This API key or token is not known, was revoked or has expired.',
        });
      }
      requireOpen(caller);
      return caller;
    }
    const found = sessionToken === undefined ? undefined : await accounts.findSession(hashToken(sessionToken), clock());
    if (found === undefined) return undefined;
    const caller = callerOf(found.identity, found.session);
    requireOpen(caller);
    return caller;
  };
}

/** Throws unless the user, and the tenant, may do anything. */
function requireOpen({ identity }: Caller): void {
  if (identity.disabledAtMs !== null) throw new FilesError('unauthenticated', { detail: 'This account is disabled.' });
  if (identity.suspendedAtMs !== null)
    throw new FilesError('tenant-suspended', { detail: 'Ask who runs the service.' });
}

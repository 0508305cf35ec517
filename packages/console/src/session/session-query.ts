// Who is signed in, or how one can. A token from a sign-in link is spent by the first look.

import { type Api, isClientError } from '@stowage/client';
import type { Session, SignInWays } from '@stowage/contract';
import { queryOptions } from '@tanstack/react-query';
import { keepTenant } from './kept-tenant.ts';

export const sessionKey = ['session'] as const;

/** What became of the link by which the page was opened. */
export type LinkOutcome =
  | { readonly kind: 'none' }
  | { readonly kind: 'failed' }
  /** It is good once a one-time code comes with it. */
  | { readonly kind: 'code-needed'; readonly token: string };

type SignInState =
  | { readonly kind: 'signed-in'; readonly session: Session }
  | { readonly kind: 'signed-out'; readonly link: LinkOutcome; readonly ways: SignInWays };

export function sessionQuery(api: Api, tokens: string[]) {
  return queryOptions({
    queryKey: sessionKey,
    queryFn: ({ signal }) => readSession(api, tokens, signal),
    staleTime: 5 * 60_000,
    refetchOnWindowFocus: false,
  });
}

/** Whoever signs in again here, and types a password, is most likely of the same tenant. */
export function signedIn(session: Session): SignInState {
  keepTenant(session.tenant.id);
  return { kind: 'signed-in', session };
}

async function readSession(api: Api, tokens: string[], signal: AbortSignal): Promise<SignInState> {
  let link: LinkOutcome = { kind: 'none' };
  const token = tokens[0];
  if (token !== undefined) {
    try {
      const session = await api.call('signIn', { body: { token } });
      tokens.shift();
      return signedIn(session);
    } catch (error) {
      if (!isClientError(error) || error.retryable) throw error;
      // Used or expired. Whoever opened it may have signed in by it before.
      tokens.shift();
      link = error.code === 'second-factor-required' ? { kind: 'code-needed', token } : { kind: 'failed' };
    }
  }
  try {
    return signedIn(await api.call('getSession', { signal }));
  } catch (error) {
    if (!isClientError(error) || error.code !== 'unauthenticated') throw error;
    return { kind: 'signed-out', link, ways: await api.call('getSignInWays', { signal }) };
  }
}

// Who is signed in. A token from a sign-in link is spent by the first look.

import { isClientError, type StowageClient } from '@stowage/client';
import type { Session } from '@stowage/contract';
import { queryOptions } from '@tanstack/react-query';

export const sessionKey = ['session'] as const;

type SignInState =
  | { readonly kind: 'signed-in'; readonly session: Session }
  | { readonly kind: 'signed-out'; readonly linkFailed: boolean };

export function sessionQuery(client: StowageClient, tokens: string[]) {
  return queryOptions({
    queryKey: sessionKey,
    queryFn: ({ signal }) => readSession(client, tokens, signal),
    staleTime: 5 * 60_000,
    refetchOnWindowFocus: false,
  });
}

async function readSession(client: StowageClient, tokens: string[], signal: AbortSignal): Promise<SignInState> {
  let linkFailed = false;
  const token = tokens[0];
  if (token !== undefined) {
    try {
      const session = await client.session.signIn(token);
      tokens.shift();
      return { kind: 'signed-in', session };
    } catch (error) {
      if (!isClientError(error) || error.retryable) throw error;
      // Used or expired. Whoever opened it may have signed in by it before.
      tokens.shift();
      linkFailed = true;
    }
  }
  try {
    return { kind: 'signed-in', session: await client.session.get(signal) };
  } catch (error) {
    if (isClientError(error) && error.code === 'unauthenticated') return { kind: 'signed-out', linkFailed };
    throw error;
  }
}

// One attempt to sign in after another. Where an account asks for a one-time code too, the attempt is kept until it comes.

import { type ClientError, isClientError } from '@stowage/client';
import type { SignInRequest } from '@stowage/contract';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useApi } from './api-context.ts';
import { type LinkOutcome, sessionKey, signedIn } from './session-query.ts';

interface SignInAttempts {
  /** What waits for a one-time code. */
  readonly waiting: SignInRequest | undefined;
  /** Why the last attempt did not do. */
  readonly refusal: SignInRefusal | undefined;
  readonly isBusy: boolean;
  attempt(request: SignInRequest): void;
  /** Forgets what waits for a code. */
  giveUp(): void;
}

export interface SignInRefusal {
  /** Which form it is about. */
  readonly of: 'password' | 'link' | 'code';
  readonly code: ClientError['code'] | undefined;
  readonly words: string;
}

export function useSignIn(link: LinkOutcome): SignInAttempts {
  const api = useApi();
  const queries = useQueryClient();
  const [waiting, setWaiting] = useState<SignInRequest | undefined>(
    link.kind === 'code-needed' ? { token: link.token } : undefined,
  );
  const attempts = useMutation({
    mutationFn: (request: SignInRequest) => api.call('signIn', { body: request }),
    onSuccess: (session) => queries.setQueryData(sessionKey, signedIn(session)),
    onError: (error, request) => {
      if (!isClientError(error)) return;
      if (error.code === 'second-factor-required') setWaiting(request);
      // Used meanwhile, or closed: no code helps.
      if (error.code === 'sign-in-link-used' || error.code === 'sign-in-failed') setWaiting(undefined);
    },
  });
  const { error, variables } = attempts;
  const refusal = useMemo(() => refusalOf(error, variables), [error, variables]);
  return {
    waiting,
    refusal,
    isBusy: attempts.isPending,
    attempt: (request) => attempts.mutate(request),
    giveUp: () => {
      attempts.reset();
      setWaiting(undefined);
    },
  };
}

function refusalOf(error: Error | null, request: SignInRequest | undefined): SignInRefusal | undefined {
  if (error === null || request === undefined) return undefined;
  const kind = 'token' in request ? 'link' : 'password';
  if (!isClientError(error)) return { of: kind, code: undefined, words: 'Something unexpected happened in this page.' };
  const { code, retryAfterMs } = error;
  if (code === 'second-factor-required') return undefined;
  const isOfForm = code === 'sign-in-link-used' || code === 'sign-in-failed';
  const of = request.code === undefined || isOfForm ? kind : 'code';
  if (code === 'too-many-requests') {
    const seconds = Math.ceil((retryAfterMs ?? 60_000) / 1000);
    return {
      of,
      code,
      words: `Too many tries. Wait, and try again in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}.`,
    };
  }
  if (code === 'second-factor-wrong') {
    return { of, code, words: 'This code is not right, or was used already. Wait for the next one and type that.' };
  }
  return { of, code, words: error.message };
}

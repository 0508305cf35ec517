// Shows the app to whoever is signed in, and the sign-in page to everyone else.

import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Spinner } from '../shell/spinner.tsx';
import { useApi } from './api-context.ts';
import { ServiceSilent } from './service-silent.tsx';
import { SessionContext } from './session-context.ts';
import { sessionQuery } from './session-query.ts';
import { SignInPage } from './sign-in-page.tsx';

interface SessionGateProps {
  readonly signInToken: string | undefined;
  readonly children: ReactNode;
}

export function SessionGate({ signInToken, children }: SessionGateProps): ReactNode {
  const api = useApi();
  // Of the address, until it is spent.
  const [tokens] = useState<string[]>(() => (signInToken === undefined ? [] : [signInToken]));
  const { data, error, refetch, isFetching } = useQuery(sessionQuery(api, tokens));

  if (data?.kind === 'signed-in') return <SessionContext value={data.session}>{children}</SessionContext>;
  if (data?.kind === 'signed-out') return <SignInPage link={data.link} ways={data.ways} />;
  if (error !== null) return <ServiceSilent isBusy={isFetching} onRetry={() => void refetch()} />;
  return <Spinner label="Opening Stowage" />;
}

// The session, for the components below the gate.

import type { Session } from '@stowage/contract';
import { createContext, useContext } from 'react';

export const SessionContext = createContext<Session | undefined>(undefined);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === undefined) throw new Error('useSession stands above the session gate.');
  return session;
}

// Calls of the service that the uploader's client has no methods for: signing in by password, one's own account.

import type { Api } from '@stowage/client';
import { createContext, useContext } from 'react';

export const ApiContext = createContext<Api | undefined>(undefined);

export function useApi(): Api {
  const api = useContext(ApiContext);
  if (api === undefined) throw new Error('useApi stands above the app.');
  return api;
}

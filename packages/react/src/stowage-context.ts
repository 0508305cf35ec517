// The client and the upload list that the hooks below a provider use.

import type { StowageClient, UploadList } from '@stowage/client';
import { createContext, useContext } from 'react';

interface StowageValue {
  readonly client: StowageClient;
  readonly uploads: UploadList;
}

export const StowageContext = createContext<StowageValue | undefined>(undefined);

export function useStowage(): StowageValue {
  const value = useContext(StowageContext);
  if (value === undefined) throw new Error('There is no <StowageProvider> above this component; put one at the root.');
  return value;
}

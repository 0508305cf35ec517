// Puts one client, and one list of uploads over it, at the disposal of the hooks. Uploads outlive the components that
// show them: the list belongs to the provider's owner, or to the provider itself.

import { createUploadList, type StowageClient, type UploadList } from '@stowage/client';
import { type ReactNode, useState } from 'react';
import { StowageContext } from './stowage-context.ts';

interface StowageProviderProps {
  readonly client: StowageClient;
  /** Default: a list made once for this provider. */
  readonly uploads?: UploadList;
  readonly children: ReactNode;
}

export function StowageProvider({ client, uploads, children }: StowageProviderProps): ReactNode {
  const [value] = useState(() => ({ client, uploads: uploads ?? createUploadList(client) }));
  return <StowageContext value={value}>{children}</StowageContext>;
}

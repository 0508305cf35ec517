// What stands around every page: the client, the query cache, notices, the router.

import { CSPProvider } from '@base-ui/react/csp-provider';
import { Toast } from '@base-ui/react/toast';
import { Tooltip } from '@base-ui/react/tooltip';
import { createApi, createClient, createUploadList, isClientError } from '@stowage/client';
import { StowageProvider } from '@stowage/react';
import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { Notices } from './notices/notices.tsx';
import { createConsoleRouter } from './router.tsx';
import { ApiContext } from './session/api-context.ts';
import { SessionGate } from './session/session-gate.tsx';
import { sessionKey } from './session/session-query.ts';

/** A browser opens six connections to one host; this leaves one for previews and downloads. */
const uploadConnections = 5;
const maxRetries = 3;

export function App({ signInToken }: { readonly signInToken: string | undefined }): ReactNode {
  const [parts] = useState(() => {
    const client = createClient({ concurrency: uploadConnections });
    const uploads = createUploadList(client);
    return { client, uploads, api: createApi(), queries: createQueries(), router: createConsoleRouter() };
  });
  return (
    // The content policy allows no style elements.
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={parts.queries}>
        <StowageProvider client={parts.client} uploads={parts.uploads}>
          <Tooltip.Provider delay={500}>
            <Toast.Provider limit={3} timeout={7000}>
              <ApiContext value={parts.api}>
                <SessionGate signInToken={signInToken}>
                  <RouterProvider router={parts.router} />
                </SessionGate>
              </ApiContext>
              <Notices />
            </Toast.Provider>
          </Tooltip.Provider>
        </StowageProvider>
      </QueryClientProvider>
    </CSPProvider>
  );
}

function createQueries(): QueryClient {
  const queries: QueryClient = new QueryClient({
    queryCache: new QueryCache({
      onError: (error, query) => {
        // The session ended meanwhile: asking for it again leads to the sign-in page.
        if (isClientError(error) && error.code === 'unauthenticated' && query.queryKey[0] !== sessionKey[0]) {
          void queries.invalidateQueries({ queryKey: sessionKey });
        }
      },
    }),
    defaultOptions: {
      queries: {
        // The service may run on this very machine, and be there although the network is not.
        networkMode: 'always',
        retry: (failures, error) => failures < maxRetries && isClientError(error) && error.retryable,
      },
      mutations: { networkMode: 'always' },
    },
  });
  return queries;
}

// The pages and their addresses. What a list shows (search, order) lives in the address, so that it can be kept and shared.

import { createRootRoute, createRoute, createRouter, Outlet, redirect } from '@tanstack/react-router';
import { FilesPage } from './files/files-page.tsx';
import { type FilesSearch, parseFilesSearch } from './files/files-search.ts';
import { AppShell } from './shell/app-shell.tsx';

const rootRoute = createRootRoute({
  component: () => (
    <AppShell>
      <Outlet />
    </AppShell>
  ),
  // An address of nothing, the sign-in page's after signing in among them, leads to the files.
  notFoundComponent: () => null,
  beforeLoad: ({ location }) => {
    if (location.pathname !== '/') throw redirect({ to: '/', replace: true });
  },
});

const filesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  component: FilesPage,
  validateSearch: (search): FilesSearch => parseFilesSearch(search),
});

export function createConsoleRouter() {
  return createRouter({ routeTree: rootRoute.addChildren([filesRoute]), scrollRestoration: true });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createConsoleRouter>;
  }
}

// Every route of the file service, as one table: the server is a Record over its names, the OpenAPI document is made from it,
// and the client reads its paths. One file for each theme in routes/.

import type { z } from 'zod';
import { accountRoutes } from './routes/account.ts';
import { archiveRoutes } from './routes/archives.ts';
import { auditRoutes } from './routes/audit.ts';
import { fileRoutes } from './routes/files.ts';
import { folderRoutes } from './routes/folders.ts';
import { keyRoutes } from './routes/keys.ts';
import { memberRoutes } from './routes/members.ts';
import { oidcRoutes } from './routes/oidc.ts';
import { quarantineRoutes } from './routes/quarantine.ts';
import { reconcileRoutes } from './routes/reconcile.ts';
import type { Route } from './routes/route.ts';
import { searchRoutes } from './routes/search.ts';
import { sessionRoutes } from './routes/session.ts';
import { shareRoutes } from './routes/shares.ts';
import { tenantRoutes } from './routes/tenants.ts';
import { trashRoutes } from './routes/trash.ts';
import { uploadRoutes } from './routes/uploads.ts';
import { usageRoutes } from './routes/usage.ts';
import { versionRoutes } from './routes/versions.ts';
import { webhookRoutes } from './routes/webhooks.ts';

const routeTable = {
  ...sessionRoutes,
  ...uploadRoutes,
  ...fileRoutes,
  ...versionRoutes,
  ...trashRoutes,
  ...folderRoutes,
  ...searchRoutes,
  ...shareRoutes,
  ...archiveRoutes,
  ...keyRoutes,
  ...tenantRoutes,
  ...memberRoutes,
  ...auditRoutes,
  ...reconcileRoutes,
  ...accountRoutes,
  ...oidcRoutes,
  ...webhookRoutes,
  ...quarantineRoutes,
  ...usageRoutes,
} as const satisfies Record<string, Route>;

/** The routes of one theme. */
export interface RouteGroups {
  readonly session: keyof typeof sessionRoutes;
  readonly uploads: keyof typeof uploadRoutes;
  readonly files: keyof typeof fileRoutes;
  readonly versions: keyof typeof versionRoutes;
  readonly trash: keyof typeof trashRoutes;
  readonly folders: keyof typeof folderRoutes;
  readonly archives: keyof typeof archiveRoutes;
  readonly shares: keyof typeof shareRoutes;
  readonly search: keyof typeof searchRoutes;
  readonly keys: keyof typeof keyRoutes;
  readonly tenants: keyof typeof tenantRoutes;
  readonly members: keyof typeof memberRoutes;
  readonly audit: keyof typeof auditRoutes;
  readonly reconcile: keyof typeof reconcileRoutes;
  readonly account: keyof typeof accountRoutes;
  readonly oidc: keyof typeof oidcRoutes;
  readonly webhooks: keyof typeof webhookRoutes;
  readonly quarantine: keyof typeof quarantineRoutes;
  readonly usage: keyof typeof usageRoutes;
}

export type RouteName = keyof typeof routeTable;

/** The parsed query of a route; `undefined` where it takes none. */
export type RouteQuery<Name extends RouteName> = (typeof routeTable)[Name] extends { query: z.ZodType<infer Query> }
  ? Query
  : undefined;
/** The parsed body that a route takes; `undefined` where it takes none. */
export type RouteBody<Name extends RouteName> = (typeof routeTable)[Name] extends { body: z.ZodType<infer Body> }
  ? Body
  : undefined;
/** What a route answers on success; `undefined` for 204 and 302. */
export type RouteResponse<Name extends RouteName> = (typeof routeTable)[Name] extends {
  response: z.ZodType<infer Answer>;
}
  ? Answer
  : undefined;

type ParameterIn<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParameterIn<Rest>
  : never;
/** What of a route's path is to be filled in: `id` of `/v1/files/{id}`; `never` where there is nothing. */
export type RouteParameter<Name extends RouteName> = ParameterIn<(typeof routeTable)[Name]['path']>;
/** What a route answers on success. */
export type RouteAnswer<Name extends RouteName> = (typeof routeTable)[Name] extends { response: z.ZodType }
  ? 'json'
  : (typeof routeTable)[Name] extends { status: 204 }
    ? 'nothing'
    : 'bytes';

export const routes: Readonly<Record<RouteName, Route>> = routeTable;
export const routeNames: readonly RouteName[] = Object.keys(routeTable) as RouteName[];

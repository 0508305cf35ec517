// Who is calling: a person who is signed in, by a session cookie, or a program, by an API key or a token of an issuer.

import { z } from 'zod';
import { type Action, actionNames, type TenantRole, tenantRoleNames } from './rights.ts';

/** At least one is kept, in the order of the table of actions. */
export const actionSchema: z.ZodType<Action> = z.enum(actionNames as [Action, ...Action[]]);
export const tenantRoleSchema: z.ZodType<TenantRole> = z.enum(tenantRoleNames as [TenantRole, ...TenantRole[]]);

export interface Session {
  readonly user: { readonly id: string; readonly name: string; readonly email?: string };
  readonly tenant: { readonly id: string; readonly name: string };
  /** In the whole tenant. Grants may give more on some folders. */
  readonly role: TenantRole;
  /** What the caller may do wherever it lies: by role, and for a key within its scopes. */
  readonly rights: readonly Action[];
  readonly expiresAt?: string;
  readonly limits: {
    /** Largest file that may be uploaded. */
    readonly maxFileSizeBytes: number;
  };
  readonly storage: { readonly endpoint: string; readonly bucket: string };
}

export const sessionSchema: z.ZodType<Session> = z.object({
  user: z.object({ id: z.string(), name: z.string(), email: z.string().exactOptional() }),
  tenant: z.object({ id: z.string(), name: z.string() }),
  role: tenantRoleSchema,
  rights: z.array(actionSchema),
  expiresAt: z.iso.datetime().exactOptional(),
  limits: z.object({ maxFileSizeBytes: z.int() }),
  storage: z.object({ endpoint: z.string(), bucket: z.string() }),
});

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  /** The first characters of the key, to tell it from others. */
  readonly hint: string;
  /** For whom it acts. */
  readonly userId: string;
  /** What it may do of what its user may. Absent: all but what a key must be given by name. */
  readonly scopes?: readonly Action[];
  /** Only this folder and what lies below it. Absent: wherever its user may. */
  readonly folderId?: string;
  readonly createdAt: string;
  readonly expiresAt?: string;
  readonly lastUsedAt?: string;
}

const apiKeyShape = {
  id: z.string(),
  name: z.string(),
  hint: z.string(),
  userId: z.string(),
  scopes: z.array(actionSchema).exactOptional(),
  folderId: z.string().exactOptional(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().exactOptional(),
  lastUsedAt: z.iso.datetime().exactOptional(),
};
export const apiKeySchema: z.ZodType<ApiKey> = z.object(apiKeyShape);

export interface CreatedApiKey extends ApiKey {
  /** The key itself, shown this once: only a hash of it is kept. Send it as `Authorization: Bearer <secret>`. */
  readonly secret: string;
}

export const createdApiKeySchema: z.ZodType<CreatedApiKey> = z.object({ ...apiKeyShape, secret: z.string() });

export interface CreateApiKeyRequest {
  readonly name: string;
  /** Default: all but what a key must be given by name. */
  readonly scopes?: readonly Action[];
  /** 60 to 315,360,000 (ten years). Default: it does not expire. */
  readonly expiresInSeconds?: number;
  /** Default: wherever its user may. With it, the key has only what is judged by folder. */
  readonly folderId?: string;
}

export const createApiKeyRequestSchema: z.ZodType<CreateApiKeyRequest> = z.strictObject({
  name: z.string().min(1).max(100),
  scopes: z.array(actionSchema).min(1).max(actionNames.length).exactOptional(),
  expiresInSeconds: z.int().min(60).max(315_360_000).exactOptional(),
  folderId: z.string().min(1).max(64).exactOptional(),
});

export interface ApiKeyList {
  /** One’s own; with `members:write` those of the whole tenant. */
  readonly keys: readonly ApiKey[];
}

export const apiKeyListSchema: z.ZodType<ApiKeyList> = z.object({ keys: z.array(apiKeySchema) });

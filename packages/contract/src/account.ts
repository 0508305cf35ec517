// Who is calling: a signed-in person by session cookie, or a program by API key.

import { z } from 'zod';

export interface Session {
  readonly user: { readonly id: string; readonly name: string };
  readonly tenant: { readonly id: string; readonly name: string };
  readonly expiresAt?: string;
  readonly limits: {
    /** Largest file that may be uploaded. */
    readonly maxFileSizeBytes: number;
  };
  readonly storage: { readonly endpoint: string; readonly bucket: string };
}

export const sessionSchema: z.ZodType<Session> = z.object({
  user: z.object({ id: z.string(), name: z.string() }),
  tenant: z.object({ id: z.string(), name: z.string() }),
  expiresAt: z.iso.datetime().exactOptional(),
  limits: z.object({ maxFileSizeBytes: z.int() }),
  storage: z.object({ endpoint: z.string(), bucket: z.string() }),
});

export interface SignInRequest {
  /** From the one-time sign-in link. */
  readonly token: string;
}

export const signInRequestSchema: z.ZodType<SignInRequest> = z.object({ token: z.string().min(1).max(256) });

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  /** The first characters of the key, to tell it from others. */
  readonly hint: string;
  readonly createdAt: string;
  readonly lastUsedAt?: string;
}

const apiKeyShape = {
  id: z.string(),
  name: z.string(),
  hint: z.string(),
  createdAt: z.iso.datetime(),
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
}

export const createApiKeyRequestSchema: z.ZodType<CreateApiKeyRequest> = z.object({ name: z.string().min(1).max(100) });

export interface ApiKeyList {
  readonly keys: readonly ApiKey[];
}

export const apiKeyListSchema: z.ZodType<ApiKeyList> = z.object({ keys: z.array(apiKeySchema) });

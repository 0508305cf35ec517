// How a person proves who they are, and looks after that: passwords, one-time codes, sessions.

import { z } from 'zod';

export const passwordLimits = {
  /** Length, not kinds of characters, is what makes a password hard to guess (NIST SP 800-63B). */
  minCharacters: 10,
  maxCharacters: 256,
} as const;

const passwordSchema = z.string().min(passwordLimits.minCharacters).max(passwordLimits.maxCharacters);
/** Six digits of an authenticator, or a recovery code; spaces and hyphens do not matter. */
const codeSchema = z.string().min(6).max(40);
export const emailSchema: z.ZodType<string> = z.email().max(254);

/** By the token of a sign-in link, or by e-mail and password. `code` where the account has a second factor. */
export type SignInRequest =
  | { readonly token: string; readonly code?: string }
  | { readonly email: string; readonly password: string; readonly tenantId?: string; readonly code?: string };

export const signInRequestSchema: z.ZodType<SignInRequest> = z.union([
  z.strictObject({ token: z.string().min(1).max(256), code: codeSchema.exactOptional() }),
  z.strictObject({
    email: z.string().min(1).max(254),
    password: z.string().min(1).max(passwordLimits.maxCharacters),
    /** Default: `main`, the first. */
    tenantId: z.string().max(64).exactOptional(),
    code: codeSchema.exactOptional(),
  }),
]);

/** What a sign-in page can offer. */
export interface SignInWays {
  readonly password: boolean;
  /** Send the browser to `/v1/session/oidc/{id}`. */
  readonly providers: readonly { readonly id: string; readonly name: string }[];
}

export const signInWaysSchema: z.ZodType<SignInWays> = z.object({
  password: z.boolean(),
  providers: z.array(z.object({ id: z.string(), name: z.string() })),
});

export interface ChangePasswordRequest {
  /** 10 to 256 characters. */
  readonly password: string;
  /** The one there is. May be left out where there is none, or where one signed in by a link; a wrong one is always refused. */
  readonly current?: string;
}

export const changePasswordRequestSchema: z.ZodType<ChangePasswordRequest> = z.strictObject({
  password: passwordSchema,
  current: z.string().min(1).max(passwordLimits.maxCharacters).exactOptional(),
});

/** For an authenticator, until it is confirmed by a code of it. */
export interface SecondFactorOffer {
  /** base32, to be typed. */
  readonly secret: string;
  /** `otpauth://…`, to be shown as a QR code. */
  readonly uri: string;
}

export const secondFactorOfferSchema: z.ZodType<SecondFactorOffer> = z.object({ secret: z.string(), uri: z.string() });

export interface CodeRequest {
  readonly code: string;
}

export const codeRequestSchema: z.ZodType<CodeRequest> = z.strictObject({ code: codeSchema });

/** Shown this once: only hashes are kept. Each is good for one sign-in without the authenticator. */
export interface RecoveryCodes {
  readonly recoveryCodes: readonly string[];
}

export const recoveryCodesSchema: z.ZodType<RecoveryCodes> = z.object({ recoveryCodes: z.array(z.string()) });

/** One sign-in of a person that has not ended. */
export interface SessionEntry {
  readonly id: string;
  /** The one that asks. */
  readonly current: boolean;
  readonly how: 'link' | 'password' | 'oidc';
  readonly createdAt: string;
  readonly expiresAt: string;
  /** Where it was begun. */
  readonly address?: string;
  readonly userAgent?: string;
}

export interface SessionEntryList {
  /** The newest first. */
  readonly sessions: readonly SessionEntry[];
}

export const sessionEntryListSchema: z.ZodType<SessionEntryList> = z.object({
  sessions: z.array(
    z.object({
      id: z.string(),
      current: z.boolean(),
      how: z.enum(['link', 'password', 'oidc']),
      createdAt: z.iso.datetime(),
      expiresAt: z.iso.datetime(),
      address: z.string().exactOptional(),
      userAgent: z.string().exactOptional(),
    }),
  ),
});

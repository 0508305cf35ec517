// Callers by tokens that an issuer made, in `Authorization: Bearer`. Spec: RFC 6750, RFC 7519.

import { decodeJwt, errors, type JWTPayload } from 'jose';
import type { Caller, RequestPlace } from './caller.ts';
import type { Issuer } from './issuers.ts';
import type { FindNamed } from './named-users.ts';

/** `undefined` for what is no token of an issuer whose tokens are taken. Throws `unauthenticated`, `provider-unavailable`. */
export type RecogniseToken = (token: string, place: RequestPlace) => Promise<Caller | undefined>;

interface BearerTokensOptions {
  readonly issuers: ReadonlyMap<string, Issuer>;
  readonly findNamed: FindNamed;
}

const maxTokenCharacters = 16 * 1024;

export function openBearerTokens({ issuers, findNamed }: BearerTokensOptions): RecogniseToken {
  const byName = new Map([...issuers.values()].map((issuer) => [issuer.settings.issuer, issuer]));
  return async (token, place) => {
    if (byName.size === 0 || token.length > maxTokenCharacters) return undefined;
    // Whose keys to check it with is the one thing that is read before it was checked.
    const issuer = byName.get(unchecked(token)?.iss ?? '');
    const audience = issuer?.settings.audience;
    if (issuer === undefined || audience === undefined) return undefined;
    const payload = await issuer.verify(token, audience);
    const identity = await findNamed(issuer, payload, place);
    return {
      account: identity,
      identity,
      by: 'token',
      principal: `token:${issuer.id}:${identity.userId}`,
      session: undefined,
      scopes: undefined,
      folderId: undefined,
      ...(payload.exp === undefined ? {} : { expiresAtMs: payload.exp * 1000 }),
    };
  };
}

function unchecked(token: string): JWTPayload | undefined {
  try {
    return decodeJwt(token);
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined;
    throw error;
  }
}

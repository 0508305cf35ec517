// Signing in at another place, and coming back.

import type { OidcSignIn } from '../../accounts/oidc-sign-in.ts';
import type { FilesLimits } from '../../limits.ts';
import type { HandlersOf } from '../handler.ts';

export interface OidcHandlersOptions {
  readonly oidc: OidcSignIn;
  readonly limits: FilesLimits;
}

export function oidcHandlers({ oidc, limits }: OidcHandlersOptions): HandlersOf<'oidc'> {
  return {
    beginOidcSignIn: async ({ params }) => {
      const { location, cookie } = await oidc.begin(params.provider ?? '');
      return { body: undefined, headers: { location, 'set-cookie': cookie } };
    },
    finishOidcSignIn: async ({ params, query, cookie, place }) => {
      const provider = params.provider ?? '';
      const remembered = cookie(oidc.cookieName(provider));
      const { sessionToken } = await oidc.finish(provider, { ...query, remembered }, place);
      return {
        body: undefined,
        headers: { location: '/', 'set-cookie': oidc.clearCookie(provider) },
        session: { token: sessionToken, lifeMs: limits.sessionLifeMs },
      };
    },
  };
}

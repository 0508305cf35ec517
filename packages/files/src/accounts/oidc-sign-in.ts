// People sign in at an issuer and come back: the authorization code flow of OpenID Connect, with PKCE, state and nonce. What must
// be remembered meanwhile is in a sealed cookie of the browser that began, so that no other browser can end it.
// Spec: OpenID Connect Core 1.0 §3.1, RFC 7636, RFC 9207, RFC 9700.

import { createHash, timingSafeEqual } from 'node:crypto';
import { FilesError, isFilesError } from '../files-error.ts';
import { openSealedText } from '../sealed-text.ts';
import type { RequestPlace } from './caller.ts';
import { askIssuer, type Issuer, unavailable } from './issuers.ts';
import type { FindNamed } from './named-users.ts';
import { newToken } from './secret-token.ts';
import type { SignedIn, SignIn } from './sign-in.ts';

export interface OidcSignIn {
  /** Where people can sign in. */
  readonly providers: readonly { readonly id: string; readonly name: string }[];
  /** Where to send the browser, and what to have it remember. Throws `not-found`, `provider-unavailable`. */
  begin(provider: string): Promise<{ readonly location: string; readonly cookie: string }>;
  /** Throws `not-found`, `sign-in-failed`, `provider-unavailable`. */
  finish(provider: string, answer: OidcAnswer, place: RequestPlace): Promise<SignedIn>;
  /** What the cookie is called. */
  cookieName(provider: string): string;
  /** Takes it away. */
  clearCookie(provider: string): string;
}

interface OidcAnswer {
  readonly code?: string;
  readonly state?: string;
  readonly error?: string;
  readonly iss?: string;
  /** The cookie, as it came back. */
  readonly remembered: string | undefined;
}

interface OidcSignInOptions {
  readonly issuers: ReadonlyMap<string, Issuer>;
  readonly findNamed: FindNamed;
  readonly signIn: Pick<SignIn, 'asIdentity'>;
  readonly secret: Uint8Array;
  readonly clock: () => number;
  readonly random: (sizeBytes: number) => Uint8Array;
  readonly fetch: typeof globalThis.fetch;
  /** Under which people reach the service, without a slash at the end. */
  readonly origin: string;
}

interface Remembered {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly untilMs: number;
}

/** How long signing in at the issuer may take. */
const lifeMs = 10 * 60_000;
const path = '/v1/session/oidc/';

export function openOidcSignIn(options: OidcSignInOptions): OidcSignIn {
  const { issuers, findNamed, signIn, secret, clock, random, fetch, origin } = options;
  const sealed = openSealedText({ secret, purpose: 'stowage oidc sign-in v1', random });
  const withSignIn = [...issuers.values()].filter(({ settings }) => settings.signIn !== undefined);
  if (withSignIn.length > 0 && origin === '') {
    throw new RangeError('Signing in at an issuer needs publicUrl: the issuer sends people back to it.');
  }

  function find(provider: string): { readonly issuer: Issuer; readonly client: Client } {
    const issuer = issuers.get(provider);
    const client = issuer?.settings.signIn;
    if (issuer === undefined || client === undefined) {
      throw new FilesError('not-found', { detail: `There is no place ${provider} to sign in at.` });
    }
    return { issuer, client };
  }

  const redirectUri = (provider: string): string => `${origin}${path}${provider}/callback`;
  const cookieName = (provider: string): string => `stowage_oidc_${provider}`;
  const cookie = (provider: string, value: string, seconds: number): string => {
    const secure = new URL(origin).protocol === 'https:' ? '; Secure' : '';
    return `${cookieName(provider)}=${value}; Path=${path}; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`;
  };

  /** What was sealed by `begin`, if it was in this browser and not too long ago. */
  function recall(provider: string, value: string | undefined): Remembered | undefined {
    const text = value === undefined ? undefined : sealed.open(value, provider);
    if (text === undefined) return undefined;
    // Sealed by `begin` alone.
    const remembered = JSON.parse(text) as Remembered;
    return remembered.untilMs > clock() ? remembered : undefined;
  }

  /** Trades the code for what the issuer says about the person. */
  async function redeem(issuer: Issuer, client: Client, { code, verifier }: { code: string; verifier: string }) {
    const { tokenEndpoint } = await issuer.discover();
    if (tokenEndpoint === undefined) throw unavailable(issuer.settings.issuer, 'it has no place for codes');
    const form = new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri(issuer.id),
      code_verifier: verifier,
      client_id: client.clientId,
    });
    const headers = new Headers({ accept: 'application/json' });
    if (client.clientSecret !== undefined) headers.set('authorization', basic(client.clientId, client.clientSecret));
    const about = { issuer: issuer.settings.issuer, fetch };
    const { status, body } = await askIssuer(tokenEndpoint, { method: 'POST', headers, body: form }, about);
    if (status !== 200 || typeof body.id_token !== 'string') throw failed('the code was not taken');
    try {
      return await issuer.verify(body.id_token, client.clientId);
    } catch (error) {
      if (isFilesError(error) && error.code === 'unauthenticated')
        throw failed('its answer is not one to trust', error);
      throw error;
    }
  }

  return {
    providers: withSignIn.map(({ id, settings }) => ({ id, name: settings.signIn?.name ?? id })),
    cookieName,
    clearCookie: (provider) => cookie(provider, '', 0),

    begin: async (provider) => {
      const { issuer, client } = find(provider);
      const { authorizationEndpoint } = await issuer.discover();
      if (authorizationEndpoint === undefined) throw unavailable(issuer.settings.issuer, 'one cannot sign in there');
      const remembered: Remembered = {
        state: newToken(random),
        nonce: newToken(random),
        verifier: newToken(random),
        untilMs: clock() + lifeMs,
      };
      const location = new URL(authorizationEndpoint);
      const parameters = {
        response_type: 'code',
        client_id: client.clientId,
        redirect_uri: redirectUri(provider),
        scope: client.scope ?? 'openid profile email',
        state: remembered.state,
        nonce: remembered.nonce,
        code_challenge: createHash('sha256').update(remembered.verifier).digest('base64url'),
        code_challenge_method: 'S256',
      };
      for (const [name, value] of Object.entries(parameters)) location.searchParams.set(name, value);
      const value = sealed.seal(JSON.stringify(remembered), provider);
      return { location: location.href, cookie: cookie(provider, value, lifeMs / 1000) };
    },

    finish: async (provider, { code, state, error, iss, remembered: value }, place) => {
      const { issuer, client } = find(provider);
      const remembered = recall(provider, value);
      if (remembered === undefined || !isSame(state ?? '', remembered.state)) {
        throw failed('it was not begun in this browser, or too long ago');
      }
      if (iss !== undefined && iss !== issuer.settings.issuer) throw failed('another issuer answered');
      if (error !== undefined || code === undefined) throw failed(`the issuer says ${wordOf(error)}`);
      const payload = await redeem(issuer, client, { code, verifier: remembered.verifier });
      if (typeof payload.nonce !== 'string' || !isSame(payload.nonce, remembered.nonce)) {
        throw failed('its answer belongs to another sign-in');
      }
      // Core §3.1.3.7: with several audiences, the one it was made for must be this client.
      if (payload.azp !== undefined && payload.azp !== client.clientId)
        throw failed('its answer is for another client');
      return signIn.asIdentity(await findNamed(issuer, payload, place), place);
    },
  };
}

type Client = NonNullable<Issuer['settings']['signIn']>;

function failed(why: string, cause?: unknown): FilesError {
  return new FilesError('sign-in-failed', { detail: `Signing in did not work: ${why}. Begin again.`, cause });
}

/** RFC 6749 §2.3.1: both are form-encoded first. */
function basic(clientId: string, clientSecret: string): string {
  const encoded = [clientId, clientSecret].map((text) => encodeURIComponent(text)).join(':');
  return `Basic ${Buffer.from(encoded).toString('base64')}`;
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** An error code of the protocol; anything else is not repeated. */
function wordOf(error: string | undefined): string {
  return error !== undefined && /^[a-z_]{1,64}$/.test(error) ? error : 'no';
}

// Issuers of tokens that the service trusts: where their keys are, what a token must say, and whom it names here.
// Spec: RFC 7519, RFC 8725, OpenID Connect Discovery 1.0. Only signatures with public keys: a shared secret would let every
// service that checks tokens make them too.

import type { TenantRole } from '@stowage/contract';
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import { FilesError } from '../files-error.ts';

export interface IssuerSettings {
  /** As tokens name it in `iss`. */
  readonly issuer: string;
  /** What tokens must be made for (`aud`) to be taken as `Authorization: Bearer`. Default: none are. */
  readonly audience?: string;
  /** Its keys. Default: at `jwksUrl`. */
  readonly jwks?: JSONWebKeySet;
  /** Default: found by discovery, below the issuer's address. */
  readonly jwksUrl?: string;
  /** Of signatures. Default RS256, PS256, ES256, EdDSA. */
  readonly algorithms?: readonly string[];
  /** By how much clocks may differ. Default 30. */
  readonly clockSkewSeconds?: number;
  /** The tenant that all its users belong to. Default `main`. */
  readonly tenantId?: string;
  /** Tenants that its tokens may name, where `claims.tenant` is given. Default: any there is. */
  readonly tenants?: readonly string[];
  /** Where tokens say what. */
  readonly claims?: {
    /** Default: none, all are of `tenantId`. */
    readonly tenant?: string;
    /** What tells users apart, for good. Default `sub`. */
    readonly user?: string;
    /** Default `name`. */
    readonly name?: string;
    /** Default `email`. */
    readonly email?: string;
    /** Default: none, roles are given here. */
    readonly role?: string;
  };
  /** What the values of `claims.role` mean; of several, the first that is known counts. Others mean nothing. */
  readonly roles?: Readonly<Record<string, TenantRole>>;
  /** The role of who is seen for the first time. Default: nobody is let in who was not made before. */
  readonly newUserRole?: TenantRole;
  /** People may sign in there, by authorization code with PKCE. Default: they may not. */
  readonly signIn?: {
    /** As the sign-in page calls it. */
    readonly name: string;
    readonly clientId: string;
    /** Default: a public client. */
    readonly clientSecret?: string;
    /** Default `openid profile email`. */
    readonly scope?: string;
  };
}

/** By a name that stands in addresses: letters, digits and hyphens. */
export type IssuerTable = Readonly<Record<string, IssuerSettings>>;

export interface Issuer {
  readonly id: string;
  readonly settings: IssuerSettings;
  /** What a token says that this issuer signed for the audience. Throws `unauthenticated`, `provider-unavailable`. */
  verify(token: string, audience: string): Promise<JWTPayload>;
  /** The issuer's description of itself. Throws `provider-unavailable`. */
  discover(): Promise<Discovered>;
}

interface Discovered {
  readonly authorizationEndpoint: string | undefined;
  readonly tokenEndpoint: string | undefined;
  readonly jwksUrl: string | undefined;
}

interface IssuersOptions {
  readonly issuers: IssuerTable;
  readonly clock: () => number;
  readonly fetch: typeof globalThis.fetch;
  /** Under which people reach the service; empty when that is not known. */
  readonly origin: string;
}

const defaultAlgorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const;
const knownAlgorithms = /^(RS|PS|ES)(256|384|512)$|^(EdDSA|Ed25519)$/;
const defaultClockSkewSeconds = 30;
const fetchTimeoutMs = 5_000;
const maxAnswerCharacters = 256 * 1024;
/** How long a discovery is believed. */
const discoveryLifeMs = 60 * 60_000;

/** Throws a `RangeError` that names what is wrong in the settings. */
export function openIssuers({ issuers, clock, fetch, origin }: IssuersOptions): ReadonlyMap<string, Issuer> {
  return new Map(
    Object.entries(issuers).map(([id, settings]) => {
      requireSettings(id, settings);
      if (settings.signIn !== undefined && origin === '') {
        throw new RangeError(`Signing in at ${id} needs publicUrl: people are sent back to it from there.`);
      }
      return [id, openIssuer({ id, settings, clock, fetch })];
    }),
  );
}

function openIssuer({
  id,
  settings,
  clock,
  fetch,
}: Pick<IssuersOptions, 'clock' | 'fetch'> & Pick<Issuer, 'id' | 'settings'>): Issuer {
  const { issuer, jwks, algorithms = defaultAlgorithms, clockSkewSeconds = defaultClockSkewSeconds } = settings;
  let discovered: { readonly found: Promise<Discovered>; readonly atMs: number } | undefined;
  let keys: { readonly url: string; readonly get: JWTVerifyGetKey } | undefined;
  const local = jwks === undefined ? undefined : createLocalJWKSet(jwks);

  function discover(): Promise<Discovered> {
    if (discovered === undefined || clock() - discovered.atMs > discoveryLifeMs) {
      const found = readDiscovery(issuer, fetch);
      // What failed is asked again by the next.
      found.catch(() => {
        discovered = undefined;
      });
      discovered = { found, atMs: clock() };
    }
    return discovered.found;
  }

  async function keySet(): Promise<JWTVerifyGetKey> {
    if (local !== undefined) return local;
    const url = settings.jwksUrl ?? (await discover()).jwksUrl;
    if (url === undefined) throw unavailable(issuer, 'it names no keys');
    if (keys?.url !== url) {
      const get = createRemoteJWKSet(new URL(url), { [customFetch]: fetch, timeoutDuration: fetchTimeoutMs });
      keys = { url, get };
    }
    return keys.get;
  }

  return {
    id,
    settings,
    discover,
    verify: async (token, audience) => {
      try {
        const { payload } = await jwtVerify(token, await keySet(), {
          issuer,
          audience,
          algorithms: [...algorithms],
          clockTolerance: clockSkewSeconds,
          currentDate: new Date(clock()),
          requiredClaims: ['sub', 'exp'],
        });
        return payload;
      } catch (error) {
        throw refusal(error, issuer);
      }
    },
  };
}

/** Asks an issuer something, with limits on time and size. Throws `provider-unavailable`. */
export async function askIssuer(
  url: string,
  init: RequestInit,
  { issuer, fetch }: { readonly issuer: string; readonly fetch: typeof globalThis.fetch },
): Promise<{ readonly status: number; readonly body: Readonly<Record<string, unknown>> }> {
  try {
    const response = await fetch(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(fetchTimeoutMs) });
    const text = await response.text();
    if (text.length > maxAnswerCharacters) throw new Error(`The answer has ${text.length} characters.`);
    const body: unknown = JSON.parse(text);
    if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new Error('The answer is no object.');
    return { status: response.status, body: body as Record<string, unknown> };
  } catch (cause) {
    throw unavailable(issuer, 'it does not answer as it should', cause);
  }
}

async function readDiscovery(issuer: string, fetch: typeof globalThis.fetch): Promise<Discovered> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const { body } = await askIssuer(url, { headers: { accept: 'application/json' } }, { issuer, fetch });
  // Discovery 1.0 §4.3: the document must name the issuer that was asked for.
  if (body.issuer !== issuer) throw unavailable(issuer, 'it calls itself by another name');
  const named = (field: string): string | undefined => {
    const value = body[field];
    if (typeof value !== 'string' || !URL.canParse(value)) return undefined;
    // Keys or codes that travel in the open are anybody's: Core 1.0 §3.1.2 and §3.1.3 ask for TLS.
    if (!isPrivateWay(value)) throw unavailable(issuer, `its ${field} is ${value}, which is not an https address`);
    return value;
  };
  return {
    authorizationEndpoint: named('authorization_endpoint'),
    tokenEndpoint: named('token_endpoint'),
    jwksUrl: named('jwks_uri'),
  };
}

/** Whether nobody between here and there can read or change what is said. */
function isPrivateWay(url: string): boolean {
  const { protocol, hostname } = URL.canParse(url) ? new URL(url) : { protocol: '', hostname: '' };
  if (protocol === 'https:') return true;
  return protocol === 'http:' && /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
}

/** What was wrong with the token is told; a set of keys that cannot be had is no fault of the token. */
function refusal(error: unknown, issuer: string): unknown {
  if (error instanceof errors.JWKSTimeout || error instanceof TypeError) return unavailable(issuer, 'its keys', error);
  if (error instanceof errors.JOSEError) {
    return new FilesError('unauthenticated', {
      detail: `The token is not a good one: ${error.message}.`,
      cause: error,
    });
  }
  return error;
}

export function unavailable(issuer: string, what: string, cause?: unknown): FilesError {
  return new FilesError('provider-unavailable', { detail: `${issuer}: ${what}. Try again later.`, cause });
}

function requireSettings(id: string, { issuer, algorithms = [], jwksUrl }: IssuerSettings): void {
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(id))
    throw new RangeError(`The issuer’s name ${JSON.stringify(id)} must be letters, digits and hyphens.`);
  for (const url of [issuer, jwksUrl ?? issuer]) {
    if (isPrivateWay(url)) continue;
    throw new RangeError(
      `${url}, of the issuer ${id}, must be an https address. Plain http is taken on this machine alone.`,
    );
  }
  const wrong = algorithms.find((algorithm) => !knownAlgorithms.test(algorithm));
  if (wrong !== undefined)
    throw new RangeError(`The issuer ${id} names the algorithm ${wrong}, which is not one of public keys.`);
}

// A small OpenID Connect issuer for tests: discovery, keys, an authorization endpoint that lets whoever it was told in at once,
// and a token endpoint that holds the client to PKCE. On a free port of loopback.
//   const issuer = await startOidcIssuer(t, { clock });
//   const token = await issuer.sign({ sub: 'ada' }, { audience: 'files' });

import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { type Lifetime, listen } from './listen.ts';

interface OidcIssuerOptions {
  readonly clock: () => number;
  readonly clientId?: string;
  /** Absent: a public client. */
  readonly clientSecret?: string;
}

interface SignOptions {
  readonly audience: string;
  /** Default: now. */
  readonly issuedAtMs?: number;
  readonly lifeSeconds?: number;
  /** Default: this one. */
  readonly issuer?: string;
}

/** What was asked at the authorization endpoint, kept until the code is redeemed. */
interface Granted {
  readonly challenge: string;
  readonly redirectUri: string;
  readonly nonce: string;
}

export class OidcIssuer {
  readonly url: string;
  /** Claims of whoever signs in next. */
  person: JWTPayload = { sub: 'ada', name: 'Ada', email: 'ada@example.com' };
  /** Puts its own in place of what would be true, to play an issuer that errs. */
  spoil: { readonly nonce?: string; readonly audience?: string; readonly document?: object } = {};
  readonly #sign: (payload: JWTPayload, options: SignOptions) => Promise<string>;

  constructor(url: string, sign: OidcIssuer['sign']) {
    this.url = url;
    this.#sign = sign;
  }

  /** A token of this issuer. */
  sign(payload: JWTPayload, options: SignOptions): Promise<string> {
    return this.#sign(payload, options);
  }
}

export async function startOidcIssuer(t: Lifetime, options: OidcIssuerOptions): Promise<OidcIssuer> {
  const { clock, clientId = 'stowage', clientSecret } = options;
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' };
  const codes = new Map<string, Granted>();

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.statusCode = 500;
      response.end(String(error));
    });
  });
  const url = await listen(t, server);

  const issuer = new OidcIssuer(
    url,
    (payload, { audience, issuedAtMs = clock(), lifeSeconds = 300, issuer: name = url }) =>
      new SignJWT(payload)
        .setProtectedHeader({ alg: 'ES256', kid: 'one' })
        .setIssuer(name)
        .setAudience(audience)
        .setIssuedAt(Math.floor(issuedAtMs / 1000))
        .setExpirationTime(Math.floor(issuedAtMs / 1000) + lifeSeconds)
        .sign(privateKey),
  );

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = new URL(request.url ?? '/', url);
    switch (asked.pathname) {
      case '/.well-known/openid-configuration':
        return json(response, 200, {
          issuer: url,
          authorization_endpoint: `${url}/authorize`,
          token_endpoint: `${url}/token`,
          jwks_uri: `${url}/keys`,
          ...issuer.spoil.document,
        });
      case '/keys':
        return json(response, 200, { keys: [jwk] });
      case '/authorize':
        return authorize(asked.searchParams, response);
      case '/token':
        return redeem(request, response);
      default:
        return json(response, 404, {});
    }
  }

  function authorize(query: URLSearchParams, response: ServerResponse): void {
    assert.equal(query.get('response_type'), 'code');
    assert.equal(query.get('client_id'), clientId);
    assert.equal(query.get('code_challenge_method'), 'S256');
    const redirectUri = query.get('redirect_uri') ?? '';
    const code = randomUUID();
    codes.set(code, { challenge: query.get('code_challenge') ?? '', redirectUri, nonce: query.get('nonce') ?? '' });
    const back = new URL(redirectUri);
    back.searchParams.set('code', code);
    back.searchParams.set('state', query.get('state') ?? '');
    back.searchParams.set('iss', url);
    response.writeHead(302, { location: back.href }).end();
  }

  async function redeem(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const form = new URLSearchParams(text);
    const code = form.get('code') ?? '';
    const granted = codes.get(code);
    codes.delete(code);
    // RFC 6749 §2.3.1: both halves come form-encoded.
    const [, basic] = /^Basic (.+)$/.exec(request.headers.authorization ?? '') ?? [];
    const [id, secret] = Buffer.from(basic ?? '', 'base64')
      .toString()
      .split(':')
      .map(decodeURIComponent);
    const verifier = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    const right =
      granted !== undefined &&
      verifier === granted.challenge &&
      form.get('redirect_uri') === granted.redirectUri &&
      (clientSecret === undefined ? basic === undefined : id === clientId && secret === clientSecret);
    if (!right) return json(response, 400, { error: 'invalid_grant' });
    const { nonce = granted.nonce, audience = clientId } = issuer.spoil;
    json(response, 200, {
      token_type: 'Bearer',
      access_token: 'opaque',
      id_token: await issuer.sign({ ...issuer.person, nonce }, { audience }),
    });
  }

  return issuer;
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

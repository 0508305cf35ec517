// Addresses for the load, signed ahead of time and kept: the load shall not be limited by signing.

import { presignUrl, SigningKeys } from '@stowage/s3';
import type { PeerServer } from '../servers/peer-server.ts';

const expiresSeconds = 6 * 3600;
/** Requests that need no signature are as long as those that carry one. */
const unsignedQuery = `X-Unsigned=${'0'.repeat(290)}`;

export class SignedTargets {
  readonly #server: PeerServer;
  readonly #signingKeys = new SigningKeys();
  readonly #known = new Map<string, string>();
  readonly #nowMs = Date.now();

  constructor(server: PeerServer) {
    this.#server = server;
  }

  /** Path and query for a request to `/bucket/key`; the key is plain ASCII. */
  target(method: string, path: string, query: Readonly<Record<string, string>> = {}): string {
    const parameters = Object.entries(query);
    const name = `${method} ${path}?${parameters.join('&')}`;
    let target = this.#known.get(name);
    if (target === undefined) {
      target = this.#sign(method, path, parameters);
      this.#known.set(name, target);
    }
    return target;
  }

  #sign(method: string, path: string, query: readonly [string, string][]): string {
    const { endpoint, credentials } = this.#server;
    if (credentials === undefined) {
      const parameters = new URLSearchParams([...query]).toString();
      return `${path}?${parameters === '' ? '' : `${parameters}&`}${unsignedQuery}`;
    }
    const signing = { method, endpoint, path, query, credentials, region: 'us-east-1', expiresSeconds };
    return presignUrl({ ...signing, nowMs: this.#nowMs, signingKeys: this.#signingKeys }).slice(endpoint.length);
  }
}

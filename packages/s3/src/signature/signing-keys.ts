// Signing keys, derived once per secret, day, region and service, and kept ready to sign: deriving costs four HMACs.
// Spec: "Create a signed AWS API request", step 4. The cache is bounded; the longest unused key goes first.

import { createHmac } from 'node:crypto';
import type { CredentialScope } from './authentication.ts';
import { SigningKey } from './signing-key.ts';

/** How many keys are kept unless told otherwise: some 500 bytes each. */
const defaultCapacity = 1_000;

/** A bounded cache of signing keys. Make one per server or client and pass it to every call. */
export class SigningKeys {
  readonly #capacity: number;
  // A Map remembers insertion order: the first entry is the one that was used longest ago.
  readonly #entries = new Map<string, Entry>();
  /** The entry used last, which is also the last of the map: most requests are signed as the one before. */
  #latest: Entry | undefined;

  /** `capacity`: how many keys are kept, at least 1; default 1,000. */
  constructor(capacity: number = defaultCapacity) {
    this.#capacity = Math.max(1, capacity);
  }

  /** The signing key of a secret for a scope. A secret that changed for the same access key gives its own key at once. */
  get(accessKeyId: string, secretAccessKey: string, scope: CredentialScope): SigningKey {
    const latest = this.#latest;
    if (
      latest !== undefined &&
      latest.scope === scope.text &&
      latest.accessKeyId === accessKeyId &&
      latest.secretAccessKey === secretAccessKey
    ) {
      return latest.key;
    }
    // The scope's length is fixed by its own syntax and no part of it holds a slash, so no two pairs share a name.
    const name = `${scope.text}/${accessKeyId}`;
    const entry = this.#entries.get(name);
    if (entry !== undefined) this.#entries.delete(name);
    if (entry !== undefined && entry.secretAccessKey === secretAccessKey) {
      this.#entries.set(name, entry);
      this.#latest = entry;
      return entry.key;
    }
    const added: Entry = {
      accessKeyId,
      secretAccessKey,
      scope: scope.text,
      key: deriveSigningKey(secretAccessKey, scope),
    };
    if (this.#entries.size >= this.#capacity) {
      const oldest = this.#entries.keys().next();
      if (oldest.done !== true) this.#entries.delete(oldest.value);
    }
    this.#entries.set(name, added);
    this.#latest = added;
    return added.key;
  }

  /** How many keys are held. */
  get size(): number {
    return this.#entries.size;
  }
}

interface Entry {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** The text of the credential scope. */
  readonly scope: string;
  readonly key: SigningKey;
}

function deriveSigningKey(secretAccessKey: string, scope: CredentialScope): SigningKey {
  const dateKey = hmac(`AWS4${secretAccessKey}`, scope.date);
  const regionKey = hmac(dateKey, scope.region);
  const serviceKey = hmac(regionKey, scope.service);
  return new SigningKey(hmac(serviceKey, 'aws4_request'));
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest();
}

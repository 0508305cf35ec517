// Computes one digest over a body in one pass, with the fastest means at hand for each algorithm (bench/checksums.ts):
// node:crypto for MD5 and SHA, @node-rs/crc32 for CRC32 and CRC32C, hash-wasm for CRC64NVME and the XXHASH family.
// A CRC is its register in big-endian bytes, as S3 sends it. XXHASH values are in their canonical (big-endian) form.

import { createHash, hash } from 'node:crypto';
import { crc32c as advanceCrc32c, crc32 } from '@node-rs/crc32';
import { createCRC64, createXXHash3, createXXHash64, createXXHash128, type IHasher } from 'hash-wasm';
import type { DigestAlgorithm } from './checksum-algorithms.ts';

/** A digest in the making. Not used again after `digest()`. */
export interface Digest {
  /** Takes the next bytes; the chunk is not kept. */
  update(chunk: Uint8Array): void;
  /** The raw value, of the length the table names. Ends the digest. */
  digest(): Uint8Array;
}

/** Begins a digest. Costs about a microsecond: small objects pay it too. */
export function createDigest(algorithm: DigestAlgorithm): Digest {
  switch (algorithm) {
    case 'CRC32':
      return new Crc32Digest(crc32);
    case 'CRC32C':
      return new Crc32Digest(advanceCrc32c);
    case 'MD5':
      return createHash('md5');
    case 'SHA1':
      return createHash('sha1');
    case 'SHA256':
      return createHash('sha256');
    case 'SHA512':
      return createHash('sha512');
    default:
      return new SharedDigest(sharedHashers[algorithm]);
  }
}

/** The digest of bytes that are all at hand: for small ones a third cheaper than a digest in the making. */
export function digestOf(algorithm: DigestAlgorithm, bytes: Uint8Array): Uint8Array {
  const name = nodeNames[algorithm];
  if (name !== undefined) return hash(name, bytes, 'buffer');
  const digest = createDigest(algorithm);
  digest.update(bytes);
  return digest.digest();
}

/** What node:crypto calls the algorithms that it computes. */
const nodeNames: Readonly<Partial<Record<DigestAlgorithm, string>>> = {
  MD5: 'md5',
  SHA1: 'sha1',
  SHA256: 'sha256',
  SHA512: 'sha512',
};

/** CRC32C (Castagnoli) of some bytes, or of those after others whose CRC is `register`. */
export function crc32c(bytes: Uint8Array, register = 0): number {
  return advanceCrc32c(bytes, register) >>> 0;
}

class Crc32Digest implements Digest {
  #register = 0;
  readonly #advance: (chunk: Uint8Array, register: number) => number;

  constructor(advance: (chunk: Uint8Array, register: number) => number) {
    this.#advance = advance;
  }

  update(chunk: Uint8Array): void {
    this.#register = this.#advance(chunk, this.#register);
  }

  digest(): Uint8Array {
    const value = Buffer.allocUnsafe(4);
    value.writeUInt32BE(this.#register >>> 0);
    return value;
  }
}

/** One WASM instance per algorithm, lent to one digest at a time. */
interface SharedHasher {
  readonly hasher: IHasher;
  /** The digest whose state is in the instance now. */
  tenant: SharedDigest | undefined;
}

/**
 * Making a WASM instance is asynchronous and costs a megabyte, so all digests of an algorithm share one. A digest that
 * comes while another's state is inside puts that state aside first: nothing at all for one chunk, a copy of the state
 * for bodies that arrive interleaved.
 */
class SharedDigest implements Digest {
  readonly #shared: SharedHasher;
  #state: Uint8Array | undefined;

  constructor(shared: SharedHasher) {
    this.#shared = shared;
  }

  update(chunk: Uint8Array): void {
    this.#enter();
    this.#shared.hasher.update(chunk);
  }

  digest(): Uint8Array {
    this.#enter();
    this.#shared.tenant = undefined;
    return this.#shared.hasher.digest('binary');
  }

  #enter(): void {
    const { hasher, tenant } = this.#shared;
    if (tenant === this) return;
    if (tenant !== undefined) tenant.#state = hasher.save();
    if (this.#state === undefined) hasher.init();
    else hasher.load(this.#state);
    this.#state = undefined;
    this.#shared.tenant = this;
  }
}

// Compiling all four takes some 4 ms, once, at import: after it every digest can be made without waiting.
const [crc64, xxhash64, xxhash3, xxhash128] = await Promise.all([
  createCRC64('9a6c9329ac4bc9b5'), // The polynomial of NVMe (NVM Command Set specification, 5.2.1.3.4), reflected.
  createXXHash64(),
  createXXHash3(),
  createXXHash128(),
]);

const sharedHashers: Readonly<Record<'CRC64NVME' | 'XXHASH64' | 'XXHASH3' | 'XXHASH128', SharedHasher>> = {
  CRC64NVME: { hasher: crc64, tenant: undefined },
  XXHASH64: { hasher: xxhash64, tenant: undefined },
  XXHASH3: { hasher: xxhash3, tenant: undefined },
  XXHASH128: { hasher: xxhash128, tenant: undefined },
};

// Claim: every checksum of S3 is computed with the fastest means the platform has, and beginning one costs a small object
// well under 5 µs. Run: node bench/checksums.ts
// Each of ours is timed beside alternatives, in turns, so that a busy machine slows all alike; medians are printed.

import { crc32 } from 'node:zlib';
import {
  type ChecksumAlgorithm,
  checksumAlgorithmNames,
  createDigest,
  isCrcAlgorithm,
  multipartChecksum,
} from '@stowage/s3';
import { createMD5, createSHA256 } from 'hash-wasm';

const rounds = 7;
const roundMs = 60;
const chunk = Buffer.alloc(256 * 1024, 'stowage');
const small = Buffer.alloc(4096, 'stowage');

type Contender = readonly [name: string, run: () => void];

const md5 = await createMD5();
const sha256 = await createSHA256();

const alternatives: Readonly<Partial<Record<ChecksumAlgorithm, readonly Contender[]>>> = {
  CRC32: [['node:zlib', () => void crc32(chunk)]],
  CRC32C: [['JavaScript, slicing by 8', slicingBy8(0x82f63b78)]],
  CRC64NVME: [['JavaScript, one table', tableCrc64()]],
  MD5: [['hash-wasm', () => md5.init().update(chunk).digest('binary')]],
  SHA256: [['hash-wasm', () => sha256.init().update(chunk).digest('binary')]],
};

console.log('algorithm    MiB/s of 256 KiB chunks   interleaved   begin µs   4 KiB whole µs   alternatives MiB/s');
for (const algorithm of checksumAlgorithmNames) {
  const others = alternatives[algorithm] ?? [];
  const pair = [createDigest(algorithm), createDigest(algorithm)] as const;
  const contenders: readonly Contender[] = [
    ['whole', () => hashOnce(algorithm, chunk)],
    ['interleaved', () => pair.forEach((digest) => void digest.update(chunk))],
    ['begin', () => void createDigest(algorithm)],
    ['small', () => hashOnce(algorithm, small)],
    ...others,
  ];
  const [whole = 0, interleaved = 0, begin = 0, smallNs = 0, ...rest] = medians(contenders);
  const mebibytes = chunk.length / 2 ** 20;
  const rate = (ns: number): string => (mebibytes / (ns / 1e9)).toFixed(0);
  const beside = others.map(([name], index) => `${name} ${rate(rest[index] ?? 0)}`).join(', ');
  console.log(
    `${algorithm.padEnd(12)} ${rate(whole).padStart(24)} ${rate(interleaved / 2).padStart(13)} ` +
      `${(begin / 1000).toFixed(2).padStart(10)} ${(smallNs / 1000).toFixed(2).padStart(16)}   ${beside}`,
  );
}

console.log('\nfull-object checksum of 10,000 parts, ms');
for (const algorithm of checksumAlgorithmNames.filter(isCrcAlgorithm)) {
  const checksum = createDigest(algorithm).digest();
  const parts = Array.from({ length: 10_000 }, () => ({ checksum, sizeBytes: 8 * 2 ** 20 }));
  const [ns = 0] = medians([['combine', () => void multipartChecksum(algorithm, 'FULL_OBJECT', parts)]]);
  console.log(`${algorithm.padEnd(12)} ${(ns / 1e6).toFixed(1)}`);
}
const [bigIntNs = 0] = medians([['BigInt', bigIntMultiplications(10_000)]]);
console.log(`with BigInt  ${(bigIntNs / 1e6).toFixed(1)}`);

function hashOnce(algorithm: ChecksumAlgorithm, bytes: Uint8Array): void {
  const digest = createDigest(algorithm);
  digest.update(bytes);
  digest.digest();
}

/** Nanoseconds a call of each, the median of interleaved rounds. */
function medians(contenders: readonly Contender[]): number[] {
  const samples: number[][] = contenders.map(() => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, [, run]] of contenders.entries()) {
      const startedAt = performance.now();
      let calls = 0;
      let elapsedMs = 0;
      while (elapsedMs < roundMs) {
        for (let repeat = 0; repeat < 8; repeat += 1) run();
        calls += 8;
        elapsedMs = performance.now() - startedAt;
      }
      samples[index]?.push((elapsedMs * 1e6) / calls);
    }
  }
  return samples.map((values) => values.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0);
}

function slicingBy8(polynomial: number): () => void {
  const tables = Array.from({ length: 8 }, () => new Int32Array(256));
  for (let byte = 0; byte < 256; byte += 1) {
    let register = byte;
    for (const table of tables) {
      for (let bit = 0; bit < 8; bit += 1) register = register & 1 ? (register >>> 1) ^ polynomial : register >>> 1;
      table[byte] = register;
    }
  }
  const at = (table: number, index: number): number => tables[table]?.[index & 255] ?? 0;
  return () => {
    let register = -1;
    for (let index = 0; index < chunk.length; index += 8) {
      const low = chunk.readInt32LE(index) ^ register;
      const high = chunk.readInt32LE(index + 4);
      register =
        at(7, low) ^
        at(6, low >>> 8) ^
        at(5, low >>> 16) ^
        at(4, low >>> 24) ^
        at(3, high) ^
        at(2, high >>> 8) ^
        at(1, high >>> 16) ^
        at(0, high >>> 24);
    }
    return register;
  };
}

function tableCrc64(): () => void {
  const lows = new Int32Array(256);
  const highs = new Int32Array(256);
  for (let byte = 0; byte < 256; byte += 1) {
    let register = BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) {
      register = register & 1n ? (register >> 1n) ^ 0x9a6c9329ac4bc9b5n : register >> 1n;
    }
    lows[byte] = Number(register & 0xffffffffn) | 0;
    highs[byte] = Number(register >> 32n) | 0;
  }
  return () => {
    let low = -1;
    let high = -1;
    for (const byte of chunk) {
      const index = (low ^ byte) & 255;
      low = ((low >>> 8) | (high << 24)) ^ (lows[index] ?? 0);
      high = (high >>> 8) ^ (highs[index] ?? 0);
    }
    return [low, high];
  };
}

/** The work that combine-crc.ts does for CRC64NVME, on BigInt. */
function bigIntMultiplications(count: number): () => void {
  const multiply = (a: bigint, b: bigint): bigint => {
    let product = 0n;
    let term = b;
    for (let mask = 1n << 63n; mask > 0n; mask >>= 1n) {
      if (a & mask) product ^= term;
      term = term & 1n ? (term >> 1n) ^ 0x9a6c9329ac4bc9b5n : term >> 1n;
    }
    return product;
  };
  return () => {
    let register = 0x0123456789abcdefn;
    for (let index = 0; index < count; index += 1) register = multiply(register, 0xfedcba9876543210n);
  };
}

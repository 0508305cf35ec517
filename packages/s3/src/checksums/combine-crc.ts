// Joins the CRCs of two byte strings into the CRC of the one after the other, without the bytes: what makes a full-object
// checksum of a multipart upload possible. Method: a CRC is linear over GF(2), so appending n bytes to `a` multiplies its
// register by x^(8n) modulo the polynomial; that power is formed by repeated squaring, in O(log n) steps.
// Registers are bit-reflected: the coefficient of x^0 is the highest bit.

import { checksumAlgorithms } from './checksum-algorithms.ts';

/** The algorithms whose values can be joined. */
export type CrcAlgorithm = 'CRC32' | 'CRC32C' | 'CRC64NVME';

/** The CRC of `a‖b` from those of `a` and `b`, as raw bytes. `sizeBytesOfB` is how many bytes `b` is of. */
export function combineCrc(algorithm: CrcAlgorithm, a: Uint8Array, b: Uint8Array, sizeBytesOfB: number): Uint8Array {
  const { polynomial, widthBits } = polynomials[algorithm];
  const shifted = multiply(toRegister(a), powerOfX(sizeBytesOfB, algorithm), polynomial, widthBits);
  return toBytes(shifted ^ toRegister(b), checksumAlgorithms[algorithm].lengthBytes);
}

/** Whether the algorithm's values can be joined, so that a multipart object can have a full-object checksum. */
export function isCrcAlgorithm(algorithm: string): algorithm is CrcAlgorithm {
  return Object.hasOwn(polynomials, algorithm);
}

const polynomials: Readonly<Record<CrcAlgorithm, { readonly polynomial: bigint; readonly widthBits: bigint }>> = {
  CRC32: { polynomial: 0xedb88320n, widthBits: 32n },
  CRC32C: { polynomial: 0x82f63b78n, widthBits: 32n },
  CRC64NVME: { polynomial: 0x9a6c9329ac4bc9b5n, widthBits: 64n },
};

/** Parts mostly have one size: the last power of each algorithm is kept. */
const lastPower = new Map<CrcAlgorithm, { readonly sizeBytes: number; readonly power: bigint }>();

/** x^(8·sizeBytes) modulo the polynomial. */
function powerOfX(sizeBytes: number, algorithm: CrcAlgorithm): bigint {
  const last = lastPower.get(algorithm);
  if (last !== undefined && last.sizeBytes === sizeBytes) return last.power;
  const { polynomial, widthBits } = polynomials[algorithm];
  let power = 1n << (widthBits - 1n); // x^0
  let square = 1n << (widthBits - 1n - 8n); // x^8
  for (let exponent = BigInt(sizeBytes); exponent > 0n; exponent >>= 1n) {
    if ((exponent & 1n) === 1n) power = multiply(power, square, polynomial, widthBits);
    square = multiply(square, square, polynomial, widthBits);
  }
  lastPower.set(algorithm, { sizeBytes, power });
  return power;
}

/** a·b modulo the polynomial. */
function multiply(a: bigint, b: bigint, polynomial: bigint, widthBits: bigint): bigint {
  let product = 0n;
  let term = b;
  for (let mask = 1n << (widthBits - 1n); mask > 0n; mask >>= 1n) {
    if ((a & mask) !== 0n) product ^= term;
    term = (term & 1n) === 1n ? (term >> 1n) ^ polynomial : term >> 1n;
  }
  return product;
}

function toRegister(bytes: Uint8Array): bigint {
  let register = 0n;
  for (const byte of bytes) register = (register << 8n) | BigInt(byte);
  return register;
}

function toBytes(register: bigint, lengthBytes: number): Uint8Array {
  const bytes = new Uint8Array(lengthBytes);
  let rest = register;
  for (let index = lengthBytes - 1; index >= 0; index -= 1) {
    bytes[index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

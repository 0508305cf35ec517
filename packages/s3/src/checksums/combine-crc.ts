// Joins the CRCs of two byte strings into the CRC of the one after the other, without the bytes: what makes a full-object
// checksum of a multipart upload possible. Method: a CRC is linear over GF(2), so appending n bytes to `a` multiplies its
// register by x^(8n) modulo the polynomial; that power is formed by repeated squaring, in O(log n) steps.
// Registers are bit-reflected: the coefficient of x^0 is the highest bit. They are kept as two halves of 32 bits, because
// BigInt took four times as long for the 10,000 parts of one completion (bench/checksums.ts).

import { checksumAlgorithms } from './checksum-algorithms.ts';

/** The algorithms whose values can be joined. */
export type CrcAlgorithm = 'CRC32' | 'CRC32C' | 'CRC64NVME';

/** The CRC of `a‖b` from those of `a` and `b`, as raw bytes. `sizeBytesOfB` is how many bytes `b` is of. */
export function combineCrc(algorithm: CrcAlgorithm, a: Uint8Array, b: Uint8Array, sizeBytesOfB: number): Uint8Array {
  const polynomial = polynomials[algorithm];
  const shifted = multiply(toRegister(a), powerOfX(sizeBytesOfB, algorithm), polynomial);
  const other = toRegister(b);
  const { lengthBytes } = checksumAlgorithms[algorithm];
  return toBytes({ high: shifted.high ^ other.high, low: shifted.low ^ other.low }, lengthBytes);
}

/** Whether the algorithm's values can be joined, so that a multipart object can have a full-object checksum. */
export function isCrcAlgorithm(algorithm: string): algorithm is CrcAlgorithm {
  return Object.hasOwn(polynomials, algorithm);
}

/** 64 bits, or 32 in `low`. */
interface Register {
  readonly high: number;
  readonly low: number;
}

interface Polynomial extends Register {
  readonly widthBits: 32 | 64;
}

const polynomials: Readonly<Record<CrcAlgorithm, Polynomial>> = {
  CRC32: { high: 0, low: 0xedb88320, widthBits: 32 },
  CRC32C: { high: 0, low: 0x82f63b78, widthBits: 32 },
  CRC64NVME: { high: 0x9a6c9329, low: 0xac4bc9b5, widthBits: 64 },
};

/** The last power of each algorithm: the parts of an upload mostly have one size. */
const lastPower = new Map<CrcAlgorithm, { readonly sizeBytes: number; readonly power: Register }>();

/** x^(8·sizeBytes) modulo the polynomial. */
function powerOfX(sizeBytes: number, algorithm: CrcAlgorithm): Register {
  const last = lastPower.get(algorithm);
  if (last?.sizeBytes === sizeBytes) return last.power;
  const polynomial = polynomials[algorithm];
  let power = monomial(0, polynomial.widthBits);
  let square = monomial(8, polynomial.widthBits);
  // Sizes go beyond 32 bits, so no bit operators on them.
  for (let exponent = sizeBytes; exponent > 0; exponent = Math.floor(exponent / 2)) {
    if (exponent % 2 === 1) power = multiply(power, square, polynomial);
    square = multiply(square, square, polynomial);
  }
  lastPower.set(algorithm, { sizeBytes, power });
  return power;
}

/** x^exponent, for exponents below 32. */
function monomial(exponent: number, widthBits: 32 | 64): Register {
  const half = 0x8000_0000 >>> exponent;
  return widthBits === 64 ? { high: half, low: 0 } : { high: 0, low: half };
}

/** a·b modulo the polynomial. */
function multiply(a: Register, b: Register, polynomial: Polynomial): Register {
  let high = 0;
  let low = 0;
  let termHigh = b.high;
  let termLow = b.low;
  for (let bit = polynomial.widthBits - 1; bit >= 0; bit -= 1) {
    const half = bit > 31 ? a.high : a.low;
    if (((half >>> (bit & 31)) & 1) === 1) {
      high ^= termHigh;
      low ^= termLow;
    }
    const carry = termLow & 1;
    termLow = (termLow >>> 1) | (termHigh << 31);
    termHigh >>>= 1;
    if (carry === 1) {
      termHigh ^= polynomial.high;
      termLow ^= polynomial.low;
    }
  }
  return { high, low };
}

function toRegister(bytes: Uint8Array): Register {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return bytes.byteLength === 8
    ? { high: view.getUint32(0), low: view.getUint32(4) }
    : { high: 0, low: view.getUint32(0) };
}

function toBytes(register: Register, lengthBytes: number): Uint8Array {
  const bytes = new Uint8Array(lengthBytes);
  const view = new DataView(bytes.buffer);
  if (lengthBytes === 8) view.setUint32(0, register.high);
  view.setUint32(lengthBytes - 4, register.low);
  return bytes;
}

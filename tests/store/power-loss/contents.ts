// Bodies that tell whose they are: the number of the body decides its bytes, so that parts of two can never pass for one.

import { SeededRandom } from '../../../packages/store/src/testing/seeded-random.ts';

export interface Body {
  readonly number: number;
  readonly sizeBytes: number;
}

const poolSizeBytes = 1 << 20;
const maxBodyBytes = 1 << 19;
const pool = new SeededRandom(1).bytes(poolSizeBytes);
const stampEveryBytes = 512;

export function bytesOf(bodies: readonly Body[]): Buffer {
  return bodies.length === 1 ? bytesOfBody(bodies[0] ?? empty) : Buffer.concat(bodies.map(bytesOfBody));
}

const empty: Body = { number: 0, sizeBytes: 0 };

function bytesOfBody({ number, sizeBytes }: Body): Buffer {
  if (sizeBytes > maxBodyBytes)
    throw new RangeError(`A body has at most ${maxBodyBytes} bytes; asked for ${sizeBytes}.`);
  const start = Math.imul(number, 4099) & (poolSizeBytes - maxBodyBytes - 1);
  const bytes = Buffer.from(pool.subarray(start, start + sizeBytes));
  for (let at = 0; at + 4 <= sizeBytes; at += stampEveryBytes) bytes.writeUInt32BE(number, at);
  return bytes;
}

// Passwords as argon2id hashes, in the PHC string format. Spec: RFC 9106; its second recommended option is for memory that is
// short, and each try here costs 64 MiB, so only a few are made at the same time.

import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { openTurns } from '../turns.ts';

export interface PasswordHashes {
  hash(password: string): Promise<string>;
  /** Whether the password is the one that was hashed. Takes as long either way. */
  matches(password: string, hash: string): Promise<boolean>;
  /** A hash that no password has: to try one against for who is not there, so that it takes as long as for who is. */
  readonly nobodys: string;
  /** The same passwords for other people, who queue apart: as much is made at the same time, and neither queue holds up the other. */
  withOwnQueue(): PasswordHashes;
}

const derive = promisify(argon2);
const version = 0x13;
const memoryKib = 64 * 1024;
const passes = 3;
const lanes = 4;
const saltBytes = 16;
const tagBytes = 32;
/** Each takes `memoryKib` while it runs. */
const atOnce = 2;
const maxWaiting = 100;

const phc = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

export function openPasswordHashes(random: (sizeBytes: number) => Uint8Array = randomBytes): PasswordHashes {
  return hashesIn(openTurns({ atOnce, maxWaiting }), random);
}

function hashesIn(turns: ReturnType<typeof openTurns>, random: (sizeBytes: number) => Uint8Array): PasswordHashes {
  async function tag(
    password: string,
    salt: Uint8Array,
    cost: { memory: number; passes: number; parallelism: number },
  ) {
    const release = await turns.take();
    try {
      // Unicode text has several spellings; RFC 8265 compares passwords in NFC.
      const message = Buffer.from(password.normalize('NFC'));
      return await derive('argon2id', { message, nonce: salt, tagLength: tagBytes, ...cost });
    } finally {
      release();
    }
  }

  const toPhc = (salt: Uint8Array, made: Uint8Array): string =>
    `$argon2id$v=${version}$m=${memoryKib},t=${passes},p=${lanes}$${base64(salt)}$${base64(made)}`;

  return {
    nobodys: toPhc(random(saltBytes), random(tagBytes)),
    withOwnQueue: () => hashesIn(turns.queue(), random),

    hash: async (password) => {
      const salt = random(saltBytes);
      const made = await tag(password, salt, { memory: memoryKib, passes, parallelism: lanes });
      return toPhc(salt, made);
    },

    matches: async (password, hash) => {
      const [, memory, iterations, parallelism, salt = '', expected = ''] = phc.exec(hash) ?? [];
      if (memory === undefined) throw new Error('A password hash is not a PHC string of argon2id.');
      const cost = { memory: Number(memory), passes: Number(iterations), parallelism: Number(parallelism) };
      const made = await tag(password, Buffer.from(salt, 'base64'), cost);
      const wanted = Buffer.from(expected, 'base64');
      return made.length === wanted.length && timingSafeEqual(made, wanted);
    },
  };
}

/** PHC strings hold base64 without padding. */
function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}

// Tokens that are worth something: 256 random bits, so that a plain hash of one is enough to keep. Whoever reads the database can
// sign in nowhere.

import { createHash } from 'node:crypto';

const tokenBytes = 32;

export function newToken(random: (sizeBytes: number) => Uint8Array): string {
  return Buffer.from(random(tokenBytes)).toString('base64url');
}

export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

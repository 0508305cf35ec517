// The token in a share's address: the share's id and a MAC over it. It can be shown again to whoever made the share, because it
// follows from the id, and the database alone gives nobody a working link.

import { createHmac, createSecretKey, hkdfSync, timingSafeEqual } from 'node:crypto';

export interface ShareTokens {
  make(shareId: string): string;
  /** The share's id; `undefined` for anything that was not made here. */
  read(token: string): string | undefined;
}

/** Bytes of the MAC that are kept: a guess at one in 2^128. */
const macBytes = 16;
const pattern = /^([0-9A-HJKMNP-TV-Z]{26})([A-Za-z0-9_-]{22})$/;

export function openShareTokens(secret: Uint8Array): ShareTokens {
  const macKey = createSecretKey(new Uint8Array(hkdfSync('sha256', secret, '', 'stowage share tokens v1', 32)));
  const macOf = (shareId: string): string =>
    createHmac('sha256', macKey).update(shareId).digest().subarray(0, macBytes).toString('base64url');

  return {
    make: (shareId) => `${shareId}${macOf(shareId)}`,
    read: (token) => {
      const [, shareId, mac] = pattern.exec(token) ?? [];
      if (shareId === undefined || mac === undefined) return undefined;
      return timingSafeEqual(Buffer.from(mac), Buffer.from(macOf(shareId))) ? shareId : undefined;
    },
  };
}

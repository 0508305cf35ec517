// Text that is kept where others can read it and must not understand or change it: AES-256-GCM under a key that follows from the
// service's secret. The place it belongs to is authenticated with it, so that it cannot be moved to another.

import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync } from 'node:crypto';

export interface SealedText {
  /** base64url. `place`: a user's id, say; empty where it may be anywhere. */
  seal(text: string, place: string): string;
  /** `undefined` for anything that was not sealed here, for this place. */
  open(sealed: string, place: string): string | undefined;
}

interface SealedTextOptions {
  readonly secret: Uint8Array;
  /** What the key is for; two uses never share one. */
  readonly purpose: string;
  readonly random: (sizeBytes: number) => Uint8Array;
}

const nonceBytes = 12;
const tagBytes = 16;

export function openSealedText({ secret, purpose, random }: SealedTextOptions): SealedText {
  const key = createSecretKey(new Uint8Array(hkdfSync('sha256', secret, '', purpose, 32)));
  return {
    seal: (text, place) => {
      const nonce = random(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(place));
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, body, cipher.getAuthTag()]).toString('base64url');
    },

    open: (sealed, place) => {
      const bytes = Buffer.from(sealed, 'base64url');
      if (bytes.length < nonceBytes + tagBytes) return undefined;
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes))
        .setAAD(Buffer.from(place))
        .setAuthTag(bytes.subarray(-tagBytes));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]).toString();
      } catch {
        // Not sealed by this key for this place: the tag does not fit.
        return undefined;
      }
    },
  };
}

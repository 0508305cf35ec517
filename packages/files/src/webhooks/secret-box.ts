// Seals small secrets that the service has to read again, with a key made of the service's own secret: the database alone gives
// nobody a secret. AES-256-GCM (NIST SP 800-38D), a nonce of 96 random bits each.

import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync } from 'node:crypto';

export interface SecretBox {
  seal(text: string): string;
  /** Throws when the text was not sealed here, or was altered. */
  open(sealed: string): string;
}

const nonceBytes = 12;
const tagBytes = 16;

export function openSecretBox(secret: Uint8Array, random: (sizeBytes: number) => Uint8Array): SecretBox {
  const key = createSecretKey(new Uint8Array(hkdfSync('sha256', secret, '', 'stowage secret box v1', 32)));
  return {
    seal: (text) => {
      const nonce = random(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      return Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]).toString('base64url');
    },
    open: (sealed) => {
      const bytes = Buffer.from(sealed, 'base64url');
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes));
      decipher.setAuthTag(bytes.subarray(-tagBytes));
      return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]).toString();
    },
  };
}

// Object keys: `<zone>/<tenant>/<user>/<category>/<ulid>.<mac>`. They are ASCII, never change, are never used twice, and hold
// no file name. The MAC proves that this service made the key: a key without a valid one is someone else's and never touched.
// Design §6, invariant 4.

import { createHmac, createSecretKey, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { PreviewPreset } from '@stowage/contract';

export interface FileKeys {
  /** The key of a new file's bytes. */
  make(options: {
    readonly tenantId: string;
    readonly userId: string;
    readonly contentType: string;
    readonly fileId: string;
  }): string;
  /** The key of a preview of the file whose bytes lie at `objectKey`. */
  makePreview(objectKey: string, preset: PreviewPreset): string;
  /** Whether this service made the key. */
  isOurs(key: string): boolean;
}

/** Bytes of the MAC that are kept: a guess at one in 2^128. */
const macBytes = 16;
const segment = /^[A-Za-z0-9_-]{1,64}$/;

export function openFileKeys(secret: Uint8Array): FileKeys {
  const macKey = createSecretKey(new Uint8Array(hkdfSync('sha256', secret, '', 'stowage object keys v1', 32)));

  function seal(zone: string, segments: readonly string[]): string {
    for (const part of segments) {
      if (!segment.test(part))
        throw new Error(`A segment of an object key must match ${segment.source}; this one does not.`);
    }
    const path = [zone, ...segments].join('/');
    return `${path}.${macOf(path)}`;
  }

  function macOf(path: string): string {
    return createHmac('sha256', macKey).update(path).digest().subarray(0, macBytes).toString('hex');
  }

  return {
    make: ({ tenantId, userId, contentType, fileId }) =>
      seal('files', [tenantId, userId, categoryOf(contentType), fileId]),

    makePreview: (objectKey, preset) => {
      const [, tenantId = '', userId = '', category = '', last = ''] = objectKey.split('/');
      const [fileId = ''] = last.split('.');
      return seal('previews', [tenantId, userId, category, `${fileId}-${preset}`]);
    },

    isOurs: (key) => {
      const dot = key.lastIndexOf('.');
      if (dot < 0) return false;
      const given = Buffer.from(key.slice(dot + 1));
      const expected = Buffer.from(macOf(key.slice(0, dot)));
      return given.length === expected.length && timingSafeEqual(given, expected);
    },
  };
}

/** The kind of a file by its announced type: a place to sort keys into, nothing that is relied on. */
function categoryOf(contentType: string): string {
  const [kind = ''] = contentType.split('/');
  return ['image', 'video', 'audio', 'text'].includes(kind) ? kind : 'other';
}

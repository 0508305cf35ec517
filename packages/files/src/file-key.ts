// Object keys: `<zone>/<tenant>/<user>/<category>/<ulid>.<mac>`. Zones: `files` are judged and served, `incoming` holds what is yet
// to be promoted, `previews` their pictures, `probes` what was written to try an endpoint out, `owner` the marker that says
// whose database it is. They are ASCII, never change, are never used twice (but for the marker), and hold no file name. The MAC proves that this service made the key: a key without a valid one is someone else's and never touched.
// Design §6, invariant 4.

import { createHmac, createSecretKey, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { PreviewPreset } from '@stowage/contract';

export interface FileKeys {
  /** The key of a new file's bytes; `incoming`: of where they arrive to be promoted. */
  make(options: {
    readonly tenantId: string;
    readonly userId: string;
    readonly contentType: string;
    readonly fileId: string;
    readonly zone?: 'files' | 'incoming';
  }): string;
  /** The key that this try to promote a file writes to. No two tries share one: a copy that comes late touches nothing. */
  makePromoted(objectKey: string, attempt: number): string;
  /** What all keys of the tries of one file begin with. */
  promotedPrefix(objectKey: string): string;
  /** Which try a key of `makePromoted` is of; 0 for other keys. They rise from one try of a file to the next. */
  attemptOf(key: string): number;
  /** The n-th key of one run of probes. */
  makeProbe(run: string, number: number): string;
  /** The key of the bucket's owner marker: one for each secret. */
  makeOwner(): string;
  /** The file whose bytes lie, or arrive, at a key; `undefined` for other keys, ours or not. */
  fileOf(key: string): string | undefined;
  /** What a key of ours is for; `undefined` for a key that this service did not make. */
  read(key: string): OwnKey | undefined;
  /** The key of a preview of the file whose bytes lie at `objectKey`. */
  makePreview(objectKey: string, preset: PreviewPreset): string;
  /** Whether this service made the key. */
  isOurs(key: string): boolean;
}

export interface OwnKey {
  readonly zone: Zone;
  /** The file that it has to do with; empty for a probe and for the owner marker. */
  readonly fileId: string;
}

const zones = ['files', 'incoming', 'previews', 'probes', 'owner'] as const;
type Zone = (typeof zones)[number];

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
    make: ({ tenantId, userId, contentType, fileId, zone = 'files' }) =>
      seal(zone, [tenantId, userId, categoryOf(contentType), fileId]),

    makePreview: (objectKey, preset) => {
      const { place, name } = partsOf(objectKey);
      return seal('previews', [...place, `${name}-${preset}`]);
    },

    makePromoted: (objectKey, attempt) => {
      const { place, fileId } = partsOf(objectKey);
      return seal('files', [...place, `${fileId}-${attempt}`]);
    },

    promotedPrefix: (objectKey) => {
      const { place, fileId } = partsOf(objectKey);
      return ['files', ...place, `${fileId}-`].join('/');
    },

    attemptOf: (key) => {
      const [, attempt = ''] = /-(\d+)$/.exec(partsOf(key).name) ?? [];
      return attempt === '' ? 0 : Number(attempt);
    },

    makeProbe: (run, number) => seal('probes', [run, String(number)]),

    makeOwner: () => seal('owner', ['database']),

    fileOf: (key) => {
      const { zone, fileId } = partsOf(key);
      return (zone === 'files' || zone === 'incoming') && fileId !== '' && isOurs(key) ? fileId : undefined;
    },

    read: (key) => {
      const { zone, fileId } = partsOf(key);
      const known = zones.find((candidate) => candidate === zone);
      return known === undefined || !isOurs(key) ? undefined : { zone: known, fileId };
    },

    isOurs,
  };

  function isOurs(key: string): boolean {
    const dot = key.lastIndexOf('.');
    if (dot < 0) return false;
    const given = Buffer.from(key.slice(dot + 1));
    const expected = Buffer.from(macOf(key.slice(0, dot)));
    return given.length === expected.length && timingSafeEqual(given, expected);
  }
}

/** `name` is the file's id and, of a promoted one, which try it was. */
function partsOf(key: string): {
  readonly zone: string;
  readonly place: readonly string[];
  readonly name: string;
  readonly fileId: string;
} {
  const [zone = '', tenantId = '', userId = '', category = '', last = ''] = key.split('/');
  const [name = ''] = last.split('.');
  const [fileId = ''] = name.split('-');
  return { zone, place: [tenantId, userId, category], name, fileId };
}

/** The kind of a file by its announced type: a place to sort keys into, nothing that is relied on. */
function categoryOf(contentType: string): string {
  const [kind = ''] = contentType.split('/');
  return ['image', 'video', 'audio', 'text'].includes(kind) ? kind : 'other';
}

// Places in a data folder where a flipped byte means something, and what each does, for the tests of scrub, of reads and of
// fsck. The folder is that of a closed store which `fillForDamage` has filled.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import {
  completionOf,
  createBucket,
  largeSizeBytes,
  patternBytes,
  plainAttributes,
  put,
  putPart,
} from '../contract/store-under-test.ts';
import { nodeDisk } from '../disk/node-disk.ts';
import { openDiskStore } from '../disk-store.ts';
import { markCodes } from '../journal/record.ts';
import { SegmentScanner } from '../journal/scanner.ts';
import { decodeSegmentHeader, segmentHeaderSizeBytes } from '../journal/segment.ts';
import { blobPaths, segmentPaths } from './data-folder.ts';

/** Bytes of the objects `small`, `large`, and `other`, which is not to be harmed. */
export const damageBodies = {
  small: patternBytes(3000, 6),
  large: patternBytes(largeSizeBytes, 7),
  other: patternBytes(5000, 8),
} as const;

/** A store with a small and a large object, a copy of the large one, an upload in parts, and some more; closed again. */
export async function fillForDamage(directory: string): Promise<void> {
  const store = await openDiskStore({ directory });
  await createBucket(store);
  await put(store, 'before', 'x');
  const upload = await store.createUpload({
    bucket: 'bucket',
    key: 'parts',
    attributes: plainAttributes,
    initiator: 'i',
  });
  const parts = [
    await putPart(store, upload, 1, patternBytes(100_000, 1)),
    await putPart(store, upload, 2, patternBytes(70_000, 2)),
  ];
  await store.completeUpload(completionOf(upload, parts));
  await put(store, 'small', damageBodies.small);
  const source = await put(store, 'large', damageBodies.large);
  await store.copyObject({ bucket: 'bucket', key: 'copy', attributes: plainAttributes, source });
  await put(store, 'other', damageBodies.other);
  await store.close();
}

/** A byte to flip, and what is to come of it. */
interface DamagePlace {
  readonly path: string;
  readonly offset: number;
  /** Keys that every report must name. */
  readonly keys: readonly string[];
  /** Whether reading the first of them is refused; else it is answered with the right bytes. */
  readonly refused: boolean;
}

type DamageKind = (typeof damageKinds)[number];
export const damageKinds = [
  'segment header',
  'record head',
  'record header',
  'record body',
  'commit record',
  'blob data',
  'blob checksums',
  'blob trailer',
] as const;

export async function findDamagePlace(directory: string, kind: DamageKind): Promise<DamagePlace> {
  const [segment = ''] = await segmentPaths(directory);
  const blob = await blobOf(directory, damageBodies.large);
  const records = await recordsOf(segment);
  const at = records.findIndex(({ header }) => header.includes('small'));
  const record = records[at];
  const commit = records.slice(at).find(({ code }) => code === markCodes.commit);
  assert.ok(record !== undefined && commit !== undefined);
  const large = { keys: ['large', 'copy'], path: blob.path };
  switch (kind) {
    case 'segment header':
      return { path: segment, offset: 20, keys: [], refused: false };
    case 'record head':
      return { path: segment, offset: record.offset + 21, keys: ['small'], refused: false };
    case 'record header':
      return { path: segment, offset: record.headerStart + record.header.length - 5, keys: ['small'], refused: false };
    case 'record body':
      return { path: segment, offset: record.bodyStart + 1234, keys: ['small'], refused: true };
    case 'commit record':
      return { path: segment, offset: commit.headerStart + 2, keys: [], refused: false };
    case 'blob data':
      return { ...large, offset: 1_000_000, refused: true };
    case 'blob checksums':
      return { ...large, offset: largeSizeBytes + 10, refused: true };
    case 'blob trailer':
      return { ...large, offset: blob.sizeBytes - 20, refused: false };
  }
}

/** The blob that holds a body. */
async function blobOf(directory: string, body: Buffer): Promise<{ readonly path: string; readonly sizeBytes: number }> {
  for (const path of await blobPaths(directory)) {
    const bytes = await readFile(path);
    if (bytes.subarray(0, body.length).equals(body)) return { path, sizeBytes: bytes.length };
  }
  throw new Error('No blob holds the body.');
}

interface FoundRecord {
  readonly code: number;
  readonly offset: number;
  readonly headerStart: number;
  readonly header: Buffer;
  readonly bodyStart: number;
}

async function recordsOf(path: string): Promise<readonly FoundRecord[]> {
  const file = await nodeDisk.open(path, 'read');
  try {
    const bytes = Buffer.alloc(segmentHeaderSizeBytes);
    await file.read(bytes, 0);
    const salt = decodeSegmentHeader(bytes)?.salt ?? 0;
    const scanner = new SegmentScanner(file, { salt, fileSizeBytes: await file.sizeBytes() });
    const records: FoundRecord[] = [];
    let record = await scanner.read(segmentHeaderSizeBytes);
    while (record !== undefined) {
      const { head, offset, endOffset } = record;
      const headerStart = offset + 28;
      const bodyStart = headerStart + head.headerSizeBytes + 4;
      records.push({ code: head.code, offset, headerStart, header: Buffer.from(record.header), bodyStart });
      record = await scanner.read(endOffset);
    }
    return records;
  } finally {
    await file.close();
  }
}

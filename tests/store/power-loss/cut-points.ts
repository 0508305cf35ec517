// The places at which the power can go, as one table: each operation of the store on its disk belongs to a class. A history
// aims at a class and a moment: before the operation has begun, while it is under way, or when it has just been done and
// nobody knows yet. What was hit is counted, so that a run can show that nothing was left out.

import type { DiskOperation } from '../../../packages/store/src/testing/disk-operation.ts';

interface CutPoint {
  readonly kinds: readonly DiskOperation['kind'][];
  /** Held against the path in the data folder. */
  readonly path: RegExp;
  /** Held against the size, where path and kind say too little. */
  readonly sizeBytes?: (sizeBytes: number) => boolean;
}

/** Zeros are written ahead in steps of this size, and nothing else is: see `sizes` in history.ts. */
export const zeroStepBytes = 2560;
const segmentHeaderSizeBytes = 64;

const segment = /^journal\/\d+\.seg$/;
const blob = /^blobs\/[0-9a-f]{12}\/[0-9a-f]{6}\/[0-9a-f]{20}$/;
const checkpoint = /^index\/checkpoint/;
const ledger = /^journal\/removed/;

/** In order: the first that fits. */
const cutPoints = {
  'format: create': { kinds: ['remove', 'create'], path: /^FORMAT/ },
  'format: write': { kinds: ['write'], path: /^FORMAT/ },
  'format: sync': { kinds: ['sync'], path: /^FORMAT/ },
  'format: rename': { kinds: ['rename'], path: /^FORMAT/ },
  'data folder: create folder': { kinds: ['createFolder'], path: /^(?:|journal|blobs|quarantine|index)$/ },
  'data folder: sync folder': { kinds: ['syncFolder'], path: /^(?:|quarantine)$/ },
  'rotation: create segment': { kinds: ['create'], path: segment },
  'rotation: write header': { kinds: ['write'], path: segment, sizeBytes: (size) => size === segmentHeaderSizeBytes },
  'rotation: sync folder': { kinds: ['syncFolder'], path: /^journal$/ },
  'journal: write zeros ahead': { kinds: ['write'], path: segment, sizeBytes: (size) => size === zeroStepBytes },
  'journal: write batch': { kinds: ['write'], path: segment },
  'journal: sync': { kinds: ['sync'], path: segment },
  'journal: truncate': { kinds: ['truncate'], path: segment },
  'journal: remove segment': { kinds: ['remove'], path: segment },
  'blob: create folder': { kinds: ['createFolder'], path: /^blobs\/./ },
  'blob: sync folder of folders': { kinds: ['syncFolder'], path: /^blobs(?:\/[0-9a-f]{12})?$/ },
  'blob: create': { kinds: ['create'], path: blob },
  'blob: write': { kinds: ['write'], path: blob },
  'blob: sync': { kinds: ['sync'], path: blob },
  'blob: sync folder': { kinds: ['syncFolder'], path: /^blobs\/[0-9a-f]{12}\/[0-9a-f]{6}$/ },
  'blob: remove': { kinds: ['remove'], path: blob },
  'checkpoint: remove leftover': { kinds: ['remove'], path: checkpoint },
  'checkpoint: create': { kinds: ['create'], path: checkpoint },
  'checkpoint: write': { kinds: ['write'], path: checkpoint },
  'checkpoint: sync': { kinds: ['sync'], path: checkpoint },
  'checkpoint: rename': { kinds: ['rename'], path: checkpoint },
  'checkpoint: sync folder': { kinds: ['syncFolder'], path: /^index$/ },
  'compaction: write ledger': { kinds: ['remove', 'create', 'write', 'sync'], path: ledger },
  'compaction: rename ledger': { kinds: ['rename'], path: ledger },
  'reserve: remove': { kinds: ['remove'], path: /^RESERVE/ },
  'reserve: write': { kinds: ['create', 'write', 'sync'], path: /^RESERVE/ },
  'quarantine: write': { kinds: ['create', 'write', 'sync', 'rename', 'remove'], path: /^quarantine\// },
  'other: change': {
    kinds: ['create', 'createFolder', 'write', 'sync', 'syncFolder', 'truncate', 'rename', 'remove'],
    path: /./,
  },
  reading: { kinds: ['open', 'list', 'read', 'sizeBytes', 'close'], path: /^/ },
} as const satisfies Readonly<Record<string, CutPoint>>;

export type CutClass = keyof typeof cutPoints;
// Object.keys of a record gives its own names.
export const cutClasses: readonly CutClass[] = Object.keys(cutPoints) as CutClass[];

export const cutMoments = ['before', 'within', 'after'] as const;
export type CutMoment = (typeof cutMoments)[number];

/** What the store is doing meanwhile. */
export const cutPhases = ['opening', 'running', 'closing'] as const;
export type CutPhase = (typeof cutPhases)[number];

export function classOf({ kind, path, sizeBytes }: DiskOperation, directory: string): CutClass {
  const inFolder = path.slice(directory.length + 1);
  const found = cutClasses.find((name) => {
    const point: CutPoint = cutPoints[name];
    return point.kinds.includes(kind) && point.path.test(inFolder) && point.sizeBytes?.(sizeBytes) !== false;
  });
  if (found === undefined) throw new Error(`No class of cut points holds ${kind} ${path}.`);
  return found;
}

// What the model knows: files with their versions, what the bucket holds of them, shares, room. Plain values; time is a value too.

import type { AnnouncedAlgorithm, FileState, UploadStrategy } from '@stowage/contract';

export const limits = {
  urlLifeMs: 15 * 60_000,
  uploadLifeMs: 24 * 60 * 60_000,
  scanHoldMs: 60 * 60_000,
  scanMaxBytes: 64,
  multipartThresholdBytes: 128,
  idempotencyLifeMs: 24 * 60 * 60_000,
  completionGraceMs: 24 * 60 * 60_000,
} as const;

/** By category, what the service is told of it (`proof-policies`). */
export const categories = ['default', 'available', 'unscanned', 'kept', 'few'] as const;

/** Versions beside the current one that are kept. */
export function keptVersionsOf(category: string): number {
  return category === 'few' ? 1 : 10;
}

export interface ModelFile {
  readonly id: string;
  readonly lineId: string;
  readonly role: 'current' | 'version';
  /** Its place in the order in which the versions of the file became the current one. */
  readonly versionNumber: number;
  readonly name: string;
  readonly folderId: string;
  readonly sizeBytes: number;
  readonly category: string;
  readonly strategy: UploadStrategy;
  readonly sealedBy: string;
  readonly copiedFrom: string | null;
  readonly partCount: number;
  /** What was said of the bytes; of the value `null` where each part's is said. */
  readonly announcedAlgorithm: AnnouncedAlgorithm | null;
  readonly announcedValue: string | null;
  readonly objectKey: string;
  readonly arrivalKey: string;
  readonly multipartUploadId: string | null;
  readonly state: FileState;
  readonly fence: number;
  readonly reviewAtMs: number | null;
  readonly expiresAtMs: number;
  readonly signedUntilMs: number;
  readonly scanningSinceMs: number | null;
  readonly retainUntilMs: number | null;
  /** Whether the row knows of bytes in the bucket. */
  readonly wasStored: boolean;
  /** When each kind of job of this file is due. */
  readonly jobs: Readonly<Record<string, number>>;
}

/** What a row does not say: what lies in the bucket. */
export interface ModelBytes {
  /** What may lie where the bytes arrive, as the client sent it; none: nothing does. Several after a race. */
  arrived: readonly string[];
  /** Parts that the bucket holds. */
  readonly parts: Map<number, readonly string[]>;
  /** Somebody aborted the upload in the bucket. */
  isLost: boolean;
  /** What the file holds, once it was stored. */
  content: readonly string[];
  /** What arrived is still to be removed, once. */
  isDiscardPending: boolean;
}

export interface ModelShare {
  readonly lineId: string;
  readonly path: string;
  readonly maxDownloads: number;
  readonly id: string;
  downloads: number;
  isRevoked: boolean;
}

export interface Announcement {
  readonly key: string;
  readonly body: string;
  readonly expiresAtMs: number;
}

export interface Model {
  readonly files: Map<string, ModelFile>;
  readonly bytes: Map<string, ModelBytes>;
  readonly shares: ModelShare[];
  readonly announcements: Announcement[];
  /** The bytes that were meant, by the checksum that was announced of them. Only grows. */
  readonly promised: Map<string, string>;
  /** Folders that can be seen. */
  folders: ReadonlySet<string>;
  quotaBytes: number | null;
  isScannerUp: boolean;
  /** By the clock that judges: the bucket's, or that of the instance that is asked. */
  nowMs: number;
  /** By the clock of each instance. */
  clocksMs: readonly number[];
}

export function emptyModel(nowMs: number): Model {
  return {
    files: new Map(),
    bytes: new Map(),
    shares: [],
    announcements: [],
    promised: new Map(),
    folders: new Set(),
    quotaBytes: null,
    isScannerUp: true,
    nowMs,
    clocksMs: [nowMs],
  };
}

/** How far the clocks of instances go before or after that of the bucket: S3 takes no more than 15 minutes of difference. */
export const clockOffsets = [0, 0, 3_000, -3_000, 2 * 60_000, -2 * 60_000, 4 * 60_000, -4 * 60_000] as const;
/** Between any two of them, also of those that were set anew since. */
export const clockSpreadMs: number = Math.max(...clockOffsets) - Math.min(...clockOffsets);

/** The model as an instance sees it, by its own clock. */
export function judgedBy(model: Model, instance: number): Model {
  return { ...model, nowMs: model.clocksMs[instance % model.clocksMs.length] ?? model.nowMs };
}

/** The bytes of a file; there are some for each. */
export function bytesOf(model: Model, { id }: Pick<ModelFile, 'id'>): ModelBytes {
  const known = model.bytes.get(id);
  if (known !== undefined) return known;
  const none: ModelBytes = { arrived: [], parts: new Map(), isLost: false, content: [], isDiscardPending: false };
  model.bytes.set(id, none);
  return none;
}

export const arriving: ReadonlySet<FileState> = new Set(['pending', 'uploading', 'completing']);
export const givenUp: ReadonlySet<FileState> = new Set(['aborted', 'expired', 'purging', 'purged']);
const onFilesShelf: ReadonlySet<FileState> = new Set([
  'uploaded',
  'validating',
  'scanning',
  'ready',
  'rejected',
  'quarantined',
  'scan-failed',
]);

export function isOnFilesShelf({ state, role }: Pick<ModelFile, 'state' | 'role'>): boolean {
  return onFilesShelf.has(state) && role === 'current';
}

function holdsName({ state, role }: Pick<ModelFile, 'state' | 'role'>): boolean {
  return role === 'current' && (onFilesShelf.has(state) || arriving.has(state));
}

/** Bytes of the tenant's room that a file takes. */
export function chargeOf({
  state,
  sizeBytes,
  wasStored,
}: Pick<ModelFile, 'state' | 'sizeBytes' | 'wasStored'>): number {
  if (state === 'purging' && !wasStored) return 0;
  return state === 'aborted' || state === 'expired' || state === 'purged' ? 0 : sizeBytes;
}

export function currentOf(model: Model, lineId: string): ModelFile | undefined {
  for (const file of model.files.values()) if (file.lineId === lineId && file.role === 'current') return file;
  return undefined;
}

export function versionsOf(model: Model, lineId: string): readonly ModelFile[] {
  return [...model.files.values()].filter((file) => file.lineId === lineId);
}

/** The name that a new or moved file gets; `undefined`: it is taken, and that is refused. */
export function nameFor(
  model: Model,
  wanted: { readonly name: string; readonly folderId: string; readonly lineId: string },
  keepBoth: boolean,
): string | undefined {
  const taken = (name: string): boolean =>
    [...model.files.values()].some(
      (file) =>
        file.folderId === wanted.folderId &&
        file.lineId !== wanted.lineId &&
        holdsName(file) &&
        file.name.toLowerCase() === name.toLowerCase(),
    );
  if (!taken(wanted.name)) return wanted.name;
  if (!keepBoth) return undefined;
  for (let number = 2; ; number++) {
    const name = wanted.name.replace(/(\.[a-z]+)?$/i, (ending) => ` (${number})${ending}`);
    if (!taken(name)) return name;
  }
}

const programStart = '\x7fELF';
const infected = 'HARMFUL!';

/** What the service makes of these bytes: refused as a program in disguise, malware, or nothing wrong. */
export function kindOf(content: string): 'program' | 'infected' | 'clean' {
  if (content.startsWith(programStart)) return 'program';
  return content.includes(infected) ? 'infected' : 'clean';
}

/** Bytes that were not sent before, of one of the kinds. */
export function contentOf(number: number, sizeBytes: number, way: number): string {
  const start = way % 7 === 0 ? programStart : way % 7 === 1 ? infected : 'text ';
  return sizeBytes === 0 ? '' : `${start}${String(number).padStart(8, '0')}`.padEnd(sizeBytes, '.').slice(0, sizeBytes);
}

// A command whose targets were looked up: what is sent to the service, as values. Two that race are looked up in the same moment.

import type { AnnouncedChecksum, CreateUploadRequest } from '@stowage/contract';
import { checksumOf, promise, promiseOfParts } from './announced-checksums.ts';
import type { Command } from './commands.ts';
import {
  type Announcement,
  arriving,
  categories,
  clockOffsets,
  contentOf,
  limits,
  type Model,
  type ModelFile,
  type ModelShare,
} from './model-state.ts';

interface OnFile {
  readonly file: ModelFile;
}

type Wanted = { readonly instance: number } & (
  | { readonly kind: 'create'; readonly body: CreateUploadRequest; readonly idempotencyKey?: string }
  | { readonly kind: 'createAgain'; readonly announcement: Announcement }
  | ({ readonly kind: 'copy' } & OnFile)
  | ({
      readonly kind: 'send' | 'sendAgain' | 'sendWrong';
      readonly content: string;
      readonly partNumber: number;
      /** What is said of the part when it is signed. */
      readonly partChecksum?: string;
    } & OnFile)
  | ({ readonly kind: 'hint' | 'complete' | 'abort' } & OnFile)
  | ({ readonly kind: 'abortOutside' } & OnFile)
  | ({ readonly kind: 'trash' | 'restore' | 'purge' | 'restoreVersion' | 'deleteVersion' } & OnFile)
  | { readonly kind: 'emptyTrash' }
  | ({ readonly kind: 'rename'; readonly name: string; readonly keepBoth: boolean } & OnFile)
  | ({ readonly kind: 'move'; readonly folderId: string; readonly keepBoth: boolean } & OnFile)
  | { readonly kind: 'folder'; readonly folderId: string | undefined }
  | ({ readonly kind: 'share'; readonly maxDownloads: number } & OnFile)
  | { readonly kind: 'openShare' | 'revokeShare'; readonly share: ModelShare }
  | { readonly kind: 'quota'; readonly quotaBytes: number | null }
  | { readonly kind: 'scanner'; readonly isUp: boolean }
  | { readonly kind: 'wait'; readonly durationMs: number }
  | { readonly kind: 'tick' }
  | { readonly kind: 'restart'; readonly offsetMs: number }
);

export type BoundCommand = Wanted;
/** What is asked of the service and answered by it: all but time and circumstances. */
export type Request = Exclude<BoundCommand, { readonly kind: 'tick' | 'wait' | 'restart' | 'scanner' | 'quota' }>;

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const waits = [
  minuteMs,
  11 * minuteMs,
  16 * minuteMs,
  31 * minuteMs,
  hourMs,
  dayMs - minuteMs,
  dayMs + minuteMs,
  8 * dayMs,
  31 * dayMs,
];
const names = ['a.txt', 'b.txt', 'A.TXT'] as const;
/** Files of one sequence: more would only make every command rarer for each. */
const maxFiles = 8;
/** One command in so many is done to any file, whether or not it can be. */
const anyOneIn = 4;
const smallSizeBytes = 24;
const unscannableSizeBytes = 100;
const firstPartBytes = 5 * 1024 * 1024;
/** One announcement in so many is of two parts, which cost as much as a sequence. */
const twoPartsOneIn = 83;
/** Of bytes whose checksum was said before. */
const wrongOneIn = 3;
/** Makes bytes that nothing is wrong with. */
const plainWay = 2;

/** What the command is now; `undefined` when there is nothing that it could be done to. */
export function bind(model: Model, command: Command, nextNumber: () => number): BoundCommand | undefined {
  const { kind, way, instance } = command;
  const files = [...model.files.values()];
  const file = command.grows === true ? growing(files, kind) : choose(files, command);
  const folder = [...model.folders][0];
  switch (kind) {
    case 'create': {
      if (files.length >= maxFiles) return undefined;
      const body = announce(model, command, file, nextNumber);
      return { kind, instance, body, ...(way % 5 === 0 ? { idempotencyKey: `key-${nextNumber()}` } : {}) };
    }
    case 'createAgain': {
      const announcement = model.announcements[command.target % Math.max(1, model.announcements.length)];
      return announcement === undefined || files.length >= maxFiles ? undefined : { kind, instance, announcement };
    }
    case 'openShare':
    case 'revokeShare': {
      const share = model.shares[command.target % Math.max(1, model.shares.length)];
      return share === undefined ? undefined : { kind, instance, share };
    }
    case 'emptyTrash':
    case 'tick':
      return { kind, instance };
    case 'restart':
      return { kind, instance, offsetMs: clockOffsets[way % clockOffsets.length] ?? 0 };
    case 'folder':
      return { kind, instance, folderId: way % 3 === 0 ? undefined : folder };
    case 'quota':
      return { kind, instance, quotaBytes: way % 2 === 0 ? null : 60 + (way % 5) * 24 };
    case 'scanner':
      return { kind, instance, isUp: !model.isScannerUp };
    case 'wait':
      return { kind, instance, durationMs: waits[way % waits.length] ?? minuteMs };
    default:
      return file === undefined ? undefined : bindToFile(model, { ...command, kind }, file, nextNumber);
  }
}

/** Of the files that keep few versions, the last that the command can be done to. */
function growing(files: readonly ModelFile[], kind: Command['kind']): ModelFile | undefined {
  return files.findLast((file) => file.category === 'few' && suits[kind]?.(file) === true);
}

/** Mostly one that the command can be done to; sometimes any. */
function choose(files: readonly ModelFile[], { kind, target, way }: Command): ModelFile | undefined {
  const fitting = (way >> 13) % anyOneIn === 0 ? [] : files.filter(suits[kind] ?? ((): boolean => true));
  const among = fitting.length > 0 ? fitting : files;
  return among[target % Math.max(1, among.length)];
}

const isArriving = ({ state }: ModelFile): boolean => arriving.has(state);
const isReady = ({ state, role }: ModelFile): boolean => state === 'ready' && role === 'current';
const isTrashed = ({ state }: ModelFile): boolean => state === 'trashed';
const isOlder = ({ role }: ModelFile): boolean => role === 'version';

const suits: Readonly<Partial<Record<Command['kind'], (file: ModelFile) => boolean>>> = {
  create: isReady,
  copy: isReady,
  send: isArriving,
  complete: isArriving,
  abort: isArriving,
  abortOutside: isArriving,
  trash: isReady,
  restore: isTrashed,
  purge: isTrashed,
  restoreVersion: isOlder,
  deleteVersion: isOlder,
  rename: isReady,
  move: isReady,
  share: isReady,
};

function bindToFile(
  model: Model,
  { kind, way, instance, grows }: Command & { readonly kind: Extract<BoundCommand, OnFile>['kind'] },
  file: ModelFile,
  nextNumber: () => number,
): BoundCommand | undefined {
  const common = { instance, file };
  switch (kind) {
    case 'copy':
      return model.files.size >= maxFiles ? undefined : { kind, ...common };
    case 'send':
    case 'sendAgain':
    case 'sendWrong': {
      if (file.strategy === 'copy' || (kind === 'sendAgain' && file.strategy === 'multipart')) return undefined;
      const partNumber = 1 + (way % Math.max(1, file.partCount));
      const sent = { kind, ...common, partNumber };
      const made = (over = 0): string =>
        contentOf(nextNumber(), partSizeOf(file, partNumber) + over, grows === true ? plainWay : way);
      if (kind === 'sendWrong') return { ...sent, content: made(1) };
      // One in so many is not what was said.
      const isRight = (way >> 9) % wrongOneIn !== 0;
      const { announcedAlgorithm: algorithm, announcedValue } = file;
      const meant = announcedValue === null ? undefined : model.promised.get(announcedValue);
      const content = meant === undefined || !isRight ? made() : partOf(meant, file, partNumber);
      if (file.strategy !== 'multipart' || algorithm === null || announcedValue !== null) return { ...sent, content };
      return { ...sent, content, partChecksum: checksumOf(algorithm, isRight ? content : made()) };
    }
    case 'abortOutside':
      return file.multipartUploadId === null || !arriving.has(file.state) ? undefined : { kind, ...common };
    case 'rename':
      return { kind, ...common, name: names[way % names.length] ?? names[0], keepBoth: way % 2 === 0 };
    case 'move':
      return { kind, ...common, folderId: way % 3 === 0 ? '' : ([...model.folders][0] ?? ''), keepBoth: way % 2 === 0 };
    case 'share':
      return { kind, ...common, maxDownloads: 1 + (way % 2) };
    default:
      return { kind, ...common };
  }
}

function announce(
  model: Model,
  { way, grows }: Command,
  file: ModelFile | undefined,
  nextNumber: () => number,
): CreateUploadRequest {
  if (grows === true) {
    const common = { name: names[0], sizeBytes: smallSizeBytes, contentType: 'text/plain', category: 'few' };
    return { ...common, accepts: ['put'], ...(file === undefined ? {} : { versionOf: file.lineId }) };
  }
  const bits = (shift: number, below: number): number => (way >> shift) % below;
  const isLarge = way % twoPartsOneIn === 0;
  const sizeClass = bits(2, 12);
  const sizeBytes = isLarge
    ? firstPartBytes + smallSizeBytes
    : sizeClass === 0
      ? 0
      : sizeClass === 1
        ? unscannableSizeBytes
        : smallSizeBytes;
  const wanted = isLarge ? 'multipart' : ((['put', 'form', 'multipart'] as const)[way % 3] ?? 'put');
  const means = sizeBytes === 0 && wanted === 'multipart' ? 'put' : wanted;
  const versionOf = bits(6, 3) === 0 ? file?.lineId : undefined;
  const folderId = bits(9, 4) === 0 ? [...model.folders][0] : undefined;
  const onConflict = (['keep-both', 'replace', 'refuse'] as const)[bits(11, 5)] ?? 'keep-both';
  const category = categories[bits(7, 9)] ?? 'default';
  const content = (): string => contentOf(nextNumber(), sizeBytes, way);
  const checksums: readonly (() => AnnouncedChecksum | undefined)[] = [
    () => undefined,
    () => promise(model, bits(8, 3), content()),
    () => (means === 'multipart' ? promiseOfParts(bits(8, 3)) : undefined),
  ];
  const checksum = checksums[bits(3, checksums.length)]?.();
  return {
    name: names[bits(4, names.length)] ?? names[0],
    sizeBytes,
    contentType: 'text/plain',
    accepts: [means],
    onConflict,
    category,
    ...(checksum === undefined ? {} : { checksum }),
    ...(versionOf === undefined ? {} : { versionOf }),
    ...(folderId === undefined ? {} : { folderId }),
  };
}

/** What of all bytes goes in this part. */
function partOf(content: string, file: ModelFile, partNumber: number): string {
  const from = file.strategy === 'multipart' ? (partNumber - 1) * firstPartBytes : 0;
  return content.slice(from, from + partSizeOf(file, partNumber));
}

/** Bytes that go in one request: all of them, or one part. */
function partSizeOf({ strategy, sizeBytes }: ModelFile, partNumber: number): number {
  if (strategy !== 'multipart') return sizeBytes;
  return Math.min(firstPartBytes, sizeBytes - (partNumber - 1) * firstPartBytes);
}

/** When an Idempotency-Key that is used now is forgotten. */
export function forgottenAt(nowMs: number): number {
  return nowMs + limits.idempotencyLifeMs;
}

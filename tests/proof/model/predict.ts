// What each request may answer and change: the service, said once more as a pure function over the model. Where the order of two
// things decides, each order is an outcome of its own.

import type { CreateUploadRequest, FileState } from '@stowage/contract';
import { checksumOf, isAsAnnounced } from './announced-checksums.ts';
import { forgottenAt, type Request } from './bound-command.ts';
import {
  arriving,
  bytesOf,
  chargeOf,
  currentOf,
  givenUp,
  isOnFilesShelf,
  judgedBy,
  limits,
  type Model,
  type ModelBytes,
  type ModelFile,
  nameFor,
  versionsOf,
} from './model-state.ts';

interface CreatedFile {
  readonly name: string;
  readonly folderId: string;
  readonly sizeBytes: number;
  /** The file that it is a version of. */
  readonly versionOf: string | undefined;
  readonly copiedFrom: string | undefined;
}

/** What of a file's row follows: of what is not named, nothing changes. */
interface FileChange {
  readonly state?: FileState;
  readonly role?: ModelFile['role'];
  readonly name?: string;
  /** Its folder is chosen by what became of the one that it was in. */
  readonly moves?: boolean;
}

export interface Outcome {
  /** Of the answer. */
  readonly status: number;
  readonly changes: ReadonlyMap<string, FileChange>;
  readonly creates: readonly CreatedFile[];
  /** What the model notes beside the rows. */
  readonly effect: (model: Model) => void;
}

/** Sent by whoever has a request; its URL is looked at by the bucket alone. */
export interface SendFacts {
  /** Until when the request that is used is good. */
  readonly expiresAtMs: number;
}

const nothing = (): void => undefined;

function answer(
  status: number,
  changes: Readonly<Record<string, FileChange>> = {},
  effect: Outcome['effect'] = nothing,
): Outcome {
  return { status, changes: new Map(Object.entries(changes)), creates: [], effect };
}

/**
 * Every outcome that is right; `firstRequests` are those that were handed out when files were announced, by file. Before a file is
 * added, in one transaction, others are looked up, in another: `lookedUp` is the model as it was then.
 */
export function predict(
  given: Model,
  request: Request,
  firstRequests: ReadonlyMap<string, SendFacts>,
  givenThen: Model = given,
): readonly Outcome[] {
  const model = judgedBy(given, request.instance);
  const lookedUp = judgedBy(givenThen, request.instance);
  switch (request.kind) {
    case 'create':
      return predictAnnouncement(model, request.body, request.idempotencyKey, lookedUp);
    case 'createAgain': {
      const body = JSON.parse(request.announcement.body) as CreateUploadRequest; // written by predictCreate
      return predictAnnouncement(model, body, request.announcement.key, lookedUp);
    }
    case 'copy':
      return [predictCopy(model, currentOf(lookedUp, request.file.lineId))];
    case 'send':
    case 'sendAgain':
    case 'sendWrong':
      return predictSend(model, request, firstRequests.get(request.file.id), given.nowMs);
    case 'hint':
      return [answer(204)];
    case 'complete':
      return predictComplete(model, latest(model, request.file));
    case 'abort': {
      const file = latest(model, request.file);
      if (givenUp.has(file.state)) return [answer(204)];
      if (!arriving.has(file.state)) return [answer(409)];
      return [answer(204, { [file.id]: { state: 'aborted' } }, (after) => noteDiscard(after, file))];
    }
    case 'abortOutside': {
      const file = latest(model, request.file);
      return [
        answer(204, {}, (after) => {
          const bytes = bytesOf(after, file);
          if (!arriving.has(file.state)) return;
          bytes.isLost = true;
          bytes.parts.clear();
        }),
      ];
    }
    case 'trash':
      return [predictTrash(currentOf(model, request.file.lineId))];
    case 'restore':
      return [predictRestore(model, currentOf(model, request.file.lineId))];
    case 'purge':
      return [predictPurge(model, currentOf(model, request.file.lineId))];
    case 'emptyTrash':
      return [answer(200)];
    case 'restoreVersion':
      return [predictRestoreVersion(model, latest(model, request.file))];
    case 'deleteVersion':
      return [predictDeleteVersion(model, latest(model, request.file))];
    case 'rename':
    case 'move':
      return [predictChange(model, request)];
    case 'folder':
      return predictFolder(model, request.folderId);
    case 'share': {
      const file = currentOf(model, request.file.lineId);
      if (file === undefined || file.state === 'purging' || file.state === 'purged') return [answer(404)];
      return [answer(file.state === 'ready' ? 201 : 409)];
    }
    case 'openShare': {
      const share = model.shares.find(({ id }) => id === request.share.id) ?? request.share;
      const isReady = currentOf(model, share.lineId)?.state === 'ready';
      if (!isReady || share.isRevoked || share.downloads >= share.maxDownloads) return [answer(410)];
      return [
        answer(302, {}, (after) => {
          const counted = after.shares.find(({ id }) => id === share.id);
          if (counted !== undefined) counted.downloads += 1;
        }),
      ];
    }
    case 'revokeShare':
      return [
        answer(204, {}, (after) => {
          const revoked = after.shares.find(({ id }) => id === request.share.id);
          if (revoked !== undefined) revoked.isRevoked = true;
        }),
      ];
  }
}

function latest(model: Model, { id }: ModelFile): ModelFile {
  const file = model.files.get(id);
  if (file === undefined) throw new Error(`The model has lost file ${id}.`);
  return file;
}

/** Whether the tenant has room for so many bytes more. */
function hasRoom(model: Model, sizeBytes: number): boolean {
  if (model.quotaBytes === null) return true;
  const taken = [...model.files.values()].reduce((sum, file) => sum + chargeOf(file), 0);
  return taken + sizeBytes <= model.quotaBytes;
}

/** A key is forgotten by the clock of whoever looks, or of an instance that is ahead and has tidied up. */
function predictAnnouncement(
  model: Model,
  body: CreateUploadRequest,
  idempotencyKey: string | undefined,
  lookedUp: Model,
): readonly Outcome[] {
  const stillKnown = (given: Model): Model => ({
    ...given,
    announcements: given.announcements.filter(({ expiresAtMs }) => Math.max(...given.clocksMs) < expiresAtMs),
  });
  const outcome = predictCreate(model, body, idempotencyKey, lookedUp);
  const mayBeForgotten = stillKnown(model).announcements.length < model.announcements.length;
  return mayBeForgotten
    ? [outcome, predictCreate(stillKnown(model), body, idempotencyKey, stillKnown(lookedUp))]
    : [outcome];
}

function predictCreate(
  model: Model,
  body: CreateUploadRequest,
  idempotencyKey: string | undefined,
  lookedUp: Model,
): Outcome {
  const { name, folderId = '', versionOf, onConflict, sizeBytes } = body;
  // The key is looked for before all else: what the first request found need not be there any more.
  const repeated = predictRepeated(lookedUp, body, idempotencyKey);
  if (repeated !== undefined) return repeated;
  let line: ModelFile | undefined;
  if (versionOf !== undefined) {
    line = currentOf(lookedUp, versionOf);
    if (line?.state !== 'ready') return answer(404);
  } else {
    if (folderId !== '' && !model.folders.has(folderId)) return answer(404);
    if (onConflict === 'replace') {
      const there = [...lookedUp.files.values()].find(
        (file) => file.folderId === folderId && isOnFilesShelf(file) && file.name.toLowerCase() === name.toLowerCase(),
      );
      if (there?.state === 'ready') line = there;
    }
  }
  // And again in the transaction that adds the row: a twin may have come in between.
  const twin = predictRepeated(model, body, idempotencyKey);
  if (twin !== undefined) return twin;
  if (!hasRoom(model, sizeBytes)) return answer(422);
  const place = { name, folderId, lineId: '' };
  const chosen = line === undefined ? nameFor(model, place, onConflict !== 'refuse') : name;
  if (chosen === undefined) return answer(409);
  const note = (after: Model): void => {
    if (idempotencyKey === undefined) return;
    const announcement = { key: idempotencyKey, body: JSON.stringify(body), expiresAtMs: forgottenAt(model.nowMs) };
    const place = after.announcements.findIndex(({ key }) => key === idempotencyKey);
    if (place < 0) after.announcements.push(announcement);
    else after.announcements[place] = announcement;
  };
  const created = {
    name: chosen,
    folderId: line?.folderId ?? folderId,
    sizeBytes,
    versionOf: line?.lineId,
    copiedFrom: undefined,
  };
  return { status: 201, changes: new Map(), creates: [created], effect: note };
}

/** What a key that is known already brings about: the answer that it brought the first time, and nothing new. */
function predictRepeated(
  { announcements, nowMs }: Model,
  body: CreateUploadRequest,
  idempotencyKey: string | undefined,
): Outcome | undefined {
  const known = announcements.find(({ key }) => key === idempotencyKey);
  if (known === undefined || nowMs >= known.expiresAtMs) return undefined;
  return answer(known.body === JSON.stringify(body) ? 201 : 409);
}

function predictCopy(model: Model, source: ModelFile | undefined): Outcome {
  if (source === undefined || givenUp.has(source.state)) return answer(404);
  if (source.state !== 'ready') return answer(409);
  if (!hasRoom(model, source.sizeBytes)) return answer(422);
  const name = nameFor(model, { name: source.name, folderId: source.folderId, lineId: '' }, true) ?? source.name;
  const { folderId, sizeBytes } = source;
  const created = { name, folderId, sizeBytes, versionOf: undefined, copiedFrom: source.id };
  return { status: 201, changes: new Map(), creates: [created], effect: nothing };
}

function predictSend(
  model: Model,
  {
    kind,
    file: given,
    content,
    partNumber,
    partChecksum,
  }: Extract<Request, { readonly kind: 'send' | 'sendAgain' | 'sendWrong' }>,
  first: SendFacts | undefined,
  bucketNowMs: number,
): readonly Outcome[] {
  const file = latest(model, given);
  const bytes = bytesOf(model, file);
  if (file.strategy === 'multipart') {
    const isOpen = (file.state === 'pending' || file.state === 'uploading') && model.nowMs < file.expiresAtMs;
    if (!isOpen) return [answer(409)];
    if (kind === 'sendWrong' || bucketNowMs >= urlEndsAt(model, file)) return [answer(403)];
    if (bytes.isLost) return [answer(404)];
    const { announcedAlgorithm: algorithm } = file;
    if (algorithm !== null && partChecksum !== undefined && partChecksum !== checksumOf(algorithm, content))
      return [answer(400)];
    return [answer(200, {}, (after) => void bytesOf(after, file).parts.set(partNumber, [content]))];
  }
  // Whoever asks anew gets a request as long as the upload is pending and its time is not over; else the first one is used.
  const isFresh = kind === 'send' && file.state === 'pending' && model.nowMs < file.expiresAtMs;
  const endsAtMs = isFresh ? urlEndsAt(model, file) : first?.expiresAtMs;
  if (endsAtMs === undefined || bucketNowMs >= endsAtMs) return [answer(403)];
  if (kind === 'sendWrong') return [answer(file.strategy === 'form' ? 400 : 403)];
  const taken = answer(412);
  // The checksum is in the signature of a PUT; a form has none, and its bytes are judged when they have come.
  if (file.strategy === 'put' && !isAsAnnounced(model, file, content)) {
    const mayBeTaken = file.sealedBy === 'if-none-match' && (bytes.arrived.length > 0 || !arriving.has(file.state));
    return [answer(400), ...(mayBeTaken ? [taken] : [])];
  }
  const written = answer(200, {}, (after) => noteBytes(after, file, { arrived: [content] }));
  if (file.sealedBy !== 'if-none-match') return [written];
  // What was given up is removed at some time; until its URL is dead it can be written once more, and means nothing.
  if (file.state === 'aborted' || file.state === 'expired') return [taken, written];
  if (!arriving.has(file.state)) return [taken];
  return [bytes.arrived.length > 0 ? taken : written];
}

/** Until when a URL is good that is signed now: dated in whole seconds, and never longer than its upload. */
function urlEndsAt({ nowMs }: Model, { expiresAtMs }: ModelFile): number {
  const lifeSeconds = Math.max(1, Math.floor(Math.min(limits.urlLifeMs, expiresAtMs - nowMs) / 1000));
  return (Math.floor(nowMs / 1000) + lifeSeconds) * 1000;
}

function predictComplete(model: Model, file: ModelFile): readonly Outcome[] {
  if (givenUp.has(file.state)) return [answer(409)];
  if (!arriving.has(file.state)) return [answer(200)];
  const bytes = bytesOf(model, file);
  if (file.strategy === 'multipart') {
    if (bytes.isLost) return [answer(409, { [file.id]: { state: 'aborted' } }, (after) => noteDiscard(after, file))];
    if (bytes.parts.size < file.partCount) return [answer(409)];
    const contents = joined(model, file);
    const right = contents.filter((content) => isJoined(model, file, content));
    return [
      ...(right.length > 0 ? [stored(file, right)] : []),
      ...(right.length < contents.length ? [answer(409, { [file.id]: { state: 'uploading' as const } })] : []),
    ];
  }
  if (file.strategy === 'copy' || bytes.arrived.length === 0) return [answer(409)];
  return [stored(file, bytes.arrived)];
}

function stored(file: ModelFile, content: readonly string[]): Outcome {
  return answer(200, { [file.id]: { state: 'uploaded' } }, (after) => noteBytes(after, file, { content }));
}

/** Whether the bucket joins the parts: of what was announced of the whole it can tell a CRC-64 by those of the parts alone. */
export function isJoined(model: Model, file: ModelFile, content: string): boolean {
  return file.announcedAlgorithm !== 'crc64nvme' || isAsAnnounced(model, file, content);
}

/** What all parts make together. */
export function joined(model: Model, file: ModelFile): readonly string[] {
  const parts = [...bytesOf(model, file).parts].sort(([one], [other]) => one - other);
  return parts.reduce<readonly string[]>(
    (begun, [, ends]) => begun.flatMap((start) => ends.map((end) => start + end)),
    [''],
  );
}

function predictTrash(file: ModelFile | undefined): Outcome {
  switch (file?.state) {
    case undefined:
    case 'purging':
    case 'purged':
      return answer(404);
    case 'trashed':
      return answer(204);
    case 'ready':
      return answer(204, { [file.id]: { state: 'trashed' } });
    case 'rejected':
    case 'quarantined':
    case 'scan-failed':
      return answer(204, { [file.id]: { state: 'purging' } });
    default:
      return answer(409);
  }
}

function predictRestore(model: Model, file: ModelFile | undefined): Outcome {
  switch (file?.state) {
    case undefined:
    case 'purging':
    case 'purged':
      return answer(404);
    case 'ready':
      return answer(200);
    case 'trashed': {
      // Out of a folder of the trash it may come to another of the same name, where the numbers are others.
      const isAbove = file.folderId === '' || model.folders.has(file.folderId);
      const name = isAbove ? nameFor(model, file, true) : undefined;
      return answer(200, { [file.id]: { state: 'ready', moves: true, ...(name === undefined ? {} : { name }) } });
    }
    default:
      return answer(409);
  }
}

function isRetained(model: Model, { retainUntilMs }: ModelFile): boolean {
  return retainUntilMs !== null && retainUntilMs > model.nowMs;
}

function predictPurge(model: Model, file: ModelFile | undefined): Outcome {
  if (file === undefined) return answer(404);
  if (file.state === 'purging' || file.state === 'purged') return answer(204);
  if (file.state !== 'trashed') return answer(409);
  if (versionsOf(model, file.lineId).some((version) => isRetained(model, version))) return answer(409);
  return answer(204, { [file.id]: { state: 'purging' } });
}

/** Versions can be asked for as long as their file is there. */
function findVersion(model: Model, version: ModelFile): boolean {
  const current = currentOf(model, version.lineId);
  if (current === undefined || current.state === 'purging' || current.state === 'purged') return false;
  return !givenUp.has(version.state);
}

function predictRestoreVersion(model: Model, version: ModelFile): Outcome {
  if (!findVersion(model, version)) return answer(404);
  if (version.role === 'current') return answer(200);
  if (version.state !== 'ready') return answer(409);
  const current = currentOf(model, version.lineId);
  if (current?.state !== 'ready') return answer(409);
  return answer(200, {
    [current.id]: { role: 'version' },
    [version.id]: { role: 'current', name: current.name, moves: true },
  });
}

function predictDeleteVersion(model: Model, version: ModelFile): Outcome {
  if (!findVersion(model, version)) return answer(404);
  if (version.role === 'current') return answer(409);
  if (isRetained(model, version)) return answer(409);
  if (['ready', 'trashed', 'rejected', 'quarantined', 'scan-failed'].includes(version.state)) {
    return answer(204, { [version.id]: { state: 'purging' } });
  }
  return answer(409);
}

function predictChange(model: Model, request: Extract<Request, { readonly kind: 'rename' | 'move' }>): Outcome {
  const file = currentOf(model, request.file.lineId);
  if (file === undefined || file.state === 'purging' || file.state === 'purged') return answer(404);
  if (!isOnFilesShelf(file)) return answer(409);
  const name = request.kind === 'rename' ? request.name : file.name;
  const folderId = request.kind === 'move' ? request.folderId : file.folderId;
  if (folderId !== '' && !model.folders.has(folderId)) return answer(404);
  const chosen = nameFor(model, { name, folderId, lineId: file.lineId }, request.keepBoth);
  if (chosen === undefined) return answer(409);
  return answer(200, { [file.id]: { name: chosen, moves: request.kind === 'move' } });
}

function predictFolder(model: Model, folderId: string | undefined): readonly Outcome[] {
  if (folderId === undefined) return [answer(model.folders.size > 0 ? 409 : 201)];
  if (!model.folders.has(folderId)) return [answer(404)];
  const changes: Record<string, FileChange> = {};
  for (const file of model.files.values()) {
    if (file.folderId === folderId && file.role === 'current' && file.state === 'ready')
      changes[file.id] = { state: 'trashed' };
  }
  return [answer(204, changes)];
}

function noteDiscard(after: Model, file: ModelFile): void {
  noteBytes(after, file, { isDiscardPending: true });
}

function noteBytes(after: Model, file: ModelFile, known: Partial<ModelBytes>): void {
  after.bytes.set(file.id, { ...bytesOf(after, file), ...known });
}

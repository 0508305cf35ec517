// What the service does by itself when it is told to do what is due: for each file, the states in which it may be afterwards. Which
// of its own deadlines have come is read from the model's rows; what follows from each is said here once more.

import type { FileState } from '@stowage/contract';
import { isAsAnnounced } from './announced-checksums.ts';
import {
  arriving,
  bytesOf,
  currentOf,
  keptVersionsOf,
  kindOf,
  limits,
  type Model,
  type ModelFile,
  versionsOf,
} from './model-state.ts';
import { isJoined, joined } from './predict.ts';

type AllowedStates = ReadonlyMap<string, ReadonlySet<FileState>>;

/** What may follow by any of the clocks of those that work. */
export function predictWork(model: Model, clocksMs: readonly number[]): AllowedStates {
  const allowed = new Map<string, Set<FileState>>();
  for (const nowMs of clocksMs)
    for (const [id, states] of predictAt({ ...model, nowMs }))
      allowed.set(id, new Set([...(allowed.get(id) ?? []), ...states]));
  return allowed;
}

function predictAt(model: Model): AllowedStates {
  const allowed = new Map<string, Set<FileState>>();
  for (const file of model.files.values()) allowed.set(file.id, new Set(statesOf(model, file)));
  // What depends on other files: copies of sources that go, versions that are one too many, folders in the trash.
  for (const file of model.files.values()) {
    const states = allowed.get(file.id);
    if (states === undefined) continue;
    const source = file.copiedFrom === null ? undefined : allowed.get(file.copiedFrom);
    if (
      file.strategy === 'copy' &&
      file.state === 'pending' &&
      isDue(model, file, 'copy') &&
      [...(source ?? [])].some((state) => state !== 'ready')
    )
      states.add('aborted');
    if (file.folderId !== '' && !model.folders.has(file.folderId) && states.has('ready')) states.add('trashed');
    const fate = fateOf(model, file, allowed);
    if (fate !== 'stays') for (const state of removed) states.add(state);
    if (fate === 'goes') states.delete('ready');
  }
  return allowed;
}

/** From where a version goes with its file. */
const ended: ReadonlySet<FileState> = new Set([
  'ready',
  'trashed',
  'rejected',
  'quarantined',
  'scan-failed',
  'aborted',
  'expired',
]);

const removed = ['trashed', 'purging', 'purged'] as const satisfies readonly FileState[];

type Fate = 'stays' | 'may go' | 'goes';

/** What becomes of a version because of the others: it goes with its file, or newer ones make it one too many. */
function fateOf(model: Model, file: ModelFile, allowed: AllowedStates): Fate {
  const statesOfOther = ({ id }: ModelFile): readonly FileState[] => [...(allowed.get(id) ?? [])];
  const line = versionsOf(model, file.lineId);
  if (line.length < 2 || !statesOfOther(file).some((state) => ended.has(state))) return 'stays';
  const current = currentOf(model, file.lineId);
  if (current === undefined || statesOfOther(current).some((state) => state === 'purging' || state === 'purged'))
    return 'may go';
  // Each that becomes ready takes its place before all others, and has those removed that are one too many.
  const newer = line.filter((other) => other.state !== 'ready' && statesOfOther(other).includes('ready'));
  const surelyNewer = newer.filter((other) => statesOfOther(other).length === 1);
  const isDueAnyway = line.some((other) => isDue(model, other, 'prune'));
  const older = line
    .filter(({ state, role }) => state === 'ready' && role === 'version')
    .sort((one, other) => other.versionNumber - one.versionNumber || (one.id < other.id ? 1 : -1));
  const kept = keptVersionsOf(file.category);
  if (!isDueAnyway && newer.length === 0) return 'stays';
  if (statesOfOther(current).join() !== 'ready') {
    // Nothing takes the place of what is in the trash, or on its way there.
    return older.length + newer.length >= kept ? 'may go' : 'stays';
  }
  const isPrunedSurely = isDueAnyway || surelyNewer.length > 0;
  // Each newer one has all others stand one place further back; of them themselves the first is the current one.
  const fateAt = (place: number): Fate => {
    if (isPrunedSurely && place + surelyNewer.length >= kept) return 'goes';
    return place + newer.length >= kept ? 'may go' : 'stays';
  };
  if (newer.includes(file)) return newer.length - 2 >= kept ? 'may go' : 'stays';
  if (file.id === current.id) return fateAt(-1);
  return older.includes(file) ? fateAt(older.indexOf(file)) : 'stays';
}

function isDue(model: Model, file: ModelFile, job: string): boolean {
  return (file.jobs[job] ?? Number.POSITIVE_INFINITY) <= model.nowMs;
}

function isReviewed(model: Model, file: ModelFile): boolean {
  return file.reviewAtMs !== null && file.reviewAtMs <= model.nowMs;
}

function statesOf(model: Model, file: ModelFile): readonly FileState[] {
  const reviewed = isReviewed(model, file);
  switch (file.state) {
    case 'pending':
    case 'uploading':
    case 'completing':
      return uploadStates(model, file);
    case 'uploaded':
    case 'validating':
    case 'scanning':
      return reviewed || isDue(model, file, 'validate')
        ? judgedStates(model, file, bytesOf(model, file).content)
        : [file.state];
    case 'trashed':
      if (!reviewed || isRetained(model, file)) return ['trashed'];
      return goneStates(model, file);
    case 'rejected':
    case 'quarantined':
    case 'scan-failed':
    case 'aborted':
    case 'expired':
      return reviewed ? goneStates(model, file) : [file.state];
    case 'purging':
      return reviewed || isDue(model, file, 'purge') ? ['purged'] : ['purging'];
    case 'ready':
    case 'purged':
      return [file.state];
  }
}

function uploadStates(model: Model, file: ModelFile): readonly FileState[] {
  const reviewed = isReviewed(model, file);
  const looked = reviewed || isDue(model, file, 'reconcile');
  const isOver = reviewed && model.nowMs >= file.expiresAtMs;
  const bytes = bytesOf(model, file);
  switch (file.strategy) {
    case 'copy': {
      const copied = isDue(model, file, 'copy');
      if (isOver)
        return copied && model.files.get(file.copiedFrom ?? '')?.state === 'ready'
          ? ['expired', ...copyStates(model, file)]
          : ['expired'];
      return copied ? copyStates(model, file) : [file.state];
    }
    case 'multipart': {
      if (!looked) return [file.state];
      if (bytes.isLost) return ['aborted'];
      if (isOver) return bytes.parts.size === file.partCount ? joinedStates(model, file) : ['expired'];
      return [bytes.parts.size > 0 ? 'uploading' : file.state];
    }
    default:
      if (!looked) return [file.state];
      if (bytes.arrived.length > 0) return judgedStates(model, file, bytes.arrived);
      return [isOver ? 'expired' : file.state];
  }
}

/** Parts that are not what was announced do not become so by waiting. */
function joinedStates(model: Model, file: ModelFile): readonly FileState[] {
  const contents = joined(model, file);
  const right = contents.filter((content) => isJoined(model, file, content));
  return [...judgedStates(model, file, right), ...(right.length < contents.length ? (['expired'] as const) : [])];
}

function copyStates(model: Model, file: ModelFile): readonly FileState[] {
  const source = model.files.get(file.copiedFrom ?? '');
  if (source?.state !== 'ready') return ['aborted'];
  return judgedStates(model, file, bytesOf(model, source).content);
}

function isRetained(model: Model, { retainUntilMs }: ModelFile): boolean {
  return retainUntilMs !== null && retainUntilMs > model.nowMs;
}

/** Bytes go when no URL can write them again. */
function goneStates(model: Model, { strategy, signedUntilMs }: ModelFile): readonly FileState[] {
  const byUrl = strategy === 'put' || strategy === 'form';
  return byUrl && signedUntilMs + limits.urlLifeMs > model.nowMs ? ['purging'] : ['purged'];
}

/** From stored bytes to rest. */
function judgedStates(model: Model, file: ModelFile, contents: readonly string[]): readonly FileState[] {
  return [...new Set(contents.flatMap((content) => verdictStates(model, file, content)))];
}

function verdictStates(model: Model, file: ModelFile, content: string): readonly FileState[] {
  if (!isAsAnnounced(model, file, content)) return ['rejected'];
  const kind = kindOf(content);
  if (kind === 'program') return ['rejected'];
  if (file.category === 'unscanned') return ['ready'];
  const isRequired = file.category !== 'available';
  if (content.length > limits.scanMaxBytes) return [isRequired ? 'scan-failed' : 'ready'];
  if (model.isScannerUp) return [kind === 'infected' ? 'quarantined' : 'ready'];
  const waitedMs = file.state === 'scanning' ? model.nowMs - (file.scanningSinceMs ?? model.nowMs) : 0;
  return [!isRequired && waitedMs >= limits.scanHoldMs ? 'ready' : 'scanning'];
}

/** What a file that was looked at may still be doing: a job that failed is tried again later, its own or that of a newer version. */
export function mayWait(
  after: ModelFile,
  before: ModelFile | undefined,
  seen: ReadonlyMap<string, ModelFile>,
): boolean {
  const works: readonly FileState[] = ['uploaded', 'validating', 'scanning', 'purging'];
  const isSame = after.state === before?.state;
  if (isSame && [...seen.values()].some(({ lineId, jobs }) => lineId === after.lineId && jobs.prune !== undefined))
    return true;
  return (works.includes(after.state) || isSame || arriving.has(after.state)) && Object.keys(after.jobs).length > 0;
}

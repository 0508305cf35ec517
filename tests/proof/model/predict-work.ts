// What the service does by itself when it is told to do what is due: for each file, the states in which it may be afterwards. Which
// of its own deadlines have come is read from the model's rows; what follows from each is said here once more.

import type { FileState } from '@stowage/contract';
import { arriving, bytesOf, currentOf, kindOf, limits, type Model, type ModelFile, versionsOf } from './model-state.ts';
import { joined } from './predict.ts';

type AllowedStates = ReadonlyMap<string, ReadonlySet<FileState>>;

export function predictWork(model: Model): AllowedStates {
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
    const canGo = [...states].some((state) => ended.has(state));
    if (canGo && versionsOf(model, file.lineId).length > 1 && mayGo(model, file, allowed)) {
      for (const state of ['trashed', 'purging', 'purged'] as const) states.add(state);
    }
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

/** Whether this version may go: its file goes, or a newer version makes it one too many. */
function mayGo(model: Model, file: ModelFile, allowed: AllowedStates): boolean {
  const current = currentOf(model, file.lineId);
  const fileGoes = [...(allowed.get(current?.id ?? '') ?? [])].some(
    (state) => state === 'purging' || state === 'purged',
  );
  const isPruned = versionsOf(model, file.lineId).some(
    (other) =>
      other.jobs.prune !== undefined || (other.state !== 'ready' && allowed.get(other.id)?.has('ready') === true),
  );
  return fileGoes || isPruned;
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
      if (isOver)
        return bytes.parts.size === file.partCount ? judgedStates(model, file, joined(model, file)) : ['expired'];
      return [bytes.parts.size > 0 ? 'uploading' : file.state];
    }
    default:
      if (!looked) return [file.state];
      if (bytes.arrived.length > 0) return judgedStates(model, file, bytes.arrived);
      return [isOver ? 'expired' : file.state];
  }
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
  const kind = kindOf(content);
  if (kind === 'program') return ['rejected'];
  if (file.category === 'unscanned') return ['ready'];
  const isRequired = file.category !== 'available';
  if (content.length > limits.scanMaxBytes) return [isRequired ? 'scan-failed' : 'ready'];
  if (model.isScannerUp) return [kind === 'infected' ? 'quarantined' : 'ready'];
  const waitedMs = file.state === 'scanning' ? model.nowMs - (file.scanningSinceMs ?? model.nowMs) : 0;
  return [!isRequired && waitedMs >= limits.scanHoldMs ? 'ready' : 'scanning'];
}

/** What a file that was looked at may still be doing: a job that failed is tried again later. */
export function mayWait(after: ModelFile, before: ModelFile | undefined): boolean {
  const works: readonly FileState[] = ['uploaded', 'validating', 'scanning', 'purging'];
  return (
    (works.includes(after.state) || after.state === before?.state || arriving.has(after.state)) &&
    Object.keys(after.jobs).length > 0
  );
}

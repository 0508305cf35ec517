// Invariants about bytes: what `ready` means (1), who can get at them (2), what counts as success (6), what purging leaves (8), and
// whose verdict applies (10).

import type { FileState } from '@stowage/contract';
import { type Examination, named } from './examination.ts';
import { type FileFacts, isAlgorithm, statesWithBytes } from './facts.ts';

/** 1: `ready` means the object with that key, version or ETag exists, with that size and checksum, and those bytes were scanned. */
export function* readyBytes({ files, bytes, claims, witnesses }: Examination): Generator<string> {
  for (const file of files) {
    // What is in the trash becomes ready again by a change of its row alone.
    if (file.state !== 'ready' && file.state !== 'trashed') continue;
    const stored = bytes.get(file.id);
    // Somebody else took them away, and the row says so; then no door may lead to them.
    if (isKnownMissing(file)) continue;
    if (stored === undefined) {
      yield `The bucket does not hold the bytes of ${named(file)}.`;
      continue;
    }
    if (stored.etag !== file.objectEtag)
      yield `Of ${named(file)} the row says ETag ${file.objectEtag}, the bucket ${stored.etag}.`;
    if (stored.sizeBytes !== file.sizeBytes)
      yield `Of ${named(file)} the row says ${file.sizeBytes} bytes, the bucket ${stored.sizeBytes}.`;
    if (file.checksumAlgorithm !== null && !isAlgorithm(file.checksumAlgorithm))
      yield `The row of ${named(file)} names the checksum ${file.checksumAlgorithm}, which S3 does not know.`;
    for (const [index, { by, algorithm, value }] of (claims.get(file.id) ?? []).entries())
      if (stored.checksums[index] !== value)
        yield `Of ${named(file)} ${by} says ${algorithm} ${value}, the bytes ${stored.checksums[index]}.`;
    if (file.scanPolicy === null) yield `Nothing says what judged ${named(file)}.`;
    // Of nothing nobody needs a verdict.
    if (witnesses.verdictOn === undefined || stored.sizeBytes === 0) continue;
    if (wasScanned(file) && witnesses.verdictOn(stored.sha256) === undefined)
      yield `The bytes of ${named(file)}, SHA-256 ${stored.sha256}, were never before the scanner.`;
  }
}

/** 2: No download URL, preview, share or archive for anything not `ready`. */
export async function* closedDoors({ files, versions, keys, witnesses }: Examination): AsyncGenerator<string> {
  const states = new Map(files.map(({ id, state }) => [id, state]));
  const currents = new Map(files.filter(({ role }) => role === 'current').map(({ lineId, state }) => [lineId, state]));
  for (const { key } of versions) {
    const read = keys.read(key);
    const state = read === undefined ? undefined : states.get(read.fileId);
    if (read?.zone !== 'previews' || state === undefined || mayHavePreviews.has(state)) continue;
    yield `There is a preview ${key} of file ${read.fileId}, which is ${state}.`;
  }
  for (const file of files) {
    if (file.previews !== '[]' && !mayHavePreviews.has(file.state))
      yield `The row of ${named(file)} speaks of previews ${file.previews}.`;
    // An earlier version is given out while its file is: that of a file in the trash is not.
    const isGiven = file.state === 'ready' && currents.get(file.lineId) === 'ready' && !isKnownMissing(file);
    if (witnesses.doors === undefined || isGiven) continue;
    for (const { door, status, opened } of await witnesses.doors.asOwner(file))
      if (opened) yield `${door} answered ${status} and gave a way to the bytes of ${named(file)}.`;
  }
}

const mayHavePreviews: ReadonlySet<FileState> = new Set(['ready', 'trashed', 'purging']);

/** 6: NoSuchUpload never means success; only a matching HEAD does. */
export function* confirmedBytes({ files, bytes, uploads, settled }: Examination): Generator<string> {
  for (const file of files) {
    if (!statesWithBytes.has(file.state) || isKnownMissing(file)) continue;
    const stored = bytes.get(file.id);
    if (file.objectEtag === null) yield `The row of ${named(file)} holds no ETag: no HEAD was believed.`;
    if (stored === undefined) yield `The bucket answers 404 for ${named(file)}.`;
    else if (stored.etag !== file.objectEtag)
      yield `The bucket holds ETag ${stored.etag} for ${named(file)}, not ${file.objectEtag}.`;
    if (!settled || file.state === 'uploaded') continue;
    for (const { key, uploadId } of uploads)
      if (key === file.objectKey || key === file.stagingKey)
        yield `The upload ${uploadId} of ${named(file)} still stands beside its object.`;
  }
}

/** 8: Purge: row `purging`, then all versions and previews, then `purged`. */
export function* purgedBytes({ files, versions, uploads, keys, nowMs, clockSpreadMs }: Examination): Generator<string> {
  const states = new Map(files.map((file) => [file.id, file]));
  const purgedLines = new Set(
    files.filter(({ role, state }) => role === 'current' && state === 'purged').map(({ lineId }) => lineId),
  );
  for (const { key } of [...versions, ...uploads]) {
    const read = keys.read(key);
    const file = read === undefined ? undefined : states.get(read.fileId);
    if (file?.state === 'purged') yield `The bucket still holds ${key} of file ${file.id}, which is purged.`;
  }
  for (const file of files) {
    if (file.state === 'purged' && file.trashedAtMs !== null && file.objectEtag === null)
      yield `${named(file)} was in the trash without ever having had bytes.`;
    // Whoever asks for a purge sets the time to that of asking, by a clock that may have been set back since.
    const latestMs = nowMs + clockSpreadMs;
    if ((file.state === 'purging' || file.state === 'purged') && file.purgeAtMs !== null && file.purgeAtMs > latestMs)
      yield `${named(file)} was to be kept until ${file.purgeAtMs}; it is ${nowMs}.`;
    if (!purgedLines.has(file.lineId) || goes(file)) continue;
    yield `File ${file.lineId} is purged, and its version ${named(file)} is still there.`;
  }
}

/** Whether a version of a purged file goes by itself: it is going, has gone, or waits for the end of what is retained. */
function goes({ state, reviewAtMs, purgeAtMs }: FileFacts): boolean {
  switch (state) {
    case 'purging':
    case 'purged':
      return true;
    case 'ready':
      return false;
    case 'trashed':
      return purgeAtMs !== null && reviewAtMs !== null;
    default:
      return reviewAtMs !== null;
  }
}

/** 10: A verdict applies only if file, version and fence still match. */
export function* appliedVerdicts(examination: Examination): Generator<string> {
  const { files, bytes, witnesses, history } = examination;
  yield* history?.compare(examination) ?? [];
  const { verdictOn } = witnesses;
  if (verdictOn === undefined) return;
  for (const file of files) {
    // The same bytes may have been scanned for somebody whose policy wants it.
    if (!wasScanned(file)) continue;
    const verdict = verdictOn(bytes.get(file.id)?.sha256 ?? '');
    if ((file.state === 'ready' || file.state === 'trashed') && verdict === 'infected')
      yield `The scanner found malware in the bytes of ${named(file)}.`;
    if (file.state === 'quarantined' && verdict !== 'infected')
      yield `The scanner did not find malware in the bytes of ${named(file)}, but said ${verdict ?? 'nothing'}.`;
  }
}

function wasScanned({ scanPolicy }: FileFacts): boolean {
  return scanPolicy?.startsWith('not scanned') !== true;
}

function isKnownMissing({ missingSinceMs }: FileFacts): boolean {
  return missingSinceMs !== undefined && missingSinceMs !== null;
}

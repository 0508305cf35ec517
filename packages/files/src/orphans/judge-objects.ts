// Holds a stretch of the bucket's listing against the rows of the same stretch, both in the order of their keys. Nothing is asked and
// nothing is changed here: what comes out are suspicions, each to be looked at once more before anything is done.

import type { FileState } from '@stowage/contract';
import { previewPresets } from '@stowage/contract';
import type { ListedObject } from '../bucket/bucket.ts';
import type { FileKeys, OwnKey } from '../file-key.ts';
import type { Claim, Finding } from './reconcile-record.ts';

interface JudgeContext {
  readonly keys: FileKeys;
  /** What was changed after this is not judged. */
  readonly beforeMs: number;
  /** No URL that could write is good, nor an upload by one on its way, when it was signed until before this. */
  readonly signedBeforeMs: number;
  /** The rows of some files, by their ids. */
  readonly claimsById: (ids: readonly string[]) => Promise<readonly Claim[]>;
}

interface Judged {
  readonly findings: readonly Finding[];
  /** Objects that were too young. */
  readonly young: number;
}

/** States in which nothing of a file moves any more: what lies elsewhere than its row says is left over. */
const atRest: ReadonlySet<FileState> = new Set([
  'ready',
  'trashed',
  'rejected',
  'quarantined',
  'scan-failed',
  'purged',
]);

/** Whether the bucket must hold the bytes of such a file. */
export function mustHaveBytes(claim: Pick<Claim, 'state'>): boolean {
  return claim.state === 'ready' || claim.state === 'trashed';
}

/** `objects` and `claims`: all there are of a stretch of keys, each in order. */
export async function judgeObjects(
  objects: readonly ListedObject[],
  claims: readonly Claim[],
  context: JudgeContext,
): Promise<Judged> {
  const findings: Finding[] = [];
  let young = 0;
  const claimed = new Map(claims.map((claim) => [claim.objectKey, claim]));
  const groups = Map.groupBy(objects, ({ key }) => key);
  for (const claim of claims) {
    const group = groups.get(claim.objectKey) ?? [];
    findings.push(...judgeClaim(claim, group, context));
  }
  const unclaimed: [ListedObject, OwnKey][] = [];
  for (const [key, group] of groups) {
    if (claimed.has(key)) continue;
    const newest = group.find(({ isDeleteMarker }) => !isDeleteMarker);
    const own = context.keys.read(key);
    if (own === undefined) findings.push(...group.map((object) => ofObject('object-foreign', object)));
    // The marker says whose the bucket is.
    else if (own.zone === 'owner') continue;
    // What only hides other versions, and has none to hide, takes no room.
    else if (newest === undefined) continue;
    else if (group.some(({ modifiedAtMs }) => modifiedAtMs >= context.beforeMs)) young += 1;
    else unclaimed.push([newest, own]);
  }
  const ids = new Set(unclaimed.map(([, { fileId }]) => fileId).filter((id) => id !== ''));
  const known = new Map((await context.claimsById([...ids])).map((claim) => [claim.id, claim]));
  for (const [object, own] of unclaimed) {
    const kind = judgeUnclaimed(object.key, own, known.get(own.fileId), context);
    if (kind !== undefined) findings.push({ ...ofObject(kind, object), fileId: own.fileId === '' ? null : own.fileId });
  }
  return { findings, young };
}

/** A row and all versions there are of the object that it names. */
function judgeClaim(claim: Claim, group: readonly ListedObject[], { beforeMs }: JudgeContext): readonly Finding[] {
  const versions = group.filter(({ isDeleteMarker }) => !isDeleteMarker);
  const [newest] = versions;
  if (claim.state === 'purged') {
    const old = newest !== undefined && group.every(({ modifiedAtMs }) => modifiedAtMs < beforeMs);
    return old ? [{ ...ofObject('bytes-unowned', newest), fileId: claim.id }] : [];
  }
  if (!mustHaveBytes(claim)) return [];
  const own =
    claim.objectVersionId === null
      ? versions.find(({ isLatest }) => isLatest)
      : versions.find(({ versionId }) => versionId === claim.objectVersionId);
  const ofClaim = {
    key: claim.objectKey,
    versionId: claim.objectVersionId,
    uploadId: null,
    fileId: claim.id,
    sizeBytes: claim.sizeBytes,
  };
  const findings: Finding[] = [];
  if (own === undefined) {
    if (claim.createdAtMs < beforeMs) findings.push({ ...ofClaim, kind: 'bytes-missing', detail: null });
  } else {
    const detail = differenceOf(claim, own);
    if (detail !== undefined) findings.push({ ...ofClaim, kind: 'bytes-differ', detail });
    else if (claim.missingSinceMs !== null) findings.push({ ...ofClaim, kind: 'bytes-back', detail: null });
  }
  // Where no version was pinned, which one is meant is for whoever turned versioning on to say.
  if (claim.objectVersionId !== null && own !== undefined) {
    for (const version of versions) {
      if (version.versionId === null || version === own || version.modifiedAtMs >= beforeMs) continue;
      findings.push({ ...ofObject('version-superseded', version), fileId: claim.id });
    }
  }
  return findings;
}

/** What an object of ours is that no row names as its file's; `undefined`: it may yet be needed. */
export function judgeUnclaimed(
  key: string,
  own: OwnKey,
  claim: Claim | undefined,
  { keys, signedBeforeMs }: Pick<JudgeContext, 'keys' | 'signedBeforeMs'>,
): Finding['kind'] | undefined {
  if (own.zone === 'owner') return undefined;
  if (own.zone === 'probes') return 'probe-left';
  const isPreview = own.zone === 'previews';
  if (claim === undefined) return isPreview ? 'preview-unowned' : 'bytes-unowned';
  if (claim.objectKey === key) return claim.state === 'purged' ? 'bytes-unowned' : undefined;
  if (!atRest.has(claim.state)) return undefined;
  if (isPreview) {
    // Object.keys of a closed table gives its keys.
    const presets = Object.keys(previewPresets) as (keyof typeof previewPresets)[];
    const shown = presets.some((preset) => keys.makePreview(claim.objectKey, preset) === key);
    return claim.state === 'purged' || !shown ? 'preview-unowned' : undefined;
  }
  // Where bytes arrived, a URL that is still good could write again: a job removes them when none is.
  return claim.signedUntilMs < signedBeforeMs ? 'leftover' : undefined;
}

/** What tells the object apart from the one that was checked. */
export function differenceOf(
  claim: Pick<Claim, 'sizeBytes' | 'objectEtag'>,
  object: { readonly sizeBytes: number; readonly etag: string },
): string | undefined {
  if (object.sizeBytes !== claim.sizeBytes) return `${object.sizeBytes} bytes instead of ${claim.sizeBytes}`;
  if (plainEtag(object.etag) !== plainEtag(claim.objectEtag ?? ''))
    return `ETag ${object.etag} instead of ${claim.objectEtag}`;
  return undefined;
}

function plainEtag(etag: string): string {
  return etag.replace(/^"|"$/g, '');
}

function ofObject(kind: Finding['kind'], { key, versionId, sizeBytes }: ListedObject): Finding {
  return { kind, key, versionId, uploadId: null, fileId: null, sizeBytes, detail: null };
}

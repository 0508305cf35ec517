// Invariants about rows: hints are not needed (5), effects wait in the outbox (7), sums are the sums of the rows (9).

import type { FileState } from '@stowage/contract';
import { type Examination, named } from './examination.ts';
import type { DeliveryFacts, FileFacts } from './facts.ts';

/** States in which nothing is left for the service to do by itself. */
const atRest: ReadonlySet<FileState> = new Set(['ready', 'purged']);
const arriving: ReadonlySet<FileState> = new Set(['pending', 'uploading', 'completing']);

/** 5: Events and client calls are hints. So no row may need one: each has a time at which the service looks by itself. */
export function* looksByItself({ files, versions, settled, nowMs }: Examination): Generator<string> {
  const there = new Set(versions.filter(({ isDeleteMarker }) => !isDeleteMarker).map(({ key }) => key));
  const heads = new Map<string, number>();
  for (const file of files) {
    heads.set(file.lineId, (heads.get(file.lineId) ?? 0) + (file.role === 'current' ? 1 : 0));
    if (atRest.has(file.state)) {
      if (file.state === 'purged' && file.reviewAtMs !== null) yield `${named(file)} is looked at for ever.`;
      continue;
    }
    if (file.reviewAtMs === null) yield `Nothing ever looks at ${named(file)} by itself.`;
    if (!settled) continue;
    if ((file.reviewAtMs ?? 0) <= nowMs)
      yield `${named(file)} was to be looked at at ${file.reviewAtMs}; it is ${nowMs}, and nobody did.`;
    // Who asks for the end of an upload after its time is told, and has it looked at once more.
    const wasAskedFor = file.updatedAtMs >= file.uploadExpiresAtMs && (file.reviewAtMs ?? 0) > nowMs;
    if (arriving.has(file.state) && file.uploadExpiresAtMs <= nowMs && !wasAskedFor)
      yield `${named(file)} was to be given up at ${file.uploadExpiresAtMs}; it is ${nowMs}.`;
    if (file.state === 'completing' && there.has(file.objectKey))
      yield `The bucket holds the object of ${named(file)}, and nobody took notice.`;
  }
  for (const [lineId, count] of heads)
    if (count !== 1) yield `File ${lineId} has ${count} current versions; it needs exactly one.`;
}

/** 7: Every outward effect goes through an outbox row written in the same transaction. */
export function* effectsInOutbox(examination: Examination): Generator<string> {
  const { files, jobs, settled, nowMs } = examination;
  const kinds = new Map<string, Set<string>>();
  for (const { kind, fileId, dueAtMs, leasedUntilMs } of jobs) {
    const known = kinds.get(fileId) ?? new Set();
    kinds.set(fileId, known.add(kind));
    if (settled && dueAtMs <= nowMs && leasedUntilMs <= nowMs)
      yield `The job ${kind} of file ${fileId} was due at ${dueAtMs}; it is ${nowMs}, and nobody did it.`;
  }
  for (const file of files) {
    const needed = jobOf[file.state];
    if (needed !== undefined && file.reviewAtMs === null && kinds.get(file.id)?.has(needed) !== true)
      yield `${named(file)} needs the job ${needed}, and neither the outbox nor a review holds it.`;
    if (file.state === 'purging' && kinds.get(file.id)?.has('purge') !== true && (file.reviewAtMs ?? 0) <= nowMs)
      yield `${named(file)} waits for its purge, and no job will do it.`;
  }
  yield* toldWebhooks(examination);
}

const jobOf: Readonly<Partial<Record<FileState, string>>> = {
  uploaded: 'validate',
  validating: 'validate',
  scanning: 'validate',
  purging: 'purge',
};

/** What each state tells: one delivery for each webhook that stood when it was entered. */
const eventOf: Readonly<Partial<Record<FileState, string>>> = {
  aborted: 'upload.aborted',
  expired: 'upload.expired',
  uploaded: 'file.uploaded',
  rejected: 'file.rejected',
  quarantined: 'file.quarantined',
  'scan-failed': 'file.scan-failed',
  ready: 'file.ready',
  trashed: 'file.trashed',
  purged: 'file.purged',
};
/** What can be told of one version only once. */
const toldOnce: ReadonlySet<string> = new Set([
  'upload.aborted',
  'upload.expired',
  'file.uploaded',
  'file.rejected',
  'file.purged',
]);

function* toldWebhooks({ files, webhooks, deliveries, clockSpreadMs }: Examination): Generator<string> {
  const told = new Map<string, DeliveryFacts[]>();
  for (const delivery of deliveries) {
    const { webhookId, body } = delivery;
    const versionId = readVersionId(body);
    if (versionId === undefined) continue;
    const trail = `${webhookId} ${versionId}`;
    told.set(trail, [...(told.get(trail) ?? []), delivery]);
  }
  for (const file of files) {
    for (const webhook of webhooks) {
      if (webhook.tenantId !== file.tenantId || webhook.createdAtMs > file.createdAtMs + clockSpreadMs) continue;
      yield* readTrail(file, told.get(`${webhook.id} ${file.id}`) ?? [], clockSpreadMs);
    }
  }
}

function* readTrail(file: FileFacts, deliveries: readonly DeliveryFacts[], clockSpreadMs: number): Generator<string> {
  const types = deliveries.map(({ type }) => type);
  // Instances make ids by themselves, and their clocks differ: of what was told at nearly one time, none can be said to be the last.
  const lastAtMs = Math.max(...deliveries.map(({ createdAtMs }) => createdAtMs));
  const last = deliveries.filter(({ createdAtMs }) => createdAtMs >= lastAtMs - clockSpreadMs).map(({ type }) => type);
  const trail = types.join(', ') || 'nothing';
  const expected = eventOf[file.state];
  if (expected !== undefined && !last.includes(expected))
    yield `${named(file)}: the last thing told must be ${expected}, but told was ${trail}.`;
  for (const type of new Set(types))
    if (toldOnce.has(type) && types.filter((other) => other === type).length > 1)
      yield `${named(file)}: ${type} was told more than once: ${trail}.`;
  if (types.includes('file.ready') && !types.includes('file.uploaded'))
    yield `${named(file)}: ready was told, but never that it was uploaded: ${trail}.`;
}

function readVersionId(body: string): string | undefined {
  const event: unknown = JSON.parse(body);
  if (typeof event !== 'object' || event === null || !('data' in event)) return undefined;
  const { data } = event;
  if (typeof data !== 'object' || data === null || !('versionId' in data)) return undefined;
  return String(data.versionId);
}

/** What each state takes of a tenant's room, said once more and not read from the code that keeps the sums. */
const chargeOf: Readonly<Record<FileState, 'reserved' | 'used' | 'none'>> = {
  pending: 'reserved',
  uploading: 'reserved',
  completing: 'reserved',
  uploaded: 'used',
  validating: 'used',
  scanning: 'used',
  ready: 'used',
  trashed: 'used',
  purging: 'used',
  purged: 'none',
  aborted: 'none',
  expired: 'none',
  rejected: 'used',
  quarantined: 'used',
  'scan-failed': 'used',
};

/** 9: used + reserved equals the sum over files, each user's and of each category; a reservation settles exactly once. */
export function* sumsOfRows({ files, usage, categories, counts }: Examination): Generator<string> {
  const none = { usedBytes: 0, usedFiles: 0, reservedBytes: 0, reservedFiles: 0 };
  const sums = new Map<string, typeof none>();
  const held = new Map<string, number>();
  for (const file of files) {
    const who = `${file.tenantId}/${file.userId}`;
    const sum = sums.get(who) ?? { ...none };
    sums.set(who, sum);
    // One that was given up never came: what is removed of it was no part of the sum.
    const charge = file.state === 'purging' && file.objectEtag === null ? 'none' : chargeOf[file.state];
    if (charge === 'none') continue;
    sum[`${charge}Bytes`] += file.sizeBytes;
    sum[`${charge}Files`] += 1;
    const where = `${who}/${file.category}`;
    held.set(where, (held.get(where) ?? 0) + file.sizeBytes);
  }
  const kept = new Map(usage.map((row) => [`${row.tenantId}/${row.userId}`, row]));
  for (const who of new Set([...sums.keys(), ...kept.keys()])) {
    const sum = sums.get(who) ?? none;
    const row = kept.get(who) ?? none;
    for (const column of ['usedBytes', 'usedFiles', 'reservedBytes', 'reservedFiles'] as const)
      if (row[column] !== sum[column])
        yield `Of ${who} the sum ${column} says ${row[column]}, its rows ${sum[column]}.`;
  }
  const keptHeld = new Map(
    categories.map(({ tenantId, userId, category, heldBytes }) => [`${tenantId}/${userId}/${category}`, heldBytes]),
  );
  for (const where of new Set([...held.keys(), ...keptHeld.keys()])) {
    const [is, says] = [held.get(where) ?? 0, keptHeld.get(where) ?? 0];
    if (is !== says) yield `Of ${where} the sum of the category says ${says} bytes, its rows ${is}.`;
  }
  for (const { state, kept: says, counted } of counts)
    if (says !== counted) yield `There are ${counted} files that are ${state}; ${says} were counted.`;
}

// What clients of a history do with multipart uploads: parts at once, parts again, and ends that race.

import type { StoreErrorCode } from '@stowage/store';
import type { Body } from './contents.ts';
import { Violation } from './key-account.ts';
import { requireRoomFor, writeVersion } from './object-requests.ts';
import type { KnownPart, UploadAccount } from './upload-ledger.ts';
import { attributesOf, etagOf, largeSize, type Workplace, weakBucket } from './workplace.ts';

export async function workOnUpload(place: Workplace): Promise<void> {
  const { model, random } = place;
  const idle = random.chance(0.4) ? model.uploads.findIdle() : undefined;
  const account = idle ?? (await createUpload(place));
  if (account?.upload === undefined) return;
  account.taken = true;
  const parts = [1, 2, 3, 7].slice(0, random.between(1, 4)).map((partNumber) => putPart(place, account, partNumber));
  if (random.chance(0.2)) parts.push(putPart(place, account, 1));
  await Promise.all(parts);
  const end = random.pickWeighted({ complete: 5, abort: 2, both: 1, leave: 2 });
  const ends: Promise<void>[] = [];
  if (end === 'complete' || end === 'both') ends.push(completeUpload(place, account));
  if (end === 'abort' || end === 'both') ends.push(abortUpload(place, account));
  await Promise.all(ends);
  account.taken = false;
}

async function createUpload(place: Workplace): Promise<UploadAccount | undefined> {
  const { store, model } = place;
  const { bucket, key } = place.address();
  if (bucket === weakBucket && model.promised(bucket).level !== 'strict') return undefined;
  const operation = model.number();
  const account = model.uploads.begin(operation, bucket, key);
  const answer = await place.ask(
    `${operation}: upload to ${bucket}/${key}`,
    () => store.createUpload({ bucket, key, attributes: attributesOf(operation), initiator: String(operation) }),
    () => ['NoSuchBucket'],
  );
  if (answer.kind === 'refused') {
    if (!answer.doubtful) model.uploads.forget(account);
    return undefined;
  }
  account.upload = answer.result;
  account.status = 'open';
  model.acknowledged += 1;
  return account;
}

async function putPart(place: Workplace, account: UploadAccount, partNumber: number): Promise<void> {
  const { store, model, random } = place;
  const { upload, bucket, operation } = account;
  if (upload === undefined) return;
  const sizeBytes = random.chance(0.2) ? largeSize(random) : random.between(1, 900);
  const body: Body = { number: model.number(), sizeBytes };
  const staged = await place.stage(bucket, body);
  if (staged === undefined) return;
  const put: KnownPart = { body, etag: etagOf(staged) };
  const part = model.uploads.partOf(account, partNumber);
  part.pending.add(put);
  const answer = await place.ask(
    `part ${partNumber} of upload ${operation}`,
    () => store.putPart({ ...addressOf(account), partNumber, body: staged, etag: put.etag }),
    () => (account.aborting || account.completing || mayBeGone(account) ? ['NoSuchUpload', 'NoSuchBucket'] : []),
  );
  if (answer.kind === 'acknowledged') {
    model.acknowledged += 1;
    part.pending.delete(put);
    part.known = storedPart(place, account, partNumber, put);
  } else if (!answer.doubtful) part.pending.delete(put);
}

/** Which of several puts of a part came last: that is not known from the answers, so the store is asked. */
function storedPart(
  { store, model }: Workplace,
  account: UploadAccount,
  partNumber: number,
  put: KnownPart,
): KnownPart {
  const { upload, operation } = account;
  if (upload === undefined || store.getUpload(upload) === undefined) return put;
  const { parts } = store.listParts({ ...addressOf(account), after: partNumber - 1, limit: 1 });
  const stored = parts.find((part) => part.partNumber === partNumber);
  const { known, pending } = model.uploads.partOf(account, partNumber);
  const found = [put, known, ...pending].find((candidate) => candidate?.etag === stored?.etag);
  if (found !== undefined) return found;
  throw new Violation(`Part ${partNumber} of upload ${operation} has ETag ${stored?.etag}, which was not put.`);
}

async function completeUpload(place: Workplace, account: UploadAccount): Promise<void> {
  const { store } = place;
  const { operation, bucket, key } = account;
  const named = [...account.parts]
    .toSorted(([a], [b]) => a - b)
    .flatMap(([partNumber, { known, pending }]) =>
      known === undefined || pending.size > 0 ? [] : [{ partNumber, ...known }],
    );
  // One that was not answered may have happened: what it wrote then is what it named, and not what a second one would name.
  if (named.length === 0 || account.completing) return;
  account.completing = true;
  const answer = await writeVersion(place, { bucket, key }, operation, {
    what: `complete ${named.length} parts`,
    written: { bodies: named.map(({ body }) => body) },
    request: () =>
      store.completeUpload({
        ...addressOf(account),
        parts: named.map(({ partNumber, etag }) => ({ partNumber, etag })),
        minPartSizeBytes: 1,
        maxSizeBytes: 1 << 30,
      }),
    reasons: () => (account.aborting || mayBeGone(account) ? ['NoSuchUpload', 'NoSuchBucket'] : []),
  });
  if (answer === 'acknowledged') account.status = 'gone';
  if (answer === 'refused') account.completing = false;
}

async function abortUpload(place: Workplace, account: UploadAccount): Promise<void> {
  const { store, model } = place;
  account.aborting = true;
  const name = `abort of upload ${account.operation}`;
  const answer = await place.ask(
    name,
    () => store.abortUpload(addressOf(account)),
    (): StoreErrorCode[] => (account.completing || mayBeGone(account) ? ['NoSuchUpload', 'NoSuchBucket'] : []),
  );
  if (answer.kind === 'acknowledged') {
    model.acknowledged += 1;
    account.status = 'gone';
    return;
  }
  requireRoomFor(answer.code, name);
  if (!answer.doubtful) account.aborting = false;
}

function addressOf({ bucket, key, upload }: UploadAccount): { bucket: string; key: string; uploadId: string } {
  return { bucket, key, uploadId: upload?.uploadId ?? '' };
}

function mayBeGone({ status, doubtful }: UploadAccount): boolean {
  return status === 'gone' || doubtful;
}

// What clients of a history do with objects.

import { isStoreError, type ObjectVersion, type Precondition, type StoreErrorCode } from '@stowage/store';
import { type Body, bytesOf } from './contents.ts';
import { type Condition, Violation } from './key-account.ts';
import { type Address, nameOf, operationOf } from './model.ts';
import { attributesOf, etagOf, keys, largeSize, smallSize, type Workplace } from './workplace.ts';

export async function putObject(
  place: Workplace,
  address: Address,
  sizeBytes: number,
  condition?: Condition,
): Promise<void> {
  const { store, model } = place;
  const body: Body = { number: model.number(), sizeBytes };
  const staged = await place.stage(address.bucket, body);
  if (staged === undefined) return;
  const operation = model.number();
  const etag = etagOf(staged);
  const precondition = condition === undefined ? undefined : { precondition: preconditionOf(condition) };
  await writeVersion(place, address, operation, {
    what: `put ${sizeBytes} bytes${condition === undefined ? '' : ` if ${condition.kind}`}`,
    written: { bodies: [body], etag },
    condition,
    request: () =>
      store.putObject({ ...address, body: staged, etag, attributes: attributesOf(operation), ...precondition }),
    reasons: () => ['NoSuchBucket', 'PreconditionFailed', 'NoSuchKey'],
  });
}

export function conditionFor({ model, random }: Workplace, address: Address): Condition {
  const current = model.current(address);
  if (current === undefined || random.chance(0.4)) return { kind: 'absent' };
  return { kind: 'etag', etag: current.etag };
}

/** Several at the same key, in one batch if they are lucky. */
export async function putAtOnce(place: Workplace, address: Address): Promise<void> {
  const condition: Condition | undefined = place.random.chance(0.5) ? { kind: 'absent' } : undefined;
  await Promise.all([1, 2, 3].map(() => putObject(place, address, smallSize(place.random), condition)));
}

export async function copyObject(place: Workplace, target: Address, from: Address): Promise<void> {
  const { store, model } = place;
  const source = store.headObject(from);
  if (source === undefined) return;
  model.judge(from, source);
  const operation = model.number();
  const sourceOperation = operationOf(source);
  const reasons: StoreErrorCode[] = ['NoSuchBucket', 'NoSuchKey', 'SourceChanged'];
  if (model.isBroken(sourceOperation)) reasons.push('Corrupt');
  await writeVersion(place, target, operation, {
    what: `copy ${nameOf(from)}`,
    written: { bodies: model.bodiesOf(sourceOperation), etag: source.etag },
    request: () =>
      store.copyObject({
        ...target,
        source: { ...from, sequence: source.sequence },
        attributes: attributesOf(operation),
      }),
    reasons: () => reasons,
  });
}

interface VersionWrite {
  readonly what: string;
  readonly written: { readonly bodies: readonly Body[]; readonly etag?: string };
  readonly condition?: Condition | undefined;
  readonly request: () => Promise<ObjectVersion>;
  readonly reasons: () => readonly StoreErrorCode[];
}

/** Answers whether it was acknowledged. */
export async function writeVersion(
  place: Workplace,
  address: Address,
  operation: number,
  { what, written, condition, request, reasons }: VersionWrite,
): Promise<'acknowledged' | 'refused' | 'doubtful'> {
  const { model } = place;
  const begun = model.beginPut(address, operation, written);
  const answer = await place.ask(`${operation}: ${what} at ${nameOf(address)}`, request, reasons);
  if (answer.kind === 'acknowledged') {
    model.acknowledgePut(address, answer.result, begun, condition);
    return 'acknowledged';
  }
  if (answer.doubtful) return 'doubtful';
  model.refusePut(address, operation);
  return 'refused';
}

export async function deleteObject(place: Workplace, address: Address, ifMatch?: string): Promise<void> {
  const { store, model } = place;
  const operation = model.number();
  const begun = model.beginDelete(address, operation);
  const name = `${operation}: delete ${nameOf(address)}${ifMatch === undefined ? '' : ' if it matches'}`;
  const precondition = ifMatch === undefined ? undefined : { precondition: { ifMatch } };
  const reasons: readonly StoreErrorCode[] = ['NoSuchBucket', 'PreconditionFailed', 'NoSuchKey'];
  const answer = await place.ask(
    name,
    () => store.deleteObject({ ...address, ...precondition }),
    () => reasons,
  );
  if (answer.kind === 'acknowledged') {
    model.acknowledgeDelete(address, begun, answer.result);
    if (ifMatch !== undefined && answer.result?.etag !== ifMatch)
      throw new Violation(`${name} removed another version.`);
    return;
  }
  requireRoomFor(answer.code, name);
  if (!answer.doubtful) model.refuseDelete(address, operation);
}

/** What gives room back is taken also when there is none (invariant 8). */
export function requireRoomFor(code: StoreErrorCode, name: string): void {
  if (code === 'DiskFull') throw new Violation(`${name} was refused for lack of room.`);
}

export async function readObject(place: Workplace, address: Address): Promise<void> {
  const { store, model } = place;
  const open = store.openObject(address);
  model.judge(address, open?.version);
  if (open === undefined) return;
  const operation = operationOf(open.version);
  // Whatever is written meanwhile, the bytes stay: a slow reader keeps them.
  const isSlow = place.random.chance(0.4);
  const dawdle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, place.random.below(3000)));
  try {
    const chunks: Uint8Array[] = [];
    if (isSlow) await dawdle();
    for await (const chunk of open.chunks()) {
      chunks.push(chunk);
      if (isSlow) await dawdle();
    }
    if (!Buffer.concat(chunks).equals(bytesOf(model.bodiesOf(operation)))) {
      throw new Violation(`${nameOf(address)} has other bytes than were written.`);
    }
  } catch (cause) {
    if (!isStoreError(cause)) throw cause;
    place.judgeRefusal(`read ${nameOf(address)}`, cause, model.isBroken(operation) ? ['Corrupt'] : []);
  } finally {
    open.close();
  }
}

export async function listObjects({ store, model }: Workplace, bucket: string): Promise<void> {
  if (store.getBucket(bucket) === undefined) return;
  const listed = store.listObjects({ bucket, prefix: '', delimiter: '', after: '', limit: 1000 });
  const shown = new Map(listed.objects.map((object) => [object.key, object.sequence]));
  for (const key of keys) {
    const version = store.headObject({ bucket, key });
    model.judge({ bucket, key }, version);
    if (shown.get(key) !== version?.sequence) throw new Violation(`The listing of ${bucket} disagrees on ${key}.`);
  }
}

/** A body that is given up, whole or half. */
export async function discardBody(place: Workplace): Promise<void> {
  const { store, model, random } = place;
  const sizeBytes = largeSize(random);
  const bytes = bytesOf([{ number: model.number(), sizeBytes }]);
  const whole = random.chance(0.5);
  try {
    const writer = store.stageBody({ sizeBytes, maxSizeBytes: sizeBytes, digests: [] });
    await writer.write(whole ? bytes : bytes.subarray(0, random.below(sizeBytes)));
    if (whole) await (await writer.finish()).discard();
    else await writer.discard();
  } catch (cause) {
    if (!place.excusesDiskError(cause)) place.judgeRefusal('a body that is given up', cause, []);
  }
}

function preconditionOf(condition: Condition): Precondition {
  return condition.kind === 'absent' ? { ifNoneMatch: '*' } : { ifMatch: condition.etag };
}

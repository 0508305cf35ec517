// What a store must hold, kept beside it: a pure account of what clients have asked for and what was acknowledged. It knows of
// no journal, index or disk. What was asked for and not answered may be there, wholly, or not; what recovery shows of it is
// then a fact like any other (`adopt`).

import type { Durability, JsonValue, ObjectVersion } from '@stowage/store';
import type { Body } from './contents.ts';
import {
  type Condition,
  type DeleteBegun,
  KeyAccount,
  type KnownVersion,
  type Moment,
  Violation,
} from './key-account.ts';
import { UploadLedger } from './upload-ledger.ts';

export interface Address {
  readonly bucket: string;
  readonly key: string;
}

interface BucketAccount {
  exists: boolean;
  /** When its creation was acknowledged, as long as that may go with the power. */
  looseSince: number | undefined;
  /** Unanswered creations and deletions. */
  readonly creating: Set<number>;
  readonly deleting: Set<number>;
  readonly configuration: Map<string, { value: number | undefined; readonly pending: Set<number | undefined> }>;
}

/** Weak writes of durability `interval` are durable so long after they were acknowledged, however slow the disk. */
const intervalSlackMs = 8000;

export class Model {
  readonly uploads: UploadLedger = new UploadLedger();
  /** Answers that were counted on: how much a history has put to the test. */
  acknowledged = 0;
  /** How often what was refused. */
  readonly refusals = new Map<string, number>();
  readonly #promised: (bucket: string) => Durability;
  readonly #nowMs: () => number;
  readonly #buckets = new Map<string, BucketAccount>();
  readonly #keys = new Map<string, { readonly address: Address; readonly account: KeyAccount }>();
  readonly #bodies = new Map<number, readonly Body[]>();
  readonly #etags = new Map<number, string>();
  /** Numbers of bodies whose bytes went with the power, as those of durability `memory` may. */
  readonly #brokenBodies = new Set<number>();
  readonly #strictPuts = new Map<number, string>();
  #count = 0;
  #tick = 0;

  constructor(options: { readonly promised: (bucket: string) => Durability; readonly nowMs: () => number }) {
    this.#promised = options.promised;
    this.#nowMs = options.nowMs;
  }

  countRefusal(code: string): void {
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
  }

  /** A number for an operation or a body. */
  number(): number {
    this.#count += 1;
    return this.#count;
  }

  get addresses(): readonly Address[] {
    return [...this.#keys.values()].map(({ address }) => address);
  }

  get bucketNames(): readonly string[] {
    return [...this.#buckets.keys()];
  }

  promised(bucket: string): Durability {
    return this.#promised(bucket);
  }

  bodiesOf(operation: number): readonly Body[] {
    const bodies = this.#bodies.get(operation);
    if (bodies === undefined) throw new Violation(`There is a version of operation ${operation}, which wrote none.`);
    return bodies;
  }

  /** Whether an object may be unreadable, because bytes of it were never made durable. */
  isBroken(operation: number): boolean {
    return this.bodiesOf(operation).some(({ number }) => this.#brokenBodies.has(number));
  }

  noteBroken(operation: number): void {
    for (const { number } of this.bodiesOf(operation)) this.#brokenBodies.add(number);
  }

  get hasBroken(): boolean {
    return this.#brokenBodies.size > 0;
  }

  /** Puts to strict buckets that were acknowledged, by sequence. */
  get strictPuts(): ReadonlyMap<number, string> {
    return this.#strictPuts;
  }

  /** Whether a put may have been removed again. */
  mayBeGone(address: Address, put: { readonly operation: number; readonly sequence: number }): boolean {
    return this.#account(address).mayBeGone(put);
  }

  /** The version that is current as far as answers tell. */
  current(address: Address): KnownVersion | undefined {
    return this.#account(address).current;
  }

  /** Bodies that a store keeps as files of their own, if larger ones than this become files: those of objects and open uploads. */
  storedBodies(maxInlineBytes: number): ReadonlySet<number> {
    const stored = new Set<number>();
    for (const { account } of this.#keys.values()) {
      if (account.current === undefined) continue;
      const isMultipart = account.current.etag.includes('-');
      for (const { number, sizeBytes } of this.bodiesOf(account.current.operation)) {
        if (isMultipart || sizeBytes > maxInlineBytes) stored.add(number);
      }
    }
    for (const { parts } of this.uploads.all) {
      for (const { known } of parts.values()) if (known !== undefined) stored.add(known.body.number);
    }
    return stored;
  }

  /** Answers when it began. */
  beginPut(
    address: Address,
    operation: number,
    written: { readonly bodies: readonly Body[]; readonly etag?: string },
  ): number {
    this.#bodies.set(operation, written.bodies);
    if (written.etag !== undefined) this.#etags.set(operation, written.etag);
    this.#account(address).puts.add(operation);
    return this.#now().tick;
  }

  acknowledgePut(address: Address, version: ObjectVersion, begunTick: number, condition?: Condition): void {
    this.acknowledged += 1;
    this.#holdAgainst(address, version);
    const account = this.#account(address);
    account.acknowledgePut(knownOf(version), this.#now(), condition);
    this.#harden(address.bucket, account, begunTick);
    if (this.#promised(address.bucket).level === 'strict') this.#strictPuts.set(version.sequence, account.name);
  }

  /** The put was refused: it must leave no trace. */
  refusePut(address: Address, operation: number): void {
    this.#account(address).puts.delete(operation);
  }

  beginDelete(address: Address, operation: number): DeleteBegun & { readonly tick: number } {
    return { ...this.#account(address).beginDelete(operation), tick: this.#now().tick };
  }

  acknowledgeDelete(
    address: Address,
    begun: DeleteBegun & { readonly tick: number },
    removed: ObjectVersion | undefined,
  ): void {
    this.acknowledged += 1;
    const account = this.#account(address);
    account.acknowledgeDelete(begun, removed?.sequence, this.#now());
    // A delete that found nothing has written nothing.
    if (removed !== undefined) this.#harden(address.bucket, account, begun.tick);
  }

  refuseDelete(address: Address, operation: number): void {
    this.#account(address).deletes.delete(operation);
  }

  /**
   * Holds what the store shows at a key against what may be there. In a strict bucket, what was shown must stay.
   * @param lossy the power went since the store was looked at last.
   * @throws Violation
   */
  judge(address: Address, found: ObjectVersion | undefined, lossy = false): void {
    const account = this.#account(address);
    if (found !== undefined) this.#holdAgainst(address, found);
    const fault = account.faultOf(found === undefined ? undefined : knownOf(found), lossy);
    if (fault !== undefined) throw new Violation(`${account.name} ${fault}.`);
    if (lossy || this.#promised(address.bucket).level !== 'strict') return;
    account.see(found === undefined ? undefined : knownOf(found), this.#now());
    account.harden({ tick: Number.POSITIVE_INFINITY });
  }

  /** Power loss may take the latest weak writes, but none before one that it left. @throws Violation */
  judgeOrder(found: ReadonlyMap<string, ObjectVersion | undefined>): void {
    const latest = Math.max(0, ...[...found.values()].map((version) => version?.sequence ?? 0));
    for (const { account } of this.#keys.values()) {
      const lost = account.lost(found.get(account.name), latest);
      if (lost === undefined) continue;
      throw new Violation(
        `${account.name} has lost operation ${lost.operation} (sequence ${lost.sequence}), and sequence ${latest} is there.`,
      );
    }
  }

  /**
   * The store stops. Unless it had failed before, what was acknowledged longer ago than its interval is durable; the rest may
   * never be.
   */
  stop({ hadFailed }: { readonly hadFailed: boolean }): void {
    for (const { address, account } of this.#keys.values()) {
      if (!hadFailed && this.#promised(address.bucket).level === 'interval')
        account.harden({ ms: this.#nowMs() - intervalSlackMs });
      account.abandon();
    }
  }

  /** After a recovery that was judged: what it shows is what there is. */
  adopt(address: Address, found: ObjectVersion | undefined): void {
    this.#account(address).adopt(found === undefined ? undefined : knownOf(found), this.#count);
  }

  /** @throws Violation when a conditional put was acknowledged and its condition was not met. */
  judgeConditions(): void {
    for (const { account } of this.#keys.values()) {
      const fault = account.brokenCondition();
      if (fault !== undefined) throw new Violation(`${account.name}: ${fault}.`);
    }
  }

  beginCreateBucket(name: string, operation: number): void {
    this.#bucket(name).creating.add(operation);
  }

  acknowledgeCreateBucket(name: string, operation: number): void {
    this.acknowledged += 1;
    const bucket = this.#bucket(name);
    bucket.creating.delete(operation);
    bucket.exists = true;
    if (this.#promised(name).level !== 'strict') bucket.looseSince = this.#now().tick;
    bucket.configuration.clear();
  }

  refuseBucket(name: string, operation: number): void {
    const bucket = this.#bucket(name);
    bucket.creating.delete(operation);
    bucket.deleting.delete(operation);
  }

  beginDeleteBucket(name: string, operation: number): void {
    this.#bucket(name).deleting.add(operation);
    this.uploads.doubt(name);
  }

  acknowledgeDeleteBucket(name: string, operation: number): void {
    this.acknowledged += 1;
    const bucket = this.#bucket(name);
    bucket.deleting.delete(operation);
    bucket.exists = false;
    this.uploads.bucketIsGone(name);
  }

  beginConfiguration(name: string, kind: string, value: number | undefined): void {
    this.#configuration(name, kind).pending.add(value);
  }

  endConfiguration(name: string, kind: string, value: number | undefined, acknowledged: boolean): void {
    const configuration = this.#configuration(name, kind);
    configuration.pending.delete(value);
    if (!acknowledged) return;
    this.acknowledged += 1;
    configuration.value = value;
  }

  bucketExists(name: string): boolean {
    return this.#bucket(name).exists;
  }

  /** @throws Violation */
  judgeBucket(name: string, found: Readonly<Record<string, JsonValue>> | undefined, lossy: boolean): void {
    const bucket = this.#bucket(name);
    if (found === undefined) {
      const mayBeGone = bucket.deleting.size > 0 || (lossy && bucket.looseSince !== undefined);
      if (bucket.exists && !mayBeGone) throw new Violation(`Bucket ${name} is gone.`);
      return;
    }
    if (!bucket.exists && bucket.creating.size === 0) throw new Violation(`Bucket ${name} was deleted, and is there.`);
    if (!bucket.exists) return;
    for (const [kind, { value, pending }] of bucket.configuration) {
      const shown = found[kind];
      if (shown === value || [...pending].some((candidate) => candidate === shown)) continue;
      throw new Violation(`Bucket ${name} has ${kind} ${String(shown)}: ${String(value)} was acknowledged.`);
    }
  }

  adoptBucket(name: string, found: Readonly<Record<string, JsonValue>> | undefined): void {
    const bucket = this.#bucket(name);
    bucket.creating.clear();
    bucket.deleting.clear();
    bucket.exists = found !== undefined;
    bucket.looseSince = undefined;
    bucket.configuration.clear();
    for (const [kind, value] of Object.entries(found ?? {})) {
      if (typeof value === 'number') bucket.configuration.set(kind, { value, pending: new Set() });
    }
  }

  /** A write to a strict bucket makes everything durable that was acknowledged before it began. */
  #harden(bucket: string, account: KeyAccount, begunTick: number): void {
    if (this.#promised(bucket).level !== 'strict') return;
    account.harden({ tick: Number.POSITIVE_INFINITY });
    for (const weak of this.#keys.values()) weak.account.harden({ tick: begunTick });
    for (const bucket of this.#buckets.values()) {
      if (bucket.looseSince !== undefined && bucket.looseSince < begunTick) bucket.looseSince = undefined;
    }
  }

  #holdAgainst(address: Address, version: ObjectVersion): void {
    const operation = operationOf(version);
    const sizeBytes = this.bodiesOf(operation).reduce((total, body) => total + body.sizeBytes, 0);
    const etag = this.#etags.get(operation) ?? version.etag;
    if (version.sizeBytes === sizeBytes && version.etag === etag) return;
    throw new Violation(
      `${nameOf(address)} of operation ${operation} has ${version.sizeBytes} bytes and ETag ${version.etag}: ` +
        `${sizeBytes} bytes and ${etag} were written.`,
    );
  }

  #now(): Moment {
    this.#tick += 1;
    return { tick: this.#tick, ms: this.#nowMs() };
  }

  #account(address: Address): KeyAccount {
    const name = nameOf(address);
    const known = this.#keys.get(name);
    if (known !== undefined) return known.account;
    const account = new KeyAccount(name);
    this.#keys.set(name, { address: { bucket: address.bucket, key: address.key }, account });
    return account;
  }

  #bucket(name: string): BucketAccount {
    let bucket = this.#buckets.get(name);
    if (bucket === undefined) {
      bucket = {
        exists: false,
        looseSince: undefined,
        creating: new Set(),
        deleting: new Set(),
        configuration: new Map(),
      };
      this.#buckets.set(name, bucket);
    }
    return bucket;
  }

  #configuration(name: string, kind: string): { value: number | undefined; readonly pending: Set<number | undefined> } {
    const { configuration } = this.#bucket(name);
    let found = configuration.get(kind);
    if (found === undefined) {
      found = { value: undefined, pending: new Set() };
      configuration.set(kind, found);
    }
    return found;
  }
}

/** The operation that wrote a version, which each says of itself. */
export function operationOf(version: ObjectVersion): number {
  return Number(version.userMetadata.operation);
}

export function nameOf({ bucket, key }: Address): string {
  return `${bucket}/${key}`;
}

function knownOf(version: ObjectVersion): KnownVersion {
  return { operation: operationOf(version), sequence: version.sequence, etag: version.etag };
}

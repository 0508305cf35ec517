// What every client of a history works with, and how it takes answers: each goes into the model, and a refusal that the store
// had no reason for is a violation.

import { type DiskStore, isStoreError, type StagedBody, type StoreErrorCode } from '@stowage/store';
import type { SeededRandom } from '../../../packages/store/src/testing/seeded-random.ts';
import { type Body, bytesOf } from './contents.ts';
import { Violation } from './key-account.ts';
import type { Address, Model } from './model.ts';

/** Never deleted, and strict. */
export const lastingBucket = 'lasting';
/** Created and deleted, and strict. */
export const passingBucket = 'passing';
/** Never deleted; in some histories of a weaker durability. */
export const weakBucket = 'weak';
export const keys = ['a', 'a/b', 'b', 'ü', '..'] as const;

interface WorkplaceOptions {
  readonly store: DiskStore;
  readonly model: Model;
  readonly random: SeededRandom;
  /** Refusals that this history gives reasons for, beside those of the operations themselves. */
  readonly excuses: ReadonlySet<StoreErrorCode>;
  /** Whether the disk has failed in a way that ends all writing. */
  readonly hasFailed: () => boolean;
  readonly note: (text: () => string) => void;
}

/** How one operation went. */
type Answer<Result> =
  | { readonly kind: 'acknowledged'; readonly result: Result }
  /** `doubtful`: what became of it is not known until the store is opened again. */
  | { readonly kind: 'refused'; readonly code: StoreErrorCode; readonly doubtful: boolean };

export class Workplace {
  readonly store: DiskStore;
  readonly model: Model;
  readonly random: SeededRandom;
  readonly #options: WorkplaceOptions;

  constructor(options: WorkplaceOptions) {
    this.store = options.store;
    this.model = options.model;
    this.random = options.random;
    this.#options = options;
  }

  note(text: () => string): void {
    this.#options.note(text);
  }

  /**
   * Asks for something, and judges the answer.
   * @throws Violation when it is refused without a reason, or acknowledged after the disk had failed.
   */
  async ask<Result>(
    name: string,
    request: () => Promise<Result>,
    reasons: () => readonly StoreErrorCode[],
  ): Promise<Answer<Result>> {
    const hadFailed = this.#options.hasFailed();
    this.note(() => `begin ${name}`);
    let result: Result;
    try {
      result = await request();
    } catch (cause) {
      const code = this.judgeRefusal(name, cause, reasons());
      return { kind: 'refused', code, doubtful: code === 'ReadOnly' };
    }
    this.note(() => `acknowledged ${name}`);
    if (hadFailed) throw new Violation(`${name} began after the disk had failed, and was acknowledged.`);
    return { kind: 'acknowledged', result };
  }

  /** The code of a refusal that there was reason for. @throws Violation */
  judgeRefusal(name: string, cause: unknown, reasons: readonly StoreErrorCode[]): StoreErrorCode {
    if (!isStoreError(cause)) throw cause;
    this.note(() => `refused ${name}: ${cause.code}`);
    this.model.countRefusal(cause.code);
    if (reasons.includes(cause.code) || this.#options.excuses.has(cause.code)) return cause.code;
    throw new Violation(`${name} was refused without reason: ${cause.code}, ${cause.message}`, { cause });
  }

  /** Whether the disk was made to fail, and work that answers nobody was told so as it is. */
  excusesDiskError(cause: unknown): boolean {
    const isDiskError = cause instanceof Error && 'code' in cause && cause.code === 'EIO';
    return this.#options.excuses.has('ReadOnly') && (isDiskError || this.store.health().status !== 'ok');
  }

  /** Stages a body, of known or unknown length, in one piece or two. */
  async stage(bucket: string, body: Body): Promise<StagedBody | undefined> {
    const { store, random } = this;
    const { sizeBytes, number } = body;
    const request = async (): Promise<StagedBody> => {
      const known = random.chance(0.7) ? { sizeBytes } : undefined;
      const hint = random.chance(0.8) ? { bucket } : undefined;
      const writer = store.stageBody({ ...known, ...hint, maxSizeBytes: 1 << 30, digests: ['MD5'] });
      const bytes = bytesOf([body]);
      const split = random.chance(0.3) ? random.below(sizeBytes + 1) : sizeBytes;
      await writer.write(bytes.subarray(0, split));
      if (split < sizeBytes) await writer.write(bytes.subarray(split));
      return writer.finish();
    };
    this.note(() => `stage body ${number} of ${sizeBytes} bytes`);
    try {
      return await request();
    } catch (cause) {
      this.judgeRefusal(`body ${number}`, cause, []);
      return undefined;
    }
  }

  address(): Address {
    const { random } = this;
    const bucket = random.pickWeighted({ [lastingBucket]: 60, [passingBucket]: 20, [weakBucket]: 20 });
    return { bucket, key: random.pick(keys) };
  }
}

export function smallSize(random: SeededRandom): number {
  return random.chance(0.1) ? 0 : random.between(1, 1200);
}

export function largeSize(random: SeededRandom): number {
  if (random.chance(0.03)) return random.between(200_000, 300_000);
  return random.chance(0.15) ? random.between(30_000, 70_000) : random.between(2100, 9000);
}

export function attributesOf(operation: number): {
  systemMetadata: Record<string, string>;
  userMetadata: Record<string, string>;
  storageClass: string;
  owner: string;
} {
  const userMetadata = { operation: String(operation) };
  return { systemMetadata: {}, userMetadata, storageClass: 'STANDARD', owner: 'owner' };
}

export function etagOf(body: StagedBody): string {
  return Buffer.from(body.digests.get('MD5') ?? []).toString('hex');
}

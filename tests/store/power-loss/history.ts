// One history: a store on a simulated disk, clients at work, and the power going at a point that the seed chooses, several times
// over. After each loss the store is opened anew and held against the model. The same seed gives the same history.

import { type DiskStore, openDiskStore, type StoreErrorCode } from '@stowage/store';
import { SeededRandom } from '../../../packages/store/src/testing/seeded-random.ts';
import { openSimulatedIndex } from '../../../packages/store/src/testing/simulated-index.ts';
import { createBucket } from './bucket-requests.ts';
import { ChangeFollower } from './change-follower.ts';
import {
  type Circumstances,
  drawCircumstances,
  drawFault,
  type HistoryKind,
  isFatal,
  promiseOf,
} from './circumstances.ts';
import { runClient } from './clients.ts';
import { cutClasses, cutMoments } from './cut-points.ts';
import { fillUpAndClear, putWhenThereIsRoom } from './full-disk.ts';
import { Violation } from './key-account.ts';
import { blobCount, requireNoLeftovers } from './leftovers.ts';
import { Model } from './model.ts';
import { checkRecovered } from './recovery-check.ts';
import { checkRotten, rotSomewhere } from './rot.ts';
import { sizes } from './sizes.ts';
import { virtualTime } from './virtual-time.ts';
import { lastingBucket, Workplace, weakBucket } from './workplace.ts';
import { type Cut, type CutPlan, directory, World } from './world.ts';

export interface HistoryResult {
  readonly seed: number;
  readonly kind: HistoryKind;
  /** What was wrong, or nothing. */
  readonly fault: string | undefined;
  readonly acknowledged: number;
  /** How often what was refused. */
  readonly refusals: ReadonlyMap<string, number>;
  readonly cuts: readonly Pick<Cut, 'cutClass' | 'moment' | 'phase'>[];
}

/** Where compaction is at work all the time, there are many segments for it to choose from. */
const compactedSegmentBytes = 3 * 1024;

const maxRuns = 4;
const maxOperationsPerRun = 40;

export async function runHistory(seed: number, trace?: string[]): Promise<HistoryResult> {
  const history = new History(seed, trace);
  let fault: string | undefined;
  try {
    await history.run();
  } catch (cause) {
    fault =
      cause instanceof Violation
        ? cause.message
        : cause instanceof Error
          ? (cause.stack ?? cause.message)
          : String(cause);
  }
  const { model, cuts, circumstances } = history;
  return { seed, kind: circumstances.kind, fault, acknowledged: model.acknowledged, refusals: model.refusals, cuts };
}

/** What kind of history a seed gives. */
export function kindOf(seed: number): HistoryKind {
  return drawCircumstances(new SeededRandom(seed)).kind;
}

class History {
  readonly circumstances: Circumstances;
  readonly model: Model;
  readonly cuts: Cut[] = [];
  readonly #random: SeededRandom;
  readonly #world: World;
  readonly #follower: ChangeFollower | undefined;
  /** The power went since the store was checked last. */
  #lossy = false;
  /** Since then, bodies that nothing names may stay for good: what named them may have been lost. */
  #rebuilt = false;

  constructor(seed: number, trace: string[] | undefined) {
    this.#random = new SeededRandom(seed);
    this.circumstances = drawCircumstances(this.#random);
    this.#world = new World(this.#random.fork(), trace);
    this.#world.note(() => JSON.stringify(this.circumstances));
    this.model = new Model({
      promised: (bucket) => promiseOf(this.circumstances, bucket),
      nowMs: () => virtualTime.nowMs,
    });
    this.#follower = this.circumstances.hasFollower ? new ChangeFollower() : undefined;
  }

  async run(): Promise<void> {
    const runs = this.#random.between(1, maxRuns);
    for (let run = 0; run < runs; run += 1) await this.#runUntilCut(this.#plan());
    await this.#finish();
  }

  /** Opens, checks, works and closes, until the plan says stop; then the power goes, or the process ends. */
  async #runUntilCut(plan: CutPlan): Promise<void> {
    const cut = await this.#work(plan);
    if (cut !== undefined) this.cuts.push(cut);
    this.#stop(cut);
  }

  async #work(plan: CutPlan): Promise<Cut | undefined> {
    const world = this.#world;
    world.phase = 'opening';
    const opening = await world.drive(this.#open(), plan);
    if (opening.kind === 'cut') return opening.cut;
    if (opening.kind === 'failed') throw opening.cause;
    const store = opening.result;
    await this.#check(store);
    world.phase = 'running';
    this.#bringTrouble();
    const working = await world.drive(this.#serve(store), plan);
    if (working.kind === 'failed') throw working.cause;
    this.model.judgeConditions();
    if (working.kind === 'cut') return working.cut;
    if (this.#random.chance(0.5)) return undefined;
    world.phase = 'closing';
    const closing = await world.drive(store.close(), plan);
    if (closing.kind === 'failed') throw closing.cause;
    return closing.kind === 'cut' ? closing.cut : undefined;
  }

  /** The power goes, or the process ends; what troubled the disk is over. */
  #stop(cut: Cut | undefined): void {
    const world = this.#world;
    this.model.stop({ hadFailed: this.circumstances.kind === 'failing' });
    if (this.#random.chance(0.15)) world.endProcess();
    else {
      world.losePower(cut);
      this.#lossy = true;
    }
    world.endTrouble();
    if (this.circumstances.losesIndex && this.#random.chance(0.5)) {
      world.disk.lose(`${directory}/index/checkpoint`);
      // An opening that makes it anew may be cut off before it says so, and have made it durable all the same.
      this.#rebuilt = true;
    }
  }

  /** The last time nothing is cut off: everything must be there, and nothing left over. */
  async #finish(): Promise<void> {
    const world = this.#world;
    const { kind, weak, losesIndex, compactsOften } = this.circumstances;
    const store = await this.#undisturbed(this.#open());
    await this.#check(store);
    const followed = this.#follower?.catchUp(this.#workplace(store), this.model.strictPuts);
    if (followed !== undefined) await this.#undisturbed(followed);
    if (compactsOften) await this.#undisturbed(store.compact());
    await world.idle(20_000);
    await this.#undisturbed(store.close());
    if (!this.#rebuilt && weak.level !== 'memory') requireNoLeftovers(world.disk, this.model, sizes.maxInlineBytes);
    world.losePower(undefined);
    if (losesIndex) world.disk.lose(`${directory}/index/checkpoint`);
    if (kind === 'rot') rotSomewhere(world, this.#random);
    const again = await this.#undisturbed(this.#open());
    // Closed in order, everything is durable but the bodies of durability `memory`.
    this.#lossy = weak.level === 'memory';
    if (kind === 'rot') await this.#checkRotten(again);
    else await this.#check(again);
    await this.#undisturbed(again.close());
  }

  /** @throws Violation when something is wrong without a word, or a body is taken for one that nobody needs. */
  async #checkRotten(store: DiskStore): Promise<void> {
    const world = this.#world;
    const before = blobCount(world.disk);
    await this.#undisturbed(checkRotten(store, this.model, { scrubs: this.#random.chance(0.5) }));
    await world.idle(20_000);
    const after = blobCount(world.disk);
    if (after < before) throw new Violation(`Bits turned over, and of ${before} bodies ${after} are left.`);
  }

  async #check(store: DiskStore): Promise<void> {
    const { model } = this;
    const check = { store, model, random: this.#random, follower: this.#follower, lossy: this.#lossy };
    await this.#undisturbed(checkRecovered(check));
    this.#lossy = false;
  }

  async #undisturbed<Result>(work: Promise<Result>): Promise<Result> {
    const ending = await this.#world.drive(work);
    if (ending.kind === 'done') return ending.result;
    throw ending.kind === 'failed' ? ending.cause : new Error('There was no plan to cut anything.');
  }

  #open(): Promise<DiskStore> {
    const world = this.#world;
    const random = this.#random.fork();
    const { usual, compactsOften } = this.circumstances;
    return openDiskStore({
      directory,
      disk: world.disk,
      openIndex: openSimulatedIndex,
      durability: usual,
      clock: () => virtualTime.nowMs,
      // Whoever asks for much wants only room taken up.
      random: (sizeBytes) => Buffer.alloc(sizeBytes, random.bytes(Math.min(sizeBytes, 64))),
      sizes: { ...sizes, ...(compactsOften ? { segmentSizeBytes: compactedSegmentBytes } : undefined) },
      hashThreads: 0,
      log: (level, message, fields) => {
        world.note(() => `${level}: ${message} ${JSON.stringify(fields)}`);
        if (message === 'The index was rebuilt' || message === 'The index cannot be opened and is rebuilt')
          this.#rebuilt = true;
      },
    });
  }

  #workplace(store: DiskStore): Workplace {
    const world = this.#world;
    const { kind } = this.circumstances;
    const excuses: StoreErrorCode[] =
      kind === 'full' ? ['DiskFull'] : kind === 'failing' ? ['ReadOnly', 'DiskFull'] : [];
    return new Workplace({
      store,
      model: this.model,
      random: this.#random.fork(),
      excuses: new Set(excuses),
      hasFailed: () => world.hasFailed || store.health().status !== 'ok',
      note: (text) => world.note(text),
    });
  }

  async #serve(store: DiskStore): Promise<void> {
    const setUp = this.#workplace(store);
    for (const name of [weakBucket, lastingBucket]) {
      if (!this.model.bucketExists(name)) await createBucket(setUp, name);
    }
    let left = this.#random.between(5, maxOperationsPerRun);
    const goesOn = (): boolean => {
      left -= 1;
      return left >= 0;
    };
    const stop = new AbortController();
    const follows = this.#follower?.follow(this.#workplace(store), stop.signal);
    const maintains = this.#maintain(store, stop.signal);
    const clients = Array.from({ length: this.#random.between(1, 5) }, (_, index) =>
      runClient(this.#workplace(store), index === 0, goesOn),
    );
    if (this.circumstances.kind === 'full') clients.push(fillUpAndClear(this.#workplace(store), this.#world));
    const served = Promise.all(clients).finally(() => stop.abort());
    await Promise.all([served, follows, maintains]);
    if (this.circumstances.kind === 'full') await putWhenThereIsRoom(this.#workplace(store), this.#world);
  }

  /** What an operator may ask for at any time. */
  async #maintain(store: DiskStore, stop: AbortSignal): Promise<void> {
    if (!this.circumstances.compactsOften) return;
    const place = this.#workplace(store);
    while (!stop.aborted) {
      await new Promise((resolve) => setTimeout(resolve, place.random.below(200)));
      const task = place.random.pickWeighted({ compact: 2, compactSome: 6, scrub: 1 });
      try {
        if (task === 'scrub') await store.scrub();
        else await store.compact(...(task === 'compact' ? [] : [this.#someSegments(place.random)]));
      } catch (cause) {
        if (!place.excusesDiskError(cause)) place.judgeRefusal(task, cause, []);
      }
    }
  }

  #someSegments(random: SeededRandom): number[] {
    const names = [...this.#world.disk.files()].flatMap(([path]) => /(\d+)\.seg$/.exec(path)?.[1] ?? []);
    return names.map(Number).filter(() => random.chance(0.3));
  }

  /** Has the disk fail during this run. */
  #bringTrouble(): void {
    const world = this.#world;
    const random = this.#random;
    if (this.circumstances.kind === 'failing') world.planFault(drawFault(random, this.circumstances), isFatal);
  }

  /** Half of the cuts aim at a class of operations, so that rare ones are met as often as common ones. */
  #plan(): CutPlan {
    const random = this.#random;
    if (random.chance(0.6)) {
      const occurrence = random.below(random.pick([1, 4, 20]));
      return { kind: 'at', cutClass: random.pick(cutClasses), moment: random.pick(cutMoments), occurrence };
    }
    return { kind: 'after', steps: random.below(random.pick([60, 400, 1500])) };
  }
}

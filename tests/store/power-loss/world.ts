// The world of one history: a disk, time, and chance. It drives the store one step at a time: when the program has gone on
// as far as it can, one request of those that wait is performed, or a timer fires. At a planned step everything stops.

import type { DiskOperation } from '../../../packages/store/src/testing/disk-operation.ts';
import { IoOrder } from '../../../packages/store/src/testing/io-order.ts';
import type { SeededRandom } from '../../../packages/store/src/testing/seeded-random.ts';
import {
  type DiskRequest,
  SimulatedDisk,
  type SimulatedDiskOptions,
} from '../../../packages/store/src/testing/simulated-disk.ts';
import type { PlannedFault } from './circumstances.ts';
import { type CutClass, type CutMoment, type CutPhase, classOf } from './cut-points.ts';
import { virtualTime } from './virtual-time.ts';

export const directory = '/data';

/** When everything is to stop. */
export type CutPlan =
  | { readonly kind: 'at'; readonly cutClass: CutClass; readonly moment: CutMoment; readonly occurrence: number }
  | { readonly kind: 'after'; readonly steps: number };

export interface Cut {
  readonly cutClass: CutClass;
  readonly moment: CutMoment;
  readonly phase: CutPhase;
  /** Has not begun when everything stops. */
  readonly spared: DiskRequest | undefined;
}

type Ending<Result> =
  | { readonly kind: 'done'; readonly result: Result }
  | { readonly kind: 'failed'; readonly cause: unknown }
  | { readonly kind: 'cut'; readonly cut: Cut };

/** More steps than any part of a history takes: it turns in circles. */
const maxSteps = 40_000;
/** Turns of the event loop without anything to perform: then the store hangs. */
const maxIdleTurns = 100;
/** How often a timer that is due so soon fires although the disk is still at work: the disk takes its time. */
const earlyTimerChance = 0.05;
const soonMs = 100;

export class World {
  readonly random: SeededRandom;
  phase: CutPhase = 'opening';
  disk: SimulatedDisk;
  #order: IoOrder;
  readonly #trace: string[] | undefined;
  #idleTurns = 0;
  #planned: { readonly fault: PlannedFault; readonly isFatal: (cutClass: CutClass) => boolean } | undefined;
  #occurrences = 0;
  #failed = false;

  constructor(random: SeededRandom, trace: string[] | undefined) {
    this.random = random;
    this.#trace = trace;
    virtualTime.restart();
    this.#order = new IoOrder(random);
    this.disk = new SimulatedDisk(this.#diskOptions());
  }

  note(text: () => string): void {
    this.#trace?.push(text());
  }

  /** One operation on the disk is to fail. */
  planFault(fault: PlannedFault, isFatal: (cutClass: CutClass) => boolean): void {
    this.#planned = { fault, isFatal };
    this.#occurrences = 0;
  }

  /** Whether the disk has failed in a way after which nothing may be written. */
  get hasFailed(): boolean {
    return this.#failed;
  }

  /** The disk has room, and works. */
  endTrouble(): void {
    this.#planned = undefined;
    this.#failed = false;
    this.disk.capacityBytes = Number.POSITIVE_INFINITY;
  }

  /** The machine goes off: only the disk is left of it. */
  losePower(cut: Cut | undefined): void {
    this.#goOn((options) => this.disk.powerLoss(options, cut?.spared));
  }

  /** The process ends: the machine, with what it has not yet brought to the disk, goes on. */
  endProcess(): void {
    this.#goOn((options) => this.disk.processEnd(options));
  }

  /** Drives until the work is done or the plan says stop. What runs in the background meanwhile goes on in the next call. */
  async drive<Result>(work: Promise<Result>, plan?: CutPlan): Promise<Ending<Result>> {
    let ending: Ending<Result> | undefined;
    work.then(
      (result) => {
        ending = { kind: 'done', result };
      },
      (cause: unknown) => {
        ending = { kind: 'failed', cause };
      },
    );
    let occurrences = 0;
    for (let step = 0; step < maxSteps; step += 1) {
      await new Promise(setImmediate);
      if (ending !== undefined) return ending;
      virtualTime.pass(this.random.below(3));
      if (
        this.#order.waiting.length === 0 ||
        (virtualTime.isTimerDueWithin(soonMs) && this.random.chance(earlyTimerChance))
      ) {
        if (!virtualTime.hasTimers) {
          this.#requireProgress();
          continue;
        }
        this.note(() => 'timer');
        virtualTime.fireNext();
        continue;
      }
      const request = this.#order.take();
      if (request === undefined) continue;
      this.#idleTurns = 0;
      const cutClass = classOf(request.operation, directory);
      const aimed = plan?.kind === 'at' && plan.cutClass === cutClass && occurrences++ === plan.occurrence;
      if (plan?.kind === 'at' && aimed && plan.moment !== 'after') {
        return this.#cut({ cutClass, moment: plan.moment, spared: plan.moment === 'before' ? request : undefined });
      }
      this.note(() => describe(request));
      request.perform();
      if (aimed || (plan?.kind === 'after' && step >= plan.steps))
        return this.#cut({ cutClass, moment: 'after', spared: undefined });
    }
    throw new Error(`The store is not done after ${maxSteps} steps.`);
  }

  /** Lets time go by, and everything that runs in the background with it. */
  async idle(ms: number): Promise<void> {
    const slept = new Promise<void>((resolve) => setTimeout(resolve, ms));
    const ending = await this.drive(slept);
    if (ending.kind === 'failed') throw ending.cause;
    // What the last timers began is done, too.
    for (let left = maxSteps; left > 0; left -= 1) {
      await new Promise(setImmediate);
      const request = this.#order.take();
      if (request === undefined) return;
      this.note(() => describe(request));
      request.perform();
    }
  }

  /** Without disk and timers, only turns of the event loop that the program gives away can bring it further. */
  #requireProgress(): void {
    this.#idleTurns += 1;
    if (this.#idleTurns > maxIdleTurns) throw new Error('Nothing is under way, and the store waits all the same.');
  }

  async #cut<Result>(cut: Omit<Cut, 'phase'>): Promise<Ending<Result>> {
    this.note(() => `cut ${cut.moment} ${cut.cutClass} while ${this.phase}`);
    // What follows from the last request at once still happens: answers are given, and new requests made.
    await new Promise(setImmediate);
    return { kind: 'cut', cut: { ...cut, phase: this.phase } };
  }

  #goOn(heir: (options: SimulatedDiskOptions) => SimulatedDisk): void {
    this.#order = new IoOrder(this.random);
    virtualTime.forgetTimers();
    this.disk = heir(this.#diskOptions());
  }

  #diskOptions(): SimulatedDiskOptions {
    return { random: this.random, schedule: this.#order, fault: (operation) => this.#faultOf(operation) };
  }

  #faultOf(operation: DiskOperation): 'EIO' | 'ENOSPC' | undefined {
    const planned = this.#planned;
    if (planned === undefined) return undefined;
    const { fault, isFatal } = planned;
    const cutClass = classOf(operation, directory);
    if (cutClass !== fault.cutClass) return undefined;
    this.#occurrences += 1;
    const fails = this.#occurrences === fault.occurrence + 1 || (fault.lasts && this.#occurrences > fault.occurrence);
    if (!fails) return undefined;
    this.note(() => `${operation.kind} ${operation.path} fails`);
    if (isFatal(cutClass)) this.#failed = true;
    // A failed sync is one, whatever it says: lack of room is found out as late as this on some file systems.
    const isSync = operation.kind === 'sync' || operation.kind === 'syncFolder';
    return isSync && isFatal(cutClass) && this.random.chance(0.3) ? 'ENOSPC' : 'EIO';
  }
}

function describe({ operation: { kind, path, sizeBytes } }: DiskRequest): string {
  return `${kind} ${path.slice(directory.length + 1)}${sizeBytes > 0 ? ` ${sizeBytes}` : ''}`;
}

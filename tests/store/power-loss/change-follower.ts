// A consumer of a history: follows all changes by a cursor, acknowledges some, and goes on after each crash. What it is told
// must have happened and may not be taken back; in the end it must have been told of everything.

import {
  type Change,
  type ChangeCursor,
  isStoreError,
  type ObjectCreated,
  type ObjectRemoved,
  type ObjectVersion,
} from '@stowage/store';
import { Violation } from './key-account.ts';
import { type Address, type Model, nameOf, operationOf } from './model.ts';
import { passingBucket, type Workplace } from './workplace.ts';

const cursorName = 'follower';

interface ToldOf {
  readonly sequence: number;
  readonly operation: number;
  readonly removed: boolean;
}

export class ChangeFollower {
  /** Where the cursor began; absent: it was never seen. */
  #since: number | undefined;
  /** As far as answers tell. */
  #acknowledged = 0;
  /** What it was told last of each key. */
  readonly #last = new Map<string, ToldOf>();
  /** Every put that it was told of, by sequence. */
  readonly #puts = new Map<number, string>();

  /** Reads until it is told to stop. */
  async follow(place: Workplace, stop: AbortSignal): Promise<void> {
    try {
      const cursor = await this.#open(place);
      while (!stop.aborted) {
        const told = await this.#read(place, cursor, stop);
        if (place.random.chance(0.4)) await this.#acknowledge(cursor, place.random.pick(told));
      }
      await cursor.close();
    } catch (cause) {
      if (stop.aborted && (cause === stop.reason || isStoreError(cause))) return;
      throw cause;
    }
  }

  /** Reads all that there is, and holds it against the puts that were acknowledged. @throws Violation */
  async catchUp(place: Workplace, puts: ReadonlyMap<number, string>): Promise<void> {
    const cursor = await this.#open(place);
    while (cursor.lag().changes > 0) {
      const told = await this.#read(place, cursor, new AbortController().signal);
      await this.#acknowledge(cursor, told.at(-1) ?? 0);
    }
    await cursor.close();
    for (const [sequence, name] of puts) {
      if (sequence <= (this.#since ?? 0) || this.#puts.get(sequence) === name) continue;
      throw new Violation(`The cursor was never told of the put ${sequence} of ${name}.`);
    }
  }

  /** Holds what recovery shows against what was told, which may not be taken back. @throws Violation */
  judge(model: Model, address: Address, found: ObjectVersion | undefined): void {
    const name = nameOf(address);
    const last = this.#last.get(name);
    if (last === undefined) return;
    if (found === undefined) {
      if (last.removed || model.mayBeGone(address, last)) return;
      throw new Violation(`A cursor told of the put ${last.sequence} of ${name}, and it is gone.`);
    }
    const isLater = found.sequence > last.sequence || (found.sequence === last.sequence && !last.removed);
    if (!isLater) {
      const what = last.removed ? 'the removal' : 'the put';
      throw new Violation(`A cursor told of ${what} ${last.sequence} of ${name}, and ${found.sequence} is there.`);
    }
  }

  async #open({ store }: Workplace): Promise<ChangeCursor> {
    const cursor = await store.openCursor(cursorName, { start: 'oldest' });
    const place = store.listCursors().find(({ name }) => name === cursorName)?.acknowledged ?? 0;
    this.#since ??= place;
    // It may be further on: over records that are no changes.
    if (place < this.#acknowledged) {
      throw new Violation(`The cursor stands at ${place}: ${this.#acknowledged} was acknowledged.`);
    }
    this.#acknowledged = place;
    return cursor;
  }

  /** Answers the sequences that it was told of. */
  async #read(place: Workplace, cursor: ChangeCursor, stop: AbortSignal): Promise<number[]> {
    const changes = await cursor.read({ limit: place.random.between(1, 20), signal: stop });
    place.note(() => `told of ${changes.map(({ type, sequence }) => `${type} ${sequence}`).join(', ')}`);
    let before = this.#acknowledged;
    for (const change of changes) {
      if (change.sequence <= before) throw new Violation(`A cursor told of ${change.sequence} after ${before}.`);
      before = change.sequence;
      this.#take(change);
    }
    return changes.map(({ sequence }) => sequence);
  }

  async #acknowledge(cursor: ChangeCursor, sequence: number): Promise<void> {
    await cursor.acknowledge(sequence);
    this.#acknowledged = Math.max(this.#acknowledged, sequence);
  }

  /** What comes again after a restart is older than what was told last. */
  #remember(change: ObjectCreated | ObjectRemoved, removed: boolean): void {
    const { sequence } = change;
    const name = nameOf(change);
    if (sequence <= (this.#last.get(name)?.sequence ?? 0)) return;
    this.#last.set(name, { sequence, operation: operationOf(change.version), removed });
  }

  #take(change: Change): void {
    switch (change.type) {
      case 'objectCreated':
        this.#puts.set(change.sequence, nameOf(change));
        this.#remember(change, false);
        return;
      case 'objectRemoved':
        this.#remember(change, true);
        return;
      case 'changesLost':
        throw new Violation(`The cursor lost changes: ${change.description}`);
      case 'bucketRemoved':
        if (change.bucket !== passingBucket) throw new Violation(`The cursor tells that ${change.bucket} was removed.`);
        return;
      case 'bucketCreated':
      case 'bucketConfigured':
      case 'uploadCreated':
      case 'uploadAborted':
        return;
    }
  }
}

// What one key must hold, as far as answers tell. Commits of a key are put in order by their sequence numbers, since answers
// of one batch may arrive in another order. In a bucket of a weak durability, what was acknowledged may go again with the
// power, newest first, until something stronger is acknowledged: such a key remembers what it held before.

/** What the store has shown and may not. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

export interface KnownVersion {
  /** The operation that wrote it; its user metadata says so. */
  readonly operation: number;
  readonly sequence: number;
  readonly etag: string;
}

/** What a put asks of the version that it replaces. */
export type Condition = { readonly kind: 'absent' } | { readonly kind: 'etag'; readonly etag: string };

/** When something was answered. */
export interface Moment {
  /** Counts what clients do. */
  readonly tick: number;
  readonly ms: number;
}

/** A state that the key was in, and when it was replaced. */
interface EarlierState {
  readonly version: KnownVersion | undefined;
  readonly untilTick: number;
  readonly untilMs: number;
}

/** What is known when a delete begins. */
export interface DeleteBegun {
  readonly operation: number;
  readonly floor: number;
  /** Absent: the key may be empty already. */
  readonly disturbances: number | undefined;
}

export class KeyAccount {
  readonly name: string;
  current: KnownVersion | undefined;
  /** Operations that were not answered. */
  readonly puts = new Set<number>();
  readonly deletes = new Set<number>();
  /** Nothing of this sequence or an earlier one can be current any more. */
  #floor = 0;
  #earlier: EarlierState[] = [];
  /** Recovery has shown it empty when operations had this number. */
  #emptySince = 0;
  /** Grows whenever the key may have become empty. */
  #disturbances = 0;
  /** Since the last recovery. */
  #base: KnownVersion | undefined;
  #commits: { readonly version: KnownVersion; readonly condition: Condition | undefined }[] = [];
  readonly #removed = new Set<number>();

  constructor(name: string) {
    this.name = name;
  }

  acknowledgePut(version: KnownVersion, now: Moment, condition?: Condition): void {
    this.puts.delete(version.operation);
    this.#commits.push({ version, condition });
    if (version.sequence <= this.#floor) return;
    this.#become(version, version.sequence, now);
  }

  beginDelete(operation: number): DeleteBegun {
    // Only with nothing under way is it known that there is something to delete.
    const certain = this.current !== undefined && this.deletes.size === 0;
    this.deletes.add(operation);
    return { operation, floor: this.#floor, disturbances: certain ? this.#disturbances : undefined };
  }

  /** @throws Violation */
  acknowledgeDelete(begun: DeleteBegun, removedSequence: number | undefined, now: Moment): void {
    this.deletes.delete(begun.operation);
    const undisturbed = begun.disturbances === this.#disturbances && this.deletes.size === 0;
    this.#disturbances += 1;
    if (removedSequence === undefined) {
      if (undisturbed) throw new Violation(`${this.name} was acknowledged, and a delete found nothing there.`);
      return;
    }
    if (removedSequence < begun.floor) {
      throw new Violation(`A delete of ${this.name} removed version ${removedSequence}, older than ${begun.floor}.`);
    }
    this.#removed.add(removedSequence);
    if (removedSequence >= this.#floor) this.#become(undefined, removedSequence, now);
  }

  /**
   * What is wrong with the version that the store shows, if anything is.
   * @param lossy the power went, so that weak writes may have gone with it.
   */
  faultOf(found: Pick<KnownVersion, 'operation' | 'sequence'> | undefined, lossy: boolean): string | undefined {
    const states = [this.current, ...(lossy ? this.#earlier.map(({ version }) => version) : [])];
    if (found === undefined) {
      if (this.deletes.size > 0 || states.includes(undefined)) return undefined;
      return `is gone: ${describe(this.current)} was acknowledged`;
    }
    const { operation, sequence } = found;
    if (states.some((state) => state?.operation === operation && state.sequence === sequence)) return undefined;
    if (this.puts.has(operation) && sequence > this.#floor) return undefined;
    const underWay = this.puts.size > 0 ? `, and ${[...this.puts].join(', ')} were under way` : '';
    return `is ${describe(found)}: ${describe(this.current)} was acknowledged${underWay}`;
  }

  /** Somebody was shown this, and nothing is shown that is not durable: it may not be taken back (invariant 2). */
  see(found: KnownVersion | undefined, now: Moment): void {
    if (found === undefined) {
      if (this.current !== undefined) this.#become(undefined, this.#floor, now);
      this.#disturbances += 1;
    } else if (found.sequence > this.#floor) this.#become(found, found.sequence, now);
  }

  /** Whether a put may have been removed again. */
  mayBeGone({ operation, sequence }: Pick<KnownVersion, 'operation' | 'sequence'>): boolean {
    if (this.deletes.size > 0) return true;
    // It was removed, and what came after that was lost alone.
    const at = this.#earlier.findLastIndex(({ version }) => version?.sequence === sequence);
    if (at >= 0 && this.#earlier.slice(at + 1).some(({ version }) => version === undefined)) return true;
    return this.current === undefined && (this.#floor >= sequence || this.#emptySince >= operation);
  }

  /** Whether a put up to a sequence was acknowledged after the state that is shown: then that put was lost alone. */
  lost(found: Pick<KnownVersion, 'sequence'> | undefined, upTo: number): KnownVersion | undefined {
    // A delete that was not answered may have taken whatever was there.
    if (found === undefined && this.deletes.size > 0) return undefined;
    const states = [...this.#earlier.map(({ version }) => version), this.current];
    const shown = states.findLastIndex((state) => state?.sequence === found?.sequence);
    if (shown < 0) return undefined;
    return states.slice(shown + 1).find((state) => state !== undefined && state.sequence <= upTo);
  }

  /** Everything that was replaced by then is durable in its replacement. */
  harden(until: { readonly tick?: number; readonly ms?: number }): void {
    if (this.#earlier.length === 0) return;
    const { tick = 0, ms = 0 } = until;
    this.#earlier = this.#earlier.filter(({ untilTick, untilMs }) => untilTick >= tick && untilMs >= ms);
  }

  /** Nobody is left to make what was replaced durable by and by. */
  abandon(): void {
    this.#earlier = this.#earlier.map((state) => ({ ...state, untilMs: Number.POSITIVE_INFINITY }));
  }

  /** After a recovery that was judged: what it shows is what there is. */
  adopt(found: KnownVersion | undefined, lastNumber: number): void {
    this.puts.clear();
    this.deletes.clear();
    this.#commits = [];
    this.#removed.clear();
    this.#earlier = [];
    this.current = found;
    this.#base = found;
    // What was lost gave its sequence numbers back.
    this.#floor = found?.sequence ?? 0;
    if (found === undefined) this.#emptySince = lastNumber;
  }

  /** Conditional puts that were acknowledged have met their condition (invariant 4), as far as all answers are known. */
  brokenCondition(): string | undefined {
    if (this.puts.size > 0 || this.deletes.size > 0) return undefined;
    let previous = this.#base;
    for (const { version, condition } of this.#commits.toSorted((a, b) => a.version.sequence - b.version.sequence)) {
      const standing = previous !== undefined && !this.#removed.has(previous.sequence) ? previous : undefined;
      const met =
        condition === undefined ||
        (condition.kind === 'absent' ? standing === undefined : standing?.etag === condition.etag);
      if (!met) return `${describe(version)} was acknowledged on a condition, and ${describe(standing)} was there`;
      previous = version;
    }
    return undefined;
  }

  /** The state before is kept until this one is known to be durable. */
  #become(version: KnownVersion | undefined, floor: number, now: Moment): void {
    this.#earlier.push({ version: this.current, untilTick: now.tick, untilMs: now.ms });
    this.current = version;
    this.#floor = floor;
  }
}

function describe(version: Pick<KnownVersion, 'operation' | 'sequence'> | undefined): string {
  return version === undefined ? 'nothing' : `operation ${version.operation} (sequence ${version.sequence})`;
}

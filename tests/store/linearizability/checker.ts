// Decides whether a history of concurrent operations is linearizable: whether there is one order of all of them in which each
// takes effect at one moment between its invocation and its response, and answers what it did. The search is Wing and
// Gong's, with the states that were found to lead nowhere remembered (Lowe). A history is searched as a whole, not key by
// key: a listing looks at several keys at one moment.

/** One operation as a client saw it. Times are of one clock. */
export interface Recorded<Operation> {
  readonly operation: Operation;
  readonly invokedAt: number;
  /** Absent: no answer came. It may have taken effect at any time since, or may never. */
  readonly respondedAt: number | undefined;
}

/** What operations do to a state, one after the other. */
export interface Model<State, Operation> {
  readonly initial: State;
  /** The state afterwards; `undefined` when the operation could not have answered what it did. */
  step(state: State, operation: Operation): State | undefined;
  /** States of one name are the same. */
  nameOf(state: State): string;
}

export type Verdict<Operation> =
  | { readonly linearizable: true }
  /** `order`: the longest beginning that could be put in order; `stuck`: what could have come next and did not fit. */
  | { readonly linearizable: false; readonly order: readonly Operation[]; readonly stuck: readonly Operation[] };

/** Beyond it, a history is too wide to be decided. */
const maxStates = 5_000_000;

/** @throws RangeError when the history has too many operations at once to be decided. */
export function checkHistory<State, Operation>(
  history: readonly Recorded<Operation>[],
  model: Model<State, Operation>,
): Verdict<Operation> {
  return new Search(history, model).run();
}

class Search<State, Operation> {
  /** In order of invocation. */
  readonly #entries: readonly Recorded<Operation>[];
  readonly #model: Model<State, Operation>;
  readonly #placed: boolean[];
  readonly #dead = new Set<string>();
  readonly #order: number[] = [];
  #longest: readonly number[] = [];
  #stuck: readonly number[] = [];

  constructor(history: readonly Recorded<Operation>[], model: Model<State, Operation>) {
    this.#entries = history.toSorted((a, b) => a.invokedAt - b.invokedAt);
    this.#model = model;
    this.#placed = this.#entries.map(() => false);
  }

  run(): Verdict<Operation> {
    if (this.#completes(this.#model.initial, 0)) return { linearizable: true };
    const named = (indexes: readonly number[]): Operation[] =>
      indexes.flatMap((index) => this.#entries[index]?.operation ?? []);
    return { linearizable: false, order: named(this.#longest), stuck: named(this.#stuck) };
  }

  /** Whether all that is not placed yet can be put in order after this state. Everything before `from` is placed. */
  #completes(state: State, from: number): boolean {
    let first = from;
    while (this.#placed[first] === true) first += 1;
    const candidates = this.#candidates(first);
    // What never answered need not have happened.
    if (candidates === undefined) return true;
    const name = this.#nameOf(state, first);
    if (this.#dead.has(name)) return false;
    for (const index of candidates) {
      const entry = this.#entries[index];
      const next = entry === undefined ? undefined : this.#model.step(state, entry.operation);
      if (next === undefined) continue;
      this.#placed[index] = true;
      this.#order.push(index);
      if (this.#completes(next, first)) return true;
      this.#placed[index] = false;
      this.#order.pop();
    }
    if (this.#order.length >= this.#longest.length) {
      this.#longest = [...this.#order];
      this.#stuck = candidates;
    }
    if (this.#dead.size >= maxStates) throw new RangeError(`The history is too wide: ${maxStates} states were tried.`);
    this.#dead.add(name);
    return false;
  }

  /** What may come next: all that was invoked before anything left has answered. `undefined` when nothing left has answered. */
  #candidates(first: number): number[] | undefined {
    let firstResponse = Number.POSITIVE_INFINITY;
    const candidates: number[] = [];
    for (let index = first; index < this.#entries.length; index += 1) {
      const entry = this.#entries[index];
      if (entry === undefined || this.#placed[index] === true) continue;
      if (entry.invokedAt > firstResponse) break;
      candidates.push(index);
      firstResponse = Math.min(firstResponse, entry.respondedAt ?? Number.POSITIVE_INFINITY);
    }
    if (firstResponse === Number.POSITIVE_INFINITY) return undefined;
    return candidates.filter((index) => (this.#entries[index]?.invokedAt ?? 0) <= firstResponse);
  }

  /** What is placed and the state: two ways that have come to the same go on in the same way. */
  #nameOf(state: State, first: number): string {
    let placed = '';
    for (let index = first; index < this.#placed.length; index += 1)
      if (this.#placed[index] === true) placed += `,${index}`;
    return `${first}${placed}|${this.#model.nameOf(state)}`;
  }
}

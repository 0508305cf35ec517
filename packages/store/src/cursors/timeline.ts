// When changes were committed, for the batches since the store was opened: how old the oldest change is that a consumer has
// not dealt with. Changes are told by how many there had been. Bounded: when it is full, every second entry goes, and an
// answer is off by the distance of two entries at most.

const maxEntries = 2048;

interface Entry {
  /** Changes from the journal's beginning, up to the end of a batch. */
  readonly changeCount: number;
  readonly atMs: number;
}

export class Timeline {
  /** Of changes up to here nothing is known. */
  readonly #from: number;
  #entries: Entry[] = [];

  constructor(from: number) {
    this.#from = from;
  }

  /** Takes note of a batch with changes. */
  add(changeCount: number, atMs: number): void {
    this.#entries.push({ changeCount, atMs });
    if (this.#entries.length > maxEntries) this.#entries = this.#entries.filter((_, index) => index % 2 === 0);
  }

  /** When the first change behind so many was committed, or `undefined` when that is not known. */
  firstAfter(changeCount: number): number | undefined {
    if (changeCount < this.#from) return undefined;
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle]?.changeCount ?? 0) > changeCount) high = middle;
      else low = middle + 1;
    }
    return this.#entries[low]?.atMs;
  }
}

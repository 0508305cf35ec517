// How much memory all small bodies together may take, from their first byte until their commit has put them into the journal
// or they were given up. One that finds none left becomes a file at once (body-writer.ts).

export class MemoryBudget {
  #leftBytes: number;

  constructor(sizeBytes: number) {
    this.#leftBytes = sizeBytes;
  }

  /** Answers false, and takes nothing, when there is not so much left. */
  take(sizeBytes: number): boolean {
    if (sizeBytes > this.#leftBytes) return false;
    this.#leftBytes -= sizeBytes;
    return true;
  }

  giveBack(sizeBytes: number): void {
    this.#leftBytes += sizeBytes;
  }
}

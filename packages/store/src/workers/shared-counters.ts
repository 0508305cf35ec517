// What the threads of one store share in memory: whether the index has changed since a thread looked, whether the disk is
// full, who is writing bodies, and the numbers of blobs. Decision 008.
//
// The generation of the index is odd while a commit is being applied and even otherwise. A thread may read from its last
// snapshot as long as the generation is the even one that it saw before it took that snapshot: then no commit has become
// visible to anybody since. So a read that begins after an answer sees what was answered, and no thread reads an older
// state than another one has read before.
//
// A worker counts its writes of bodies before it looks whether the disk is full, and the thread that gives the reserve up says
// that it is full before it looks whether anything is being written: whichever comes first, no write takes the reserve.
//
// Blob counts come in groups, one folder each, dealt out to the threads in turn: no number is given twice, and what a
// thread has left behind that died is found by its groups.

import { blobsPerGroup } from '../blobs/blob-file.ts';

const generationCell = 0;
const fullCell = 1;
/** Those of each seat: writes of bodies that are under way, and the blobs begun. */
const firstSeatCell = 2;
const cellsPerSeat = 2;
const writesCell = 0;
const blobsCell = 1;
/** A wait is woken when a seat's count changes to nothing; it looks by itself, too, because another number may come between. */
const lookAgainMs = 20;

export class SharedCounters {
  readonly memory: SharedArrayBuffer;
  readonly #cells: Int32Array<SharedArrayBuffer>;

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#cells = new Int32Array(memory);
  }

  /** For the thread that has the store open, and so many others. */
  static create(workers: number): SharedCounters {
    const memory = new SharedArrayBuffer((firstSeatCell + cellsPerSeat * (1 + workers)) * Int32Array.BYTES_PER_ELEMENT);
    const counters = new SharedCounters(memory);
    counters.nextBlobCount(0); // 0 is no blob's number
    return counters;
  }

  get generation(): number {
    return Atomics.load(this.#cells, generationCell);
  }

  /** Makes a change to the index that others may see at any moment from now on. */
  changeIndex(apply: () => void): void {
    Atomics.add(this.#cells, generationCell, 1);
    try {
      apply();
    } finally {
      Atomics.add(this.#cells, generationCell, 1);
    }
  }

  /** Whether what is free on the disk is kept for those who make room: no blob is to take it. */
  get full(): boolean {
    return Atomics.load(this.#cells, fullCell) !== 0;
  }

  set full(full: boolean) {
    Atomics.store(this.#cells, fullCell, full ? 1 : 0);
  }

  /** Notes that a seat begins to write a body. */
  beginWrite(seat: number): void {
    Atomics.add(this.#cells, cellOf(seat, writesCell), 1);
  }

  endWrite(seat: number): void {
    if (Atomics.sub(this.#cells, cellOf(seat, writesCell), 1) === 1) this.#wake(seat);
  }

  /** The thread at a seat has ended, and with it whatever it was writing. */
  forgetWrites(seat: number): void {
    Atomics.store(this.#cells, cellOf(seat, writesCell), 0);
    this.#wake(seat);
  }

  /** Resolves when no seat writes a body any more; to be awaited once `full` keeps new ones from beginning. */
  async writesEnded(): Promise<void> {
    for (let seat = 0; seat < this.#seats; seat += 1) {
      const cell = cellOf(seat, writesCell);
      for (let count = this.#count(cell); count > 0; count = this.#count(cell)) {
        await Atomics.waitAsync(this.#cells, cell, count, lookAgainMs).value;
      }
    }
  }

  /** The next number of a blob, from 1. `seat` is 0 for the thread that has the store open. */
  nextBlobCount(seat: number): number {
    return this.#countAt(seat, Atomics.add(this.#cells, cellOf(seat, blobsCell), 1));
  }

  /** The groups that a seat has begun, in order. */
  groupsOf(seat: number): number[] {
    const taken = this.#count(cellOf(seat, blobsCell));
    return Array.from({ length: Math.ceil(taken / blobsPerGroup) }, (_, turn) => turn * this.#seats + seat);
  }

  get #seats(): number {
    return (this.#cells.length - firstSeatCell) / cellsPerSeat;
  }

  #count(cell: number): number {
    return Atomics.load(this.#cells, cell);
  }

  #wake(seat: number): void {
    Atomics.notify(this.#cells, cellOf(seat, writesCell));
  }

  /** Groups are dealt out in turn; with one seat, the numbers simply rise. */
  #countAt(seat: number, index: number): number {
    const turn = Math.floor(index / blobsPerGroup);
    return (turn * this.#seats + seat) * blobsPerGroup + (index % blobsPerGroup);
  }
}

function cellOf(seat: number, cell: typeof writesCell | typeof blobsCell): number {
  return firstSeatCell + seat * cellsPerSeat + cell;
}

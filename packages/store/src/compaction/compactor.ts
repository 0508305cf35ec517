// Gives back the room that replaced and deleted records take up in the journal: carries forward what a segment alone still
// states, then removes the segment (invariants 6, 7, 8). Runs in the background, slowed down, and never holds a writer up:
// what it writes are ordinary operations in small groups.
//
// Why a rebuild from what remains comes to the same rows. A rebuild applies all records that stand, in order; at each key the
// last one that says anything about it wins. Let segment S go. A record of S about a key matters only if it is the last one
// about it: otherwise the later one wins, with or without S. If it is the last one and says that a row stands, the index
// has that row, and `rowKept` says so again at the journal's end; that is judged at the commit against the index as it is
// then, so nothing that came later is overruled. If it is the last one and says that the row is gone, the index has none
// there, and it matters only while an older record that stands says otherwise: then `rowGone` says it again, judged likewise.
// What a deletion takes along without saying so (uploads of a bucket, parts of an upload) has no parent left in the rows,
// and no id comes twice: the rebuild drops it at its end, as it drops manifests that no version names and counts everything
// anew. `rowKept` and `rowGone` are records like any other and are carried forward in their turn.
//
// Order, for a few segments at a time, so that a crash at any point leaves more to do and never less than everything:
//   carry forward → checkpoint (journal durable, then the index) → readers of the old places gone → ledger durable → unlink
// The segment that is written, and those from which opening would replay, are behind the checkpoint's mark and never go;
// nor does one that a cursor needs, nor one that is damaged: what it lacks may matter.
//
// Deletions are carried for as long as an old segment stands. So that they do not pile up behind one that is mostly live,
// that one is moved whole, once as much was written for its sake as a segment holds.

import { join } from 'node:path';
import { readMark } from '../applied-mark.ts';
import type { Operation } from '../catalog/operation.ts';
import { type Disk, isDiskFull, lacksDescriptors } from '../disk/disk.ts';
import type { DiskTrust } from '../disk-trust.ts';
import type { BatchEnd } from '../journal/journal.ts';
import type { RemovedRange, RemovedSegments } from '../journal/removed-segments.ts';
import { segmentName } from '../journal/segment.ts';
import type { SegmentPins } from '../journal/segment-pins.ts';
import { type StandingSegment, StandingSegments } from '../journal/standing-segments.ts';
import type { CompactionHealth, StoreDamage } from '../object-store.ts';
import type { OrderedIndex } from '../ordered-index/ordered-index.ts';
import type { ReaderEpochs } from '../reader-epochs.ts';
import type { SpaceReserve } from '../space-reserve.ts';
import type { StoreLog } from '../store-log.ts';
import type { StoreSizes } from '../store-sizes.ts';
import { beginSegment } from './relocation.ts';
import { chooseSegments, countedLiveBytes, isWorthIt, type SurveyedSegment } from './segment-choice.ts';
import { type MovableSegment, type MoveOutcome, SegmentMover } from './segment-mover.ts';
import { Throttle } from './throttle.ts';

/** Segments that go together: one checkpoint and one wait for readers is enough for all of them. */
const maxRoundSegments = 4;
/** Counters looked up before others have their turn. */
const maxLookUps = 1000;
/** A current segment that is full of dead records is ended early when the disk is full, from this size on. */
const minSealedBytes = 64 * 1024;

export interface CompactorOptions {
  readonly disk: Disk;
  /** The journal's. */
  readonly folder: string;
  readonly index: OrderedIndex;
  readonly journal: { readonly writtenEnd: BatchEnd; endSegment(): void };
  readonly commit: (operation: Operation<boolean>) => Promise<boolean>;
  readonly readers: ReaderEpochs;
  readonly pins: SegmentPins;
  readonly removed: RemovedSegments;
  readonly reserve: SpaceReserve;
  readonly sizes: StoreSizes;
  /** Makes journal and index durable up to here. */
  readonly checkpoint: () => Promise<void>;
  /** Lets go of a segment's file that is about to be removed. */
  readonly forgetSegment: (segment: number) => void;
  readonly onDamage: (damage: StoreDamage) => void;
  /** Lost by a disk error other than lack of room. */
  readonly trust: DiskTrust;
  readonly log: StoreLog;
}

/** How one run goes about it. */
interface Run {
  readonly signal: AbortSignal;
  readonly bytesPerSecond: () => number;
  /** Only these, whether it is worth it or not. */
  readonly segments?: readonly number[];
}

interface SeenJournal {
  readonly standing: readonly StandingSegment[];
  /** By segment, as far as the index counts it. */
  readonly liveBytes: ReadonlyMap<number, number>;
  readonly totals: Pick<CompactionHealth, 'journalBytes' | 'liveBytes'>;
}

export interface CompactionResult {
  readonly removedSegments: number;
  readonly removedBytes: number;
  readonly writtenBytes: number;
}

export class Compactor {
  readonly #options: CompactorOptions;
  readonly #standing: StandingSegments;
  readonly #mover: SegmentMover;
  readonly #surveyed = new Map<number, SurveyedSegment>();
  /** Moved, and not gone yet: what kept them from going may pass, and nothing of them need be written a second time. */
  readonly #moved = new Map<number, MovableSegment>();
  /** Damaged segments that stay, with what was counted live in them: when that shrinks, the damage may be dead. */
  readonly #kept = new Map<number, number>();
  #running: Promise<void> = Promise.resolve();
  #removedSegments = 0;
  #removedBytes = 0;
  /** Deletions carried for the sake of older segments, since the oldest was last moved for it. */
  #deletionBytes = 0;
  /** The segment that is moved for it. */
  #burdensome: number | undefined;
  #seen: SeenJournal | undefined;
  #busy = false;
  /** On a full disk: what there was room for when the journal was last looked at, and what had been written by then. */
  #room: { readonly sizeBytes: number; readonly writtenBytes: number } | undefined;

  constructor(options: CompactorOptions) {
    this.#options = options;
    const { disk, folder, removed, index, commit } = options;
    this.#standing = new StandingSegments({ disk, folder, removed });
    this.#mover = new SegmentMover({ disk, folder, index, commit });
  }

  /** `undefined` until the journal was looked at. */
  get health(): CompactionHealth | undefined {
    if (this.#seen === undefined) return undefined;
    const { standing, totals } = this.#seen;
    return {
      running: this.#busy,
      segments: standing.length,
      ...totals,
      keptSegments: this.#kept.size,
      ...this.#done,
    };
  }

  /** What was done since the beginning. */
  get #done(): CompactionResult {
    return {
      removedSegments: this.#removedSegments,
      removedBytes: this.#removedBytes,
      writtenBytes: this.#mover.writtenBytes,
    };
  }

  /** Compacts what is worth it, after whatever run is under way. @throws StoreError of the committer; AbortError. */
  async run(run: Run): Promise<CompactionResult> {
    const before = this.#done;
    const running = this.#running.then(() => this.#rounds(run));
    this.#running = running.catch(() => undefined); // whoever asked for this run is told
    await running;
    const { removedSegments, removedBytes, writtenBytes } = this.#done;
    return {
      removedSegments: removedSegments - before.removedSegments,
      removedBytes: removedBytes - before.removedBytes,
      writtenBytes: writtenBytes - before.writtenBytes,
    };
  }

  async #rounds(run: Run): Promise<void> {
    this.#busy = true;
    // None is tried twice, so that a run ends whatever it finds.
    const tried = new Set<number>();
    try {
      for (let first = true; ; first = false) {
        run.signal.throwIfAborted();
        const journal = await this.#look();
        const chosen = this.#choose(journal, run).filter(({ number }) => !tried.has(number));
        const idle = chosen.length === 0 && !(first && this.#moved.size > 0);
        if (idle && !(await this.#endCurrentSegment(run))) return; // what was seen is how it is left
        for (const { number } of chosen) tried.add(number);
        await this.#moveAll(chosen, journal, run);
        await this.#removeMoved(run.signal);
      }
    } finally {
      this.#busy = false;
      await this.#options.reserve.takeBackForCompaction();
    }
  }

  /** All segments that stand, and what is live in each as far as the index counts it. */
  async #look(): Promise<SeenJournal> {
    const { index, journal, reserve } = this.#options;
    const standing = await this.#standing.list(journal.writtenEnd.segment);
    const liveBytes = new Map<number, number>();
    const totals = { journalBytes: 0, liveBytes: 0 };
    for (const [at, { number, sizeBytes }] of standing.entries()) {
      const counted = countedLiveBytes(index, number);
      liveBytes.set(number, counted);
      totals.journalBytes += sizeBytes;
      totals.liveBytes += counted + (this.#surveyed.get(number)?.bodylessBytes ?? 0);
      if (at % maxLookUps === maxLookUps - 1) await new Promise(setImmediate);
    }
    const seen = { standing, liveBytes, totals };
    this.#seen = seen;
    const largestBytes = standing.reduce((largest, { sizeBytes }) => Math.max(largest, sizeBytes), 0);
    reserve.keepForCompaction(largestBytes);
    reserve.keepNoMoreForCompaction(largestBytes);
    this.#room = undefined;
    if (reserve.full) {
      this.#room = { sizeBytes: await reserve.roomForCompaction(), writtenBytes: this.#mover.writtenBytes };
    }
    return seen;
  }

  #choose(journal: SeenJournal, { segments }: Run): MovableSegment[] {
    const { pins, reserve, sizes } = this.#options;
    const currentSegment = this.#options.journal.writtenEnd.segment;
    const end = Math.min(currentSegment, pins.oldestNeededSegment() ?? currentSegment);
    const movable = journal.standing
      .filter(isMovable)
      .filter(({ number }) => number < end && !this.#moved.has(number) && !this.#isKept(number));
    if (segments !== undefined) return movable.filter(({ number }) => segments.includes(number));
    const chosen = chooseSegments({
      segments: movable,
      liveBytes: journal.liveBytes,
      surveyed: this.#surveyed,
      currentSegment,
      diskFull: reserve.full,
      maxCarriedBytes: this.#maxCarriedBytes(),
    });
    // What a full disk has room for is counted for one segment, and is there again only once that is gone.
    const round = chosen.slice(0, reserve.full ? 1 : maxRoundSegments);
    const [oldest] = movable;
    if (this.#deletionBytes >= sizes.segmentSizeBytes && oldest !== undefined && !reserve.full) {
      this.#deletionBytes = 0;
      this.#burdensome = oldest.number;
      if (!round.includes(oldest)) round.push(oldest);
    }
    return round.sort((a, b) => a.number - b.number);
  }

  /** A full disk has only the reserve to write to, and of that what is kept for this. Room is won only when a segment has gone. */
  #maxCarriedBytes(): number {
    if (!this.#options.reserve.full) return Number.POSITIVE_INFINITY;
    if (this.#room === undefined) return 0; // it has become full since the journal was looked at
    return this.#room.sizeBytes - (this.#mover.writtenBytes - this.#room.writtenBytes);
  }

  #isKept(segment: number): boolean {
    const liveBytes = this.#kept.get(segment);
    return liveBytes !== undefined && countedLiveBytes(this.#options.index, segment) >= liveBytes;
  }

  /** Has the journal go on in a new segment when the disk is full of what is dead in this one; answers whether it did. */
  async #endCurrentSegment({ segments }: Run): Promise<boolean> {
    const { index, journal, pins, reserve, commit } = this.#options;
    const { segment, offset } = journal.writtenEnd;
    if (!reserve.full || segments !== undefined || offset < minSealedBytes) return false;
    // A cursor that has read everything stands in this segment, and goes on with the journal.
    if ((pins.oldestNeededSegment() ?? segment) < segment) return false;
    const carriedBytes = countedLiveBytes(index, segment);
    const maxCarriedBytes = this.#maxCarriedBytes();
    if (!isWorthIt({ sizeBytes: offset, carriedBytes, diskFull: true, maxCarriedBytes })) return false;
    await reserve.giveUpForCompaction();
    journal.endSegment();
    await commit(beginSegment());
    return true;
  }

  /** In order, so that of several that go together the first ones may go alone. */
  async #moveAll(chosen: readonly MovableSegment[], { standing }: SeenJournal, run: Run): Promise<void> {
    const throttle = new Throttle(run);
    if (chosen.length > 0 && this.#options.reserve.full) await this.#options.reserve.giveUpForCompaction();
    for (const segment of chosen) {
      const { number, sizeBytes } = segment;
      // Later ones that are moved already do not count as gone: they may have to stay while this one goes.
      const others = standing.filter(
        (other) => other !== segment && !(other.number < number && this.#moved.has(other.number)),
      );
      const forced = run.segments !== undefined || number === this.#burdensome;
      const mayCarry = (left: { readonly carriedBytes: number; readonly begun: boolean }): boolean =>
        this.#mayCarry({ ...left, forced, sizeBytes });
      const outcome = await this.#mover.move({ segment, others, throttle, mayCarry });
      if (this.#settle(segment, outcome)) this.#moved.set(number, segment);
    }
  }

  #mayCarry(move: { carriedBytes: number; begun: boolean; forced: boolean; sizeBytes: number }): boolean {
    const maxCarriedBytes = this.#maxCarriedBytes();
    if (move.begun || move.forced) return move.carriedBytes <= maxCarriedBytes;
    return isWorthIt({ ...move, diskFull: this.#options.reserve.full, maxCarriedBytes });
  }

  /** Answers whether the segment may go. */
  #settle(segment: MovableSegment, outcome: MoveOutcome): boolean {
    const { index, journal } = this.#options;
    const liveBytes = countedLiveBytes(index, segment.number);
    if (outcome.kind === 'damaged') {
      this.#keep(segment, outcome.damage, liveBytes);
      return false;
    }
    const { bodylessBytes, deletionBytes } = outcome.survey;
    this.#surveyed.set(segment.number, { bodylessBytes, atSegment: journal.writtenEnd.segment });
    if (outcome.kind === 'left') return false;
    this.#deletionBytes += deletionBytes;
    if (liveBytes === 0) return true;
    const description = `${liveBytes} bytes in it are counted live and were not found; the segment is not compacted`;
    this.#keep(segment, { offset: 0, sizeBytes: segment.sizeBytes, description }, liveBytes);
    return false;
  }

  #keep(segment: MovableSegment, damage: Omit<StoreDamage, 'file'>, liveBytes: number): void {
    this.#kept.set(segment.number, liveBytes);
    this.#options.onDamage({ file: `journal/${segmentName(segment.number)}`, ...damage });
  }

  /** Those that come first go first: of what a later one deleted, nothing may be left in an earlier one that stays. */
  async #removeMoved(signal: AbortSignal): Promise<void> {
    const moved = [...this.#moved.values()].sort((a, b) => a.number - b.number);
    const { index, readers, pins, checkpoint, log } = this.#options;
    const needed = pins.oldestNeededSegment() ?? Number.POSITIVE_INFINITY;
    if (!moved.some(({ number }) => number < needed)) return;
    const mark = readMark(index);
    await checkpoint();
    await unlessAborted(readers.drain(), signal);
    const going = await pins.hold(async () => {
      const end = Math.min(mark?.segment ?? 0, pins.oldestNeededSegment() ?? Number.POSITIVE_INFINITY);
      const unneeded = moved.filter(({ number }) => number < end);
      if (unneeded.length > 0) await this.#remove(unneeded);
      return unneeded;
    });
    if (going.length === 0) return;
    log('info', 'Segments of the journal were compacted away', {
      segments: going.length,
      last: going.at(-1)?.number ?? 0,
    });
  }

  async #remove(going: readonly MovableSegment[]): Promise<void> {
    const { disk, folder, removed, reserve, trust, forgetSegment } = this.#options;
    await this.#noteRemoved(() => reserve.spend(() => removed.add(going.map(rangeOf), trust)));
    for (const { number } of going) this.#moved.delete(number);
    for (const { number, sizeBytes } of going) {
      forgetSegment(number);
      await disk.remove(join(folder, segmentName(number)));
      this.#surveyed.delete(number);
      this.#kept.delete(number);
      this.#removedSegments += 1;
      this.#removedBytes += sizeBytes;
    }
  }

  async #noteRemoved(note: () => Promise<void>): Promise<void> {
    try {
      await note();
    } catch (cause) {
      if (!isDiskFull(cause) && !lacksDescriptors(cause)) this.#options.trust.lose(cause);
      throw cause;
    }
  }
}

function isMovable(segment: StandingSegment): segment is MovableSegment {
  return segment.records !== undefined;
}

function rangeOf({ number, records }: MovableSegment): RemovedRange {
  return { firstSegment: number, lastSegment: number, firstLsn: records.firstLsn, lastLsn: records.lastLsn };
}

/** Waits for something that may take as long as it likes, but no longer than until the work is to stop. */
async function unlessAborted(waited: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<void>();
  const onAbort = (): void => aborted.resolve();
  signal.addEventListener('abort', onAbort);
  try {
    await Promise.race([waited, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
  signal.throwIfAborted();
}

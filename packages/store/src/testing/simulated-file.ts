// The bytes of a simulated file, twice: what readers see, and what would be left if the power went now. Between the two
// lie the changes that no sync has covered. Of those any sectors may have reached the disk, in any order; a sector is
// written wholly or not at all. The length of the file is metadata: it is that after some change, and no earlier
// than the last change which a sync or a durable write has covered. Bytes that a length covers and no write reached are zero.
// What readers see is changed when an operation is performed; until then it is in flight, and power loss may find any part of it.

import type { SeededRandom } from './seeded-random.ts';

const sectorSizeBytes = 512;

/** A change of a file. It has its own bytes. */
export type FileChange =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Buffer; readonly durable: boolean }
  | { readonly kind: 'truncate'; readonly sizeBytes: number };

/** What power loss makes of changes that no sync has covered. */
type Landing = 'none' | 'all' | 'first' | 'last' | 'some' | 'most';
const landings: readonly Landing[] = ['none', 'all', 'first', 'last', 'some', 'some', 'most'];

interface PerformedChange {
  readonly number: number;
  readonly change: FileChange;
  /** Whether the length that it led to must survive together with its bytes. */
  readonly keepsLength: boolean;
}

export class SimulatedFile {
  #seen: Contents;
  #durable: Contents;
  /** Performed and not covered by a sync, in order. */
  #changes: PerformedChange[] = [];
  readonly #inFlight = new Set<FileChange>();
  #count = 0;

  constructor(bytes: Buffer = Buffer.alloc(0)) {
    this.#seen = Contents.of(bytes);
    this.#durable = Contents.of(bytes);
  }

  get sizeBytes(): number {
    return this.#seen.sizeBytes;
  }

  /** Stands for all changes performed so far. */
  get changeCount(): number {
    return this.#count;
  }

  read(target: Uint8Array, position: number): number {
    return this.#seen.read(target, position);
  }

  begin(change: FileChange): void {
    this.#inFlight.add(change);
  }

  abandon(change: FileChange): void {
    this.#inFlight.delete(change);
  }

  perform(change: FileChange): void {
    this.#inFlight.delete(change);
    const before = this.#seen.sizeBytes;
    const cutBefore = this.#changes.some(
      ({ change: earlier }) =>
        earlier.kind === 'truncate' &&
        change.kind === 'write' &&
        earlier.sizeBytes < change.position + change.bytes.length,
    );
    this.#seen.apply(change);
    this.#count += 1;
    const durable = change.kind === 'write' && change.durable;
    if (durable && this.#changes.length === 0) {
      this.#durable.apply(change);
      return;
    }
    const keepsLength = durable && (cutBefore || this.#seen.sizeBytes > before);
    this.#changes.push({ number: this.#count, change, keepsLength });
  }

  /** A sync has ended that began when `changeCount` was `count`. */
  makeDurable(count: number): void {
    const covered = this.#changes.filter(({ number }) => number <= count);
    this.#changes = this.#changes.filter(({ number }) => number > count);
    for (const { change } of covered) this.#durable.apply(change);
  }

  /** A sync has failed: what it was to cover counts as written from now on, and only some of it is. Readers see it all the same. */
  loseUnsynced(count: number, random: SeededRandom): void {
    const covered = this.#changes.filter(({ number }) => number <= count);
    this.#changes = this.#changes.filter(({ number }) => number > count);
    this.#durable = resolve(this.#durable, covered, [], random);
  }

  /** The file as power loss leaves it. `spared` is still in flight and has not begun. */
  afterPowerLoss(random: SeededRandom, spared?: object): SimulatedFile {
    const inFlight = [...this.#inFlight].filter((change) => change !== spared);
    if (this.#changes.length === 0 && inFlight.length === 0) return new SimulatedFile(this.#durable.bytes());
    return new SimulatedFile(resolve(this.#durable, this.#changes, inFlight, random).bytes());
  }

  /** The file as the end of the process leaves it: what was performed is still on its way to the disk. */
  afterKill(random: SeededRandom): void {
    for (const change of [...this.#inFlight]) {
      if (random.chance(0.5)) this.perform(change);
      else this.abandon(change);
    }
  }

  /** Turns a bit over, as a disk may do by itself. */
  rot(position: number, bit: number): void {
    for (const contents of [this.#seen, this.#durable]) contents.flip(position, bit);
  }
}

/** Draws which sectors of which changes have landed, and which length. */
function resolve(
  durable: Contents,
  performed: readonly PerformedChange[],
  inFlight: readonly FileChange[],
  random: SeededRandom,
): Contents {
  const changes = [...performed, ...random.shuffle(inFlight).map((change) => ({ change, keepsLength: false }))];
  const leastLength = changes.findLastIndex(({ keepsLength }) => keepsLength) + 1;
  const lengthAfter = random.pick([leastLength, changes.length, random.between(leastLength, changes.length)]);
  const landing = random.pick(landings);
  const few = random.below(changes.length + 1);
  const result = Contents.of(durable.bytes());
  let { sizeBytes } = durable;
  /** From here on, blocks belong to a length that has not come to be: what is written there is lost. */
  let lostFrom = Number.POSITIVE_INFINITY;
  for (const [index, { change }] of changes.entries()) {
    const lengthHolds = index < lengthAfter;
    if (change.kind === 'truncate') {
      if (lengthHolds) {
        result.apply(change);
        sizeBytes = change.sizeBytes;
      } else lostFrom = Math.min(lostFrom, Math.ceil(change.sizeBytes / sectorSizeBytes) * sectorSizeBytes);
      continue;
    }
    if (lengthHolds) sizeBytes = Math.max(sizeBytes, change.position + change.bytes.length);
    const isDurable = change.durable && index < performed.length;
    const lands = (): boolean => isDurable || sectorLands(landing, { index, few, count: changes.length }, random);
    landSectors(result, change, lands, lostFrom);
  }
  result.apply({ kind: 'truncate', sizeBytes });
  return result;
}

function sectorLands(
  landing: Landing,
  { index, few, count }: { readonly index: number; readonly few: number; readonly count: number },
  random: SeededRandom,
): boolean {
  switch (landing) {
    case 'none':
      return false;
    case 'all':
      return true;
    case 'first':
      return index < few;
    case 'last':
      return index >= count - few;
    case 'some':
      return random.chance(0.5);
    case 'most':
      return random.chance(0.9);
  }
}

function landSectors(
  target: Contents,
  { position, bytes }: FileChange & { readonly kind: 'write' },
  lands: () => boolean,
  lostFrom: number,
): void {
  const end = Math.min(position + bytes.length, lostFrom);
  for (let at = position; at < end; ) {
    const sectorEnd = Math.min(end, (Math.floor(at / sectorSizeBytes) + 1) * sectorSizeBytes);
    if (lands()) target.write(bytes.subarray(at - position, sectorEnd - position), at);
    at = sectorEnd;
  }
}

/** Bytes that grow. */
class Contents {
  #bytes: Buffer;
  #sizeBytes: number;

  private constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#sizeBytes = bytes.length;
  }

  static of(bytes: Buffer): Contents {
    return new Contents(Buffer.from(bytes));
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#sizeBytes);
  }

  read(target: Uint8Array, position: number): number {
    const count = Math.max(0, Math.min(target.length, this.#sizeBytes - position));
    if (count > 0) target.set(this.#bytes.subarray(position, position + count));
    return count;
  }

  apply(change: FileChange): void {
    if (change.kind === 'write') this.write(change.bytes, change.position);
    else this.#resize(change.sizeBytes);
  }

  write(bytes: Buffer, position: number): void {
    const end = position + bytes.length;
    if (end > this.#sizeBytes) this.#resize(end);
    bytes.copy(this.#bytes, position);
  }

  flip(position: number, bit: number): void {
    if (position < this.#sizeBytes) this.#bytes[position] = (this.#bytes[position] ?? 0) ^ (1 << bit);
  }

  #resize(sizeBytes: number): void {
    if (sizeBytes > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(sizeBytes, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, this.#sizeBytes);
      this.#bytes = larger;
    } else if (sizeBytes < this.#sizeBytes) this.#bytes.fill(0, sizeBytes, this.#sizeBytes);
    this.#sizeBytes = sizeBytes;
  }
}

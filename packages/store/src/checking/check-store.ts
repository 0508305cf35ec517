// Checks the folder of a closed store: reads everything and holds it against everything else. The journal is the truth; an
// index is made from it anew, and the store's own index and the blobs are held against that. Nothing is changed, except by
// the repair at the end, when one is asked for (repair-store.ts).

import { resolve } from 'node:path';
import { readSweptEpoch } from '../applied-mark.ts';
import { blobKey, keyspace } from '../catalog/index-keys.ts';
import type { Disk } from '../disk/disk.ts';
import { nodeDisk } from '../disk/node-disk.ts';
import type { BatchMark } from '../journal/journal.ts';
import type { ObjectAddress, StoreDamage } from '../object-store.ts';
import type { IndexReader } from '../ordered-index/ordered-index.ts';
import { readRememberedDamage } from '../remembered-damage.ts';
import { blobFileName, type CheckedBlob } from './blob-check.ts';
import { checkBlobs } from './check-blobs.ts';
import { type CheckReport, type Finding, Findings, type RepairAction } from './check-report.ts';
import { compareIndexes, describeKey, type RowDifference } from './compare-indexes.ts';
import { addressName, bucketNames, nameObjects, withObjects } from './damaged-objects.ts';
import { listStrays } from './folder-survey.ts';
import { catchUp, type HeldIndex, openHeldIndex } from './held-index.ts';
import { buildJournalIndex, type JournalIndex, type Progress } from './journal-index.ts';
import { repairStore } from './repair-store.ts';
import { RestoredRows, readBody } from './restored-rows.ts';
import { salvageNames } from './salvaged-names.ts';
import { type LockedFolder, withLockedFolder } from './store-folder.ts';

export interface CheckOptions {
  /** The folder that the store was opened with. */
  readonly directory: string;
  /** Mends what can be mended. Default: false. */
  readonly repair?: boolean;
  /**
   * A folder for the indexes in the making: with it, the store's own folder need not be writable. Not for a repair.
   * Default: within the store's folder.
   */
  readonly scratch?: string;
  /** Told how far it is. Default: nobody. */
  readonly onProgress?: (progress: CheckProgress) => void;
  /** Milliseconds since 1970. Default: the system's clock. */
  readonly clock?: () => number;
  /** Default: this machine's. The indexes in the making do not go through it. */
  readonly disk?: Disk;
}

export interface CheckProgress extends Progress {
  readonly phase: 'journal' | 'index' | 'blobs';
}

/**
 * @throws StoreError `Locked` while the store is open, `NotAStore`, `UnsupportedFormat`, `Corrupt` when what is there cannot
 * be taken for a store, `DiskFull` when there is no room for the indexes that it makes.
 */
export async function checkStore(options: CheckOptions): Promise<CheckReport> {
  const { disk = nodeDisk, clock = Date.now, repair = false, onProgress = () => undefined } = options;
  const directory = resolve(options.directory);
  const scratch = options.scratch === undefined ? undefined : resolve(options.scratch);
  if (scratch !== undefined && repair)
    throw new RangeError('A repair makes its indexes in the store, and takes no scratch folder.');
  return withLockedFolder({ disk, directory, scratch, mendsFormat: repair }, async (folder) => {
    const check = new StoreCheck(folder, onProgress);
    await check.run();
    const { formatMended: description } = folder;
    const mended = description === undefined ? [] : [{ done: true, description }];
    return check.report(repair ? [...mended, ...(await check.repair(clock))] : []);
  });
}

class StoreCheck {
  readonly #folder: LockedFolder;
  readonly #onProgress: (progress: CheckProgress) => void;
  readonly #findings = new Findings();
  readonly #unreferenced: Buffer[] = [];
  readonly #footerDamaged: Buffer[] = [];
  readonly #restored = new RestoredRows();
  #journal: Omit<JournalIndex, 'index'> | undefined;
  #indexUsable = false;
  /** The store's index tells of damage that an opening has found in the journal. */
  #remembersDamage = false;
  /** Objects whose rows the journal has lost: no index has them, or their bytes are lost, too. */
  #unknown: readonly ObjectAddress[] = [];
  #salvage: { readonly damage: StoreDamage; readonly bytes: Buffer }[] = [];
  #indexRows = 0;
  #blobs = 0;
  #blobBytes = 0;

  constructor(folder: LockedFolder, onProgress: (progress: CheckProgress) => void) {
    this.#folder = folder;
    this.#onProgress = onProgress;
  }

  async run(): Promise<void> {
    if (this.#folder.formatMended !== undefined) {
      this.#findings.add({ kind: 'formatDamaged', file: 'FORMAT', description: 'it did not say which store this is' });
    }
    this.#progress('index', 0, 0);
    const held = await openHeldIndex(this.#folder);
    let journal: JournalIndex | undefined;
    try {
      journal = await this.#checkJournal('mark' in held ? held.mark : undefined);
      this.#journal = journal;
      this.#progress('index', 0, 0);
      if ('index' in held) {
        this.#remembersDamage = readRememberedDamage(held.index).length > 0;
        await catchUp(this.#folder, held.index);
      }
      await this.#checkIndex(journal, held);
      await this.#checkBlobs(journal, held);
      await this.#checkNames();
      await this.#nameDamage(journal, held);
      if ('index' in held) await this.#findLostBodies(bucketNames(journal.index, held.index));
    } finally {
      await journal?.index.close();
      if ('index' in held) await held.index.close();
    }
  }

  /** All indexes are closed by now. */
  async repair(clock: () => number): Promise<readonly RepairAction[]> {
    return repairStore({
      folder: this.#folder,
      findings: this.#findings,
      journalDamaged: this.#findings.count('journalDamage') > 0,
      lostEnd: this.#journal?.lostEnd,
      remembersDamage: this.#remembersDamage,
      indexUsable: this.#indexUsable,
      restored: this.#restored,
      unreferenced: this.#unreferenced,
      footerDamaged: this.#footerDamaged,
      clock,
    });
  }

  report(actions: readonly RepairAction[]): CheckReport {
    const findings = this.#findings;
    const { segments = 0, journalBytes = 0 } = this.#journal ?? {};
    const { buckets = 0, objects = 0, uploads = 0 } = this.#journal?.replayed.rows ?? {};
    return {
      clean: findings.clean,
      findings: findings.listed,
      counts: findings.counts,
      checked: {
        segments,
        journalBytes,
        blobs: this.#blobs,
        blobBytes: this.#blobBytes,
        buckets,
        objects,
        uploads,
        indexRows: this.#indexRows,
      },
      actions,
      lost: lostObjects(findings.listed, this.#unknown),
    };
  }

  async #checkJournal(heldMark: BatchMark | undefined): Promise<JournalIndex> {
    const journal = await buildJournalIndex(this.#folder, {
      heldMark,
      onDamage: async (damage, bytes) => {
        this.#findings.add({ kind: damage.bodyOnly === true ? 'bodyDamage' : 'journalDamage', ...damage });
        if (damage.bodyOnly !== true && bytes !== undefined && this.#salvage.length < maxSalvaged) {
          this.#salvage.push({ damage, bytes: bytes.subarray(0, maxSalvagedBytes) });
        }
      },
      onProgress: ({ doneBytes, totalBytes }) => this.#progress('journal', doneBytes, totalBytes),
    });
    const { cutBytes } = journal.replayed;
    if (cutBytes > 0) {
      this.#findings.add({
        kind: 'journalTail',
        description: `the journal ends in ${cutBytes} bytes that were never committed`,
      });
    }
    return journal;
  }

  async #checkIndex(journal: JournalIndex, held: HeldIndex): Promise<void> {
    if ('unusable' in held) {
      this.#findings.add({ kind: 'indexUnusable', file: 'index', description: held.unusable });
      return;
    }
    const buckets = bucketNames(journal.index, held.index);
    this.#indexUsable = true;
    this.#indexRows = await compareIndexes({ made: journal.index, held: held.index }, (difference) => {
      this.#findings.add(describeDifference(difference, buckets));
      if (journal.replayed.damaged) this.#restored.consider(difference);
    });
  }

  async #checkBlobs(journal: JournalIndex, held: HeldIndex): Promise<void> {
    const buckets = bucketNames(journal.index);
    const heldIndex = 'index' in held ? held.index : undefined;
    await checkBlobs({
      folder: this.#folder,
      index: journal.index,
      onChecked: (blobId, checked) => this.#takeBlob(blobId, checked),
      onUnreferenced: (blobId) => this.#takeUnreferenced(blobId, heldIndex, journal.replayed.damaged),
      onForeign: ({ file, kind }) => this.#findings.add({ kind, file, description: 'it is no name of ours' }),
      onDangling: (key, description) => {
        const { what, object } = describeKey(key, buckets);
        const objects = object === undefined ? {} : { objects: [object] };
        this.#findings.add({ kind: 'rowWithoutBytes', description: `${what} ${description}`, ...objects });
      },
      onRead: (sizeBytes) => {
        this.#blobBytes += sizeBytes;
        this.#progress('blobs', this.#blobBytes, 0);
      },
    });
  }

  #takeBlob(blobId: Buffer, { damages, missing, footer }: CheckedBlob): void {
    this.#blobs += 1;
    const kind = missing ? 'blobMissing' : footer === undefined ? 'blobDamage' : 'blobFooterDamage';
    for (const damage of damages) this.#findings.add({ kind, ...damage });
    if (footer !== undefined) this.#footerDamaged.push(blobId);
  }

  /** The store sweeps blobs by itself, unless it cannot know that nothing needs them. */
  #takeUnreferenced(blobId: Buffer, held: IndexReader | undefined, damaged: boolean): void {
    const epoch = blobId.readUIntBE(0, 6);
    const garbage = held?.get(blobKey(keyspace.garbage, blobId)) !== undefined;
    const swept = held !== undefined && !damaged && (garbage || epoch > readSweptEpoch(held));
    const file = blobFileName(blobId);
    if (!swept) this.#unreferenced.push(blobId);
    this.#findings.add({ kind: swept ? 'blobUnswept' : 'blobKept', file, description: 'no row names this blob' });
  }

  async #checkNames(): Promise<void> {
    const { disk, directory } = this.#folder;
    for (const { file, kind } of await listStrays(disk, directory)) {
      const description = kind === 'foreign' ? 'it is no name of ours' : 'something that was broken off has left it';
      this.#findings.add({ kind, file, description });
    }
  }

  /** Damage is named after both indexes: what the journal has lost, the store's index may still know. */
  async #nameDamage(journal: JournalIndex, held: HeldIndex): Promise<void> {
    const indexes = 'index' in held ? [held.index, journal.index] : [journal.index];
    const buckets = bucketNames(...indexes);
    await this.#findings.name(async (damages) => {
      let named: readonly StoreDamage[] = damages;
      for (const index of indexes) named = await nameObjects(index, named);
      return named.map((damage) => {
        // An index that has every commit knows what lives: what it does not name was replaced, and is not missed.
        if (damage.objects !== undefined || 'index' in held) return damage;
        const salvaged = this.#salvage.find(
          (one) => one.damage.file === damage.file && one.damage.offset === damage.offset,
        );
        const names = salvaged === undefined ? [] : salvageNames(salvaged.bytes, buckets);
        this.#unknown = [...this.#unknown, ...names];
        return withObjects(damage, names);
      });
    });
  }

  /** Objects that the index alone still has, and whose bytes lay in what the journal has lost. */
  async #findLostBodies(buckets: ReadonlyMap<number, string>): Promise<void> {
    const lost: ObjectAddress[] = [];
    for (const row of this.#restored.rows) {
      const body = await readBody(this.#folder, row);
      const { object } = describeKey(row.key, buckets);
      if (body?.holds === false && object !== undefined) lost.push(object);
    }
    this.#unknown = [...this.#unknown, ...lost];
  }

  #progress(phase: CheckProgress['phase'], doneBytes: number, totalBytes: number): void {
    this.#onProgress({ phase, doneBytes, totalBytes });
  }
}

/** Damaged stretches of which the bytes are kept, to guess at names. */
const maxSalvaged = 100;
const maxSalvagedBytes = 1024 * 1024;

function describeDifference(difference: RowDifference, buckets: ReadonlyMap<number, string>): Finding {
  const { key, made, held, kind } = difference;
  const { what, object } = describeKey(key, buckets);
  const how =
    made === undefined ? 'stands in the index alone' : held === undefined ? 'is missing from the index' : 'differs';
  const description = `${what} ${how}${made !== undefined && held !== undefined ? ' from what the journal says' : ''}`;
  const objects = object === undefined ? {} : { objects: [object] };
  return { kind: kind === 'count' ? 'countDiffers' : 'indexDiffers', file: 'index', description, ...objects };
}

function lostObjects(findings: readonly Finding[], unknown: readonly ObjectAddress[]): ObjectAddress[] {
  const lost = new Map<string, ObjectAddress>(unknown.map((object) => [addressName(object), object]));
  for (const { kind, objects = [] } of findings) {
    if (!losing.has(kind)) continue;
    for (const object of objects) lost.set(addressName(object), object);
  }
  return [...lost.values()];
}

const losing: ReadonlySet<Finding['kind']> = new Set(['bodyDamage', 'blobDamage', 'blobMissing', 'rowWithoutBytes']);

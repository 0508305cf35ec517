// Mends what a check has found, as far as that loses nothing: damaged bytes are copied aside first, nothing that may be the
// only copy of something is removed, and every step is told. What is mended:
//
//   checksums of a blob whose bytes are proven to be intact are written anew
//   the index is made anew from the journal; what it alone still knew is written into the journal again
//   damage in the journal is then written off (write-off.ts)
//   blobs that nothing references are moved to the quarantine folder, when the journal is whole
//
// Bytes of objects that are damaged stay as they are: the objects stay listed, and what holds of them is still served.

import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { DamageLog } from '../damage-log.ts';
import { readAround } from '../disk/read-around.ts';
import { openStoreForRepair } from '../disk-store.ts';
import type { KnownEnd } from '../journal/lost-end.ts';
import type { StoreDamage } from '../object-store.ts';
import { StoreError } from '../store-error.ts';
import { blobFileName, checkBlob } from './blob-check.ts';
import { damageOf, type Finding, type Findings, type RepairAction } from './check-report.ts';
import { replaceIndex } from './journal-index.ts';
import { type RestoredRows, readBody, restoreDeletion, restoreRow } from './restored-rows.ts';
import type { LockedFolder } from './store-folder.ts';
import { writeOffDamage } from './write-off.ts';

interface RepairOptions {
  readonly folder: LockedFolder;
  readonly findings: Findings;
  /** Whether records of the journal are lost. */
  readonly journalDamaged: boolean;
  /** Where the journal had come to, when it ends before that. */
  readonly lostEnd: KnownEnd | undefined;
  /** The index tells of damage of the journal that an opening has found. */
  readonly remembersDamage: boolean;
  /** Whether the store's index could be opened, so that `restored` says all that it knew. */
  readonly indexUsable: boolean;
  readonly restored: RestoredRows;
  /** Blobs that are kept and that nothing references. */
  readonly unreferenced: readonly Buffer[];
  /** Blobs of which only the checksums are damaged. */
  readonly footerDamaged: readonly Buffer[];
  readonly clock: () => number;
}

/** All indexes must be closed. */
export async function repairStore(options: RepairOptions): Promise<readonly RepairAction[]> {
  const repair = new Repair(options);
  await repair.setAside();
  await repair.mendFooters();
  const saved = await repair.mendIndex();
  if (saved) await repair.writeOff();
  await repair.moveUnreferenced();
  await repair.removeLeftovers();
  return repair.actions;
}

/** Operations committed at once. */
const groupSize = 64;

class Repair {
  readonly actions: RepairAction[] = [];
  readonly #options: RepairOptions;
  readonly #damages: readonly StoreDamage[];

  constructor(options: RepairOptions) {
    this.#options = options;
    this.#damages = options.findings.listed.filter(({ kind }) => journalKinds.has(kind)).map(damageOf);
  }

  /** Copies all damaged bytes before anything is written over. */
  async setAside(): Promise<void> {
    const { disk, directory } = this.#options.folder;
    const quarantineFolder = join(directory, 'quarantine');
    await disk.createFolder(quarantineFolder);
    const log = new DamageLog({ disk, quarantineFolder, log: () => undefined });
    let copied = 0;
    for (const finding of this.#options.findings.listed) {
      const { file = '', offset = 0, sizeBytes = 0 } = damageKinds.has(finding.kind) ? finding : {};
      if (sizeBytes === 0 || sizeBytes > maxSetAsideBytes) continue;
      const opened = await disk.open(join(directory, file), 'read');
      try {
        const bytes = Buffer.alloc(sizeBytes);
        const { count } = await readAround(opened, bytes, offset);
        const { kept } = await log.setAside(damageOf(finding), bytes.subarray(0, count));
        if (!kept) throw noCopy(file, offset);
        copied += 1;
      } finally {
        await opened.close();
      }
    }
    if (copied > 0) this.#did(`copied ${copied} damaged stretch${copied === 1 ? '' : 'es'} to quarantine/`);
  }

  async mendFooters(): Promise<void> {
    const { folder, footerDamaged } = this.#options;
    const { disk, directory } = folder;
    for (const blobId of footerDamaged) {
      const { footer } = await checkBlob({ disk, directory, blobId, onRead: async () => undefined });
      if (footer === undefined) continue;
      const file = await disk.open(join(directory, blobFileName(blobId)), 'write');
      try {
        await file.write([footer.bytes], footer.position);
        await file.sync();
      } finally {
        await file.close();
      }
      this.#did(`wrote the checksums of ${blobFileName(blobId)} anew; its bytes are intact`);
    }
  }

  /** Answers whether the index is right and the journal has all that was known. */
  async mendIndex(): Promise<boolean> {
    const { folder, findings, journalDamaged, lostEnd, remembersDamage, indexUsable, restored, clock } = this.#options;
    const wrong = indexKinds.some((kind) => findings.count(kind) > 0);
    if (!wrong && !remembersDamage && lostEnd === undefined) return true;
    // The journal has all that the index had, unless records are lost and rows differ, or the index could not be read.
    const keepAs = (journalDamaged && wrong) || !indexUsable ? `index-${clock()}` : undefined;
    const kept = await replaceIndex(folder, keepAs);
    this.#did(
      `made the index anew from the journal${kept ? `; the former one is kept as quarantine/${keepAs}-*` : ''}`,
    );
    if (!journalDamaged) return true;
    if (!indexUsable) {
      this.#leftUndone('what the journal has lost could not be taken from the former index, which cannot be read');
      if (lostEnd === undefined) return true;
    }
    // Without anything to write, the store is not opened: the opening would remember damage that is written off right after it.
    const isNothing = restored.rows.length === 0 && restored.deletions.length === 0;
    return isNothing && lostEnd === undefined ? !restored.overflowed : this.#restore(restored);
  }

  async #restore(restored: RestoredRows): Promise<boolean> {
    const { folder, clock, lostEnd } = this.#options;
    // An opening that is told how far the journal had come does not remember the damage that this repair deals with.
    const { store, commit } = await openStoreForRepair({ ...folder, clock }, lostEnd ?? { lsn: 0, segment: 0 });
    let rows = 0;
    let damagedBodies = 0;
    let deletions = 0;
    try {
      for (let at = 0; at < restored.rows.length; at += groupSize) {
        const group = restored.rows.slice(at, at + groupSize);
        // One after the other: bodies are up to 1 MiB, and rows rest on those before them.
        for (const row of group) {
          const body = await readBody(folder, row);
          if (body?.holds === false) damagedBodies += 1;
          if (await commit(restoreRow(row, body?.bytes))) rows += 1;
        }
      }
      if (restored.deletions.length <= this.#lostRecords()) {
        for (const key of restored.deletions) if (await commit(restoreDeletion(key))) deletions += 1;
      } else {
        this.#leftUndone(
          `${restored.deletions.length} objects are in the journal and were not in the index; they are kept, though some may have been deleted`,
        );
      }
    } finally {
      await store.close();
    }
    if (rows > 0)
      this.#did(`wrote ${rows} row${rows === 1 ? '' : 's'} that only the index still had into the journal again`);
    if (deletions > 0)
      this.#did(`deleted ${deletions} object${deletions === 1 ? '' : 's'} whose deletion the journal had lost`);
    if (damagedBodies > 0)
      this.#leftUndone(`the bytes of ${damagedBodies} of these objects are lost; they stay listed and cannot be read`);
    if (restored.overflowed) this.#leftUndone('there is more that only the former index knew: run the repair again');
    return !restored.overflowed;
  }

  async writeOff(): Promise<void> {
    if (this.#damages.length === 0) return;
    // What is not copied aside is not written over.
    const copied = this.#damages.filter(({ sizeBytes }) => sizeBytes <= maxSetAsideBytes);
    const tooLong = this.#damages.filter((damage) => !copied.includes(damage));
    const left = [...tooLong, ...(await writeOffDamage(this.#options.folder, copied))];
    const done = this.#damages.length - left.length;
    if (done > 0) this.#did(`wrote off ${done} damaged place${done === 1 ? '' : 's'} of the journal`);
    for (const { file, offset, description } of left) {
      this.#leftUndone(`${file} at ${offset} stays as it is: ${description}`);
    }
  }

  async moveUnreferenced(): Promise<void> {
    const { folder, unreferenced, journalDamaged } = this.#options;
    if (unreferenced.length === 0) return;
    if (journalDamaged) {
      this.#leftUndone(
        `${unreferenced.length} blobs that nothing references stay: lost records may have referenced them`,
      );
      return;
    }
    const { disk, directory } = folder;
    for (const blobId of unreferenced) {
      const name = blobFileName(blobId);
      await rename(join(directory, name), join(directory, 'quarantine', `blob-${blobId.toString('hex')}`));
    }
    await disk.syncFolder(join(directory, 'quarantine'));
    this.#did(
      `moved ${unreferenced.length} blobs that nothing references to quarantine/; delete them there to have the room`,
    );
  }

  async removeLeftovers(): Promise<void> {
    const { folder, findings } = this.#options;
    for (const { kind, file } of findings.listed) {
      if (kind !== 'leftover' || file === undefined) continue;
      await folder.disk.remove(join(folder.directory, file));
      this.#did(`removed ${file}`);
    }
  }

  #lostRecords(): number {
    return this.#damages.reduce(
      (total, { records }) => total + (records === undefined ? 0 : records.last - records.first + 1),
      0,
    );
  }

  #did(description: string): void {
    this.actions.push({ done: true, description });
  }

  #leftUndone(description: string): void {
    this.actions.push({ done: false, description });
  }
}

function noCopy(file: string, offset: number): StoreError {
  return new StoreError('DiskFull', {
    message: `The damaged bytes of ${file} at ${offset} cannot be copied to quarantine/. Make room, or empty that folder, and repair again; nothing was changed yet.`,
  });
}

/** Damaged bytes beyond this are not copied aside. */
const maxSetAsideBytes = 64 * 1024 * 1024;

const journalKinds: ReadonlySet<Finding['kind']> = new Set(['journalDamage', 'staleDamage']);
const damageKinds: ReadonlySet<Finding['kind']> = new Set([
  'journalDamage',
  'bodyDamage',
  'staleDamage',
  'blobDamage',
  'blobFooterDamage',
]);
const indexKinds = ['indexUnusable', 'indexDiffers', 'countDiffers'] as const;

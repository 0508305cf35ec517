// What was found damaged since the store was opened: kept for health, told to the log, and set aside where it can be.

import { join } from 'node:path';
import type { Disk } from './disk/disk.ts';
import type { StoreDamage } from './object-store.ts';
import type { StoreLog } from './store-log.ts';

/** Beyond it, damage is logged but no longer listed. */
const maxListed = 1000;

interface DamageLogOptions {
  readonly disk: Disk;
  readonly quarantineFolder: string;
  readonly log: StoreLog;
}

export class DamageLog {
  readonly #options: DamageLogOptions;
  readonly #listed = new Map<string, StoreDamage>();

  constructor(options: DamageLogOptions) {
    this.#options = options;
  }

  get all(): readonly StoreDamage[] {
    return [...this.#listed.values()];
  }

  /** Once for each place. */
  note(damage: StoreDamage): void {
    const place = `${damage.file}:${damage.offset}`;
    if (this.#listed.has(place)) return;
    if (this.#listed.size < maxListed) this.#listed.set(place, damage);
    const { description, ...where } = damage;
    this.#options.log('error', `Stored bytes are damaged: ${description}`, where);
  }

  /** Notes damage and keeps a copy of the bytes in the quarantine folder. */
  async setAside(damage: StoreDamage, bytes: Buffer): Promise<void> {
    this.note(damage);
    const { disk, quarantineFolder } = this.#options;
    const name = `${damage.file.replaceAll('/', '-')}-${damage.offset}-${damage.sizeBytes}`;
    if ((await disk.list(quarantineFolder)).includes(name)) return;
    const file = await disk.create(join(quarantineFolder, name), 'write');
    try {
      await file.write([bytes], 0);
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

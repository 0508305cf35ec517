// What was found damaged since the store was opened: kept for health, told to the log by the names of the objects that it
// concerns, and set aside where it can be.

import { join } from 'node:path';
import { withObjects } from './checking/damaged-objects.ts';
import { type Disk, isDiskFull } from './disk/disk.ts';
import type { StoreDamage } from './object-store.ts';
import type { StoreLog } from './store-log.ts';

/** Beyond it, damage is counted and logged, but no longer listed. */
const maxListed = 1000;
/** Places beyond those that are listed, remembered so that each is counted and logged once. */
const maxUnlisted = 100_000;
/** Objects that a line of the log names. */
const maxLoggedObjects = 20;
/** Files in the quarantine folder; beyond it, damage is reported but no longer copied. */
const maxQuarantined = 10_000;

interface DamageLogOptions {
  readonly disk: Disk;
  readonly quarantineFolder: string;
  readonly log: StoreLog;
}

export class DamageLog {
  readonly #options: DamageLogOptions;
  readonly #listed = new Map<string, StoreDamage>();
  readonly #unlisted = new Set<string>();
  #count = 0;

  constructor(options: DamageLogOptions) {
    this.#options = options;
  }

  get all(): readonly StoreDamage[] {
    return [...this.#listed.values()];
  }

  /** Places found, also those that are no longer listed. */
  get count(): number {
    return this.#count;
  }

  /** Once for each place, and again when more objects are known. Answers whether it was news. */
  note(damage: StoreDamage): boolean {
    // A read finds the block of a body, a look at the whole file the record around it: that is one place.
    const known = [...this.#listed.values()].find((one) => overlap(one, damage));
    const merged = known === undefined ? damage : withObjects(known, damage.objects ?? []);
    if (known !== undefined && merged.objects?.length === known.objects?.length) return false;
    if (known === undefined && this.#listed.size >= maxListed && !this.#isNewUnlisted(damage)) return false;
    if (known === undefined) this.#count += 1;
    if (known !== undefined || this.#listed.size < maxListed) this.#listed.set(placeOf(merged), merged);
    const { file, offset, sizeBytes, description, objects = [] } = merged;
    this.#options.log('error', `Stored bytes are damaged: ${description}`, {
      file,
      offset,
      sizeBytes,
      ...(objects.length === 0 ? undefined : { objects: listNames(objects) }),
    });
    return true;
  }

  /**
   * Notes damage and keeps a copy of the bytes in the quarantine folder. Answers whether it was news, and whether there is a
   * copy: not when the disk or the folder is full.
   */
  async setAside(damage: StoreDamage, bytes: Buffer): Promise<{ readonly news: boolean; readonly kept: boolean }> {
    const news = this.note(damage);
    const { disk, quarantineFolder } = this.#options;
    const name = `${damage.file.replaceAll('/', '-')}-${damage.offset}-${damage.sizeBytes}`;
    const names = await disk.list(quarantineFolder);
    if (names.includes(name)) return { news, kept: true };
    if (names.length >= maxQuarantined) return { news, kept: false };
    try {
      await this.#copy(join(quarantineFolder, name), bytes);
      return { news, kept: true };
    } catch (cause) {
      if (!isDiskFull(cause)) throw cause;
      this.#options.log('warn', 'There is no room to keep a copy of damaged bytes', { file: damage.file });
      return { news, kept: false };
    }
  }

  /** Whether a place that is no longer listed was not met before. */
  #isNewUnlisted(damage: StoreDamage): boolean {
    const place = placeOf(damage);
    if (this.#unlisted.has(place) || this.#unlisted.size >= maxUnlisted) return false;
    this.#unlisted.add(place);
    return true;
  }

  async #copy(path: string, bytes: Buffer): Promise<void> {
    const { disk } = this.#options;
    const file = await disk.create(path, 'write');
    try {
      await file.write([bytes], 0);
      await file.sync();
    } catch (cause) {
      await file.close();
      await disk.remove(path);
      throw cause;
    }
    await file.close();
  }
}

function placeOf({ file, offset }: StoreDamage): string {
  return `${file}:${offset}`;
}

/** Whether two damages are of the same place. One without length (a file or a record that is missing) is a place by itself. */
function overlap(a: StoreDamage, b: StoreDamage): boolean {
  if (a.file !== b.file) return false;
  if (a.sizeBytes === 0 || b.sizeBytes === 0) return a.offset === b.offset && a.sizeBytes === b.sizeBytes;
  return a.offset < b.offset + b.sizeBytes && b.offset < a.offset + a.sizeBytes;
}

function listNames(objects: NonNullable<StoreDamage['objects']>): string {
  const names = objects.slice(0, maxLoggedObjects).map(({ bucket, key }) => `${bucket}/${key}`);
  const rest = objects.length - names.length;
  return rest > 0 ? `${names.join(', ')} and ${rest} more` : names.join(', ');
}

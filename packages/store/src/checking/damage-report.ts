// What is done with damage that a look at a whole file has found: the bytes are copied to the quarantine folder, the objects
// are looked up, and both go to the damage log. What nothing needs any more is no damage.

import { join } from 'node:path';
import { blobIdOfName } from '../blobs/blob-file.ts';
import { blobKey, bucketIdOf, keyBytesOf, keyspace } from '../catalog/index-keys.ts';
import { locationOf } from '../catalog/version-row.ts';
import type { DamageLog } from '../damage-log.ts';
import type { Disk } from '../disk/disk.ts';
import { readAround } from '../disk/read-around.ts';
import { segmentNumber } from '../journal/segment.ts';
import type { StoreDamage } from '../object-store.ts';
import type { IndexReader } from '../ordered-index/ordered-index.ts';
import { bucketNames, nameObjects, withObjects } from './damaged-objects.ts';
import type { DamagedRecord } from './segment-check.ts';

/** Damaged bytes beyond this are reported but not copied aside. */
const maxSetAsideBytes = 64 * 1024 * 1024;
/** Records of one segment whose objects are looked for. */
const maxUnnamed = 1000;

interface DamageReportOptions {
  readonly disk: Disk;
  /** The data folder. */
  readonly directory: string;
  readonly index: IndexReader;
  readonly damage: DamageLog;
}

export class DamageReport {
  readonly #options: DamageReportOptions;
  #unnamed: StoreDamage[] = [];

  constructor(options: DamageReportOptions) {
    this.#options = options;
  }

  /** A damaged record of a segment. When it cannot be read, the objects that it concerns are named by `nameRecords`. */
  async record({ damage, fact }: DamagedRecord): Promise<void> {
    const { index } = this.#options;
    if (!(await this.#isThere(damage.file))) return;
    if (fact === undefined) {
      await this.#report([damage]);
      if (this.#unnamed.length < maxUnnamed) this.#unnamed.push(damage);
      return;
    }
    // The header holds: it says which object's bytes these are. A later version has other bytes.
    const row = index.get(fact.key);
    const location = row === undefined ? undefined : locationOf(row);
    const live =
      location?.kind === 'journal' &&
      location.segment === segmentNumber(damage.file.slice('journal/'.length)) &&
      location.offset > damage.offset &&
      location.offset < damage.offset + damage.sizeBytes;
    if (!live) {
      await this.#report([{ ...damage, description: `${damage.description}; nothing needs it any more` }]);
      return;
    }
    const bucket = bucketNames(index).get(bucketIdOf(fact.key));
    const key = keyBytesOf(fact.key).toString();
    await this.#report([bucket === undefined ? damage : withObjects(damage, [{ bucket, key }])]);
  }

  /** Looks for the objects of all records told of since the last call: at once, because it takes a look at the whole index. */
  async nameRecords(): Promise<void> {
    const unnamed = this.#unnamed;
    this.#unnamed = [];
    for (const damage of await nameObjects(this.#options.index, unnamed)) this.#options.damage.note(damage);
  }

  /** Damages of one blob. */
  async blob(damages: readonly StoreDamage[]): Promise<void> {
    const { index } = this.#options;
    const [first] = damages;
    const blobId = first === undefined ? undefined : blobIdOfName(first.file.slice(first.file.lastIndexOf('/') + 1));
    // Its last reference may have gone while it was read, and its file with it.
    if (blobId === undefined || index.get(blobKey(keyspace.blob, blobId)) === undefined) return;
    await this.#report(await nameObjects(index, damages));
  }

  async #report(damages: readonly StoreDamage[]): Promise<void> {
    for (const damage of damages) {
      const bytes = await this.#read(damage);
      if (bytes === undefined) this.#options.damage.note(damage);
      else await this.#options.damage.setAside(damage, bytes);
    }
  }

  async #isThere(file: string): Promise<boolean> {
    const { disk, directory } = this.#options;
    const at = file.lastIndexOf('/');
    return (await disk.list(join(directory, file.slice(0, at)))).includes(file.slice(at + 1));
  }

  async #read({ file, offset, sizeBytes }: StoreDamage): Promise<Buffer | undefined> {
    if (sizeBytes === 0 || sizeBytes > maxSetAsideBytes || !(await this.#isThere(file))) return undefined;
    const { disk, directory } = this.#options;
    const opened = await disk.open(join(directory, file), 'read');
    try {
      const bytes = Buffer.alloc(sizeBytes);
      const { count } = await readAround(opened, bytes, offset);
      return count === 0 ? undefined : bytes.subarray(0, count);
    } finally {
      await opened.close();
    }
  }
}

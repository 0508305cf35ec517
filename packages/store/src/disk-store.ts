// A store in a folder: opens, recovers and wires journal, index and blobs. The commit order is journal-committer.ts, what a
// commit means is the catalog's, the layout of the folder is docs/format.md.
// Several threads over one store: workers/.

import { dirname, join } from 'node:path';
import { usualScrub } from './checking/scrub.ts';
import { DamageLog } from './damage-log.ts';
import { type Disk, type FolderLock, isDiskFull, isMissing } from './disk/disk.ts';
import { type DiskStore, type DiskStoreOptions, type Settings, settingsOf } from './disk-store-options.ts';
import { openFormat } from './format-file.ts';
import type { KnownEnd } from './journal/lost-end.ts';
import { requireOneFileSystem } from './one-file-system.ts';
import { recoverStore } from './recover-store.ts';
import { SpaceReserve } from './space-reserve.ts';
import { sizesForVolume } from './store-sizes.ts';
import { type OpenedStore, wireStore } from './wire-store.ts';
import { SharedCounters } from './workers/shared-counters.ts';
import { SharedIndex } from './workers/shared-index.ts';

/**
 * Opens the store in a folder, having recovered what a crash left behind.
 * @throws StoreError `Locked`, `Scattered`, `UnsupportedFormat`, `Corrupt`.
 */
export async function openDiskStore(options: DiskStoreOptions): Promise<DiskStore> {
  const usual = settingsOf(options);
  usual.clock(); // one that is wrong from the beginning is refused before anything is made
  await makeFolders(usual.disk, usual.directory);
  const settings = await fitToVolume(usual, options);
  const lock = settings.disk.lock(join(settings.directory, 'LOCK'));
  try {
    return (await openLocked(settings, lock)).store;
  } catch (cause) {
    lock.release();
    throw cause;
  }
}

/** Opens a store whose folder the caller has locked, with nothing at work but the caller: for a repair. */
export async function openStoreForRepair(
  options: DiskStoreOptions,
  lostEnd: KnownEnd | undefined,
): Promise<OpenedStore> {
  const settings = {
    ...(await fitToVolume(settingsOf(options), options)),
    compaction: 'on demand',
    scrub: { ...usualScrub, bytesPerSecond: 0 },
  } as const;
  return openLocked(settings, { release: () => undefined }, lostEnd);
}

/** The sizes that were not asked for are those of the file system. */
async function fitToVolume(settings: Settings, options: DiskStoreOptions): Promise<Settings> {
  const volume = await settings.disk.volume?.(settings.directory);
  if (volume === undefined) return settings;
  return { ...settings, sizes: { ...sizesForVolume(volume.sizeBytes), ...options.sizes } };
}

async function openLocked(settings: Settings, lock: FolderLock, lostEnd?: KnownEnd): Promise<OpenedStore> {
  const { directory, disk, openIndex, random, log } = settings;
  await requireOneFileSystem(disk, directory);
  const storeId = await openFormat({ disk, directory, random });
  for (const name of ['journal', 'blobs', 'quarantine']) await disk.createFolder(join(directory, name));
  await disk.syncFolder(directory);
  const damage = new DamageLog({ disk, quarantineFolder: join(directory, 'quarantine'), log });
  const place = { disk, directory };
  const recover = (): ReturnType<typeof recoverStore> =>
    recoverStore({ ...place, storeId, damage, log, openIndex, ...(lostEnd === undefined ? undefined : { lostEnd }) });
  const recovered = await recover().catch(async (cause: unknown) => {
    if (!isDiskFull(cause)) throw cause;
    log('warn', 'There is no room to open the store; what is kept back is given up for it', { cause: String(cause) });
    await SpaceReserve.giveUpAll({ disk, directory });
    return recover();
  });
  const { end, complete } = recovered;
  const counters = SharedCounters.create(settings.workers);
  const index = settings.workers === 0 ? recovered.index : new SharedIndex(recovered.index, counters);
  try {
    return await wireStore({
      ...settings,
      storeId,
      index,
      counted: recovered.index,
      end,
      complete,
      damage,
      counters,
      lock,
    });
  } catch (cause) {
    await index.close();
    throw cause;
  }
}

/** Makes a folder and those above it. Their names are made durable before the store in it has one (format-file.ts). */
async function makeFolders(disk: Disk, path: string): Promise<void> {
  try {
    await disk.createFolder(path);
  } catch (cause) {
    const parent = dirname(path);
    if (!isMissing(cause) || parent === path) throw cause;
    await makeFolders(disk, parent);
    await disk.createFolder(path);
  }
}

// The folders that blobs lie in: made when first needed, and made durable once for all blobs that wait for it at a time.

import { join } from 'node:path';
import type { Disk } from '../disk/disk.ts';
import type { DiskTrust } from '../disk-trust.ts';
import { blobPath } from './blob-file.ts';

export class BlobFolders {
  readonly root: string;
  readonly #disk: Disk;
  readonly #trust: DiskTrust;
  /** Folders that are known to be there, durably. */
  readonly #ready = new Map<string, Promise<void>>();
  readonly #syncs = new Map<string, FolderSync>();

  constructor(disk: Disk, root: string, trust: DiskTrust) {
    this.#disk = disk;
    this.#trust = trust;
    this.root = root;
  }

  /** Has the folder of a blob be there, durably. */
  async prepare(blobId: Buffer): Promise<void> {
    const [epoch, group] = blobPath(blobId);
    await this.#make(this.root, epoch);
    await this.#make(join(this.root, epoch), group);
  }

  /** Makes the name of a blob durable. */
  makeDurable(blobId: Buffer): Promise<void> {
    const [epoch, group] = blobPath(blobId);
    const folder = join(this.root, epoch, group);
    let sync = this.#syncs.get(folder);
    if (sync === undefined) {
      if (this.#syncs.size >= maxRememberedFolders) this.#syncs.clear();
      sync = new FolderSync(() => this.#trust.sync(() => this.#disk.syncFolder(folder)));
      this.#syncs.set(folder, sync);
    }
    return sync.request();
  }

  async #make(parent: string, name: string): Promise<void> {
    const path = join(parent, name);
    let making = this.#ready.get(path);
    if (making === undefined) {
      if (this.#ready.size >= maxRememberedFolders) this.#ready.clear();
      making = this.#create(parent, path);
      this.#ready.set(path, making);
      making.catch(() => this.#ready.delete(path));
    }
    return making;
  }

  async #create(parent: string, path: string): Promise<void> {
    // A folder that is there already may not be durable yet: its maker may have died.
    await this.#disk.createFolder(path);
    await this.#trust.sync(() => this.#disk.syncFolder(parent));
  }
}

/** Beyond it all are forgotten, and found out again. */
const maxRememberedFolders = 64;

/** One sync at a time; requests that come while one runs share the next one. */
class FolderSync {
  readonly #sync: () => Promise<void>;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(sync: () => Promise<void>) {
    this.#sync = sync;
  }

  request(): Promise<void> {
    if (this.#running === undefined) return this.#start();
    // The running sync may have begun before the caller's name was there.
    this.#next ??= this.#running.then(
      () => this.#start(),
      () => this.#start(),
    );
    return this.#next;
  }

  #start(): Promise<void> {
    this.#next = undefined;
    this.#running = this.#sync().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }
}

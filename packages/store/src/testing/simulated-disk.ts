// A disk in memory that knows what would be left of it if the power went now. It keeps apart what is durable and what is
// only written (simulated-file.ts, simulated-folder.ts), completes what is asked of it in the order that a schedule chooses,
// runs out of room, and fails where it is told to; a failed sync drops what it was to write, as Linux does.
// Everything that chance decides is drawn from one generator, so a seed repeats a run wholly.

import { basename, dirname } from 'node:path';
import type { Disk, DiskFile, FolderLock, OpenMode } from '../disk/disk.ts';
import { StoreError } from '../store-error.ts';
import { type DiskOperation, type DiskOperationKind, diskError, type Fault } from './disk-operation.ts';
import type { SeededRandom } from './seeded-random.ts';
import { type FileChange, SimulatedFile } from './simulated-file.ts';
import { findNode, type NameChange, SimulatedFolder } from './simulated-folder.ts';

/** An operation that the disk was asked for and has not done yet. */
export interface DiskRequest {
  readonly operation: DiskOperation;
  /** Does it, and answers whoever asked. */
  perform(): void;
}

/** Decides when each request is performed: once, in any order, or never. */
export interface DiskSchedule {
  add(request: DiskRequest): void;
}

export interface SimulatedDiskOptions {
  readonly random: SeededRandom;
  readonly schedule: DiskSchedule;
  /** Default: nothing fails. Asked when an operation is performed. */
  readonly fault?: Fault;
}

/** Room is given out in such units. */
const blockSizeBytes = 4096;

export class SimulatedDisk implements Disk {
  /** No more is stored than this; what is there already stays. Default: no limit. */
  capacityBytes: number = Number.POSITIVE_INFINITY;
  /** Folders that another file system is mounted at, by path. Default: none. */
  mounts: readonly string[] = [];
  readonly #options: SimulatedDiskOptions;
  readonly #root: SimulatedFolder;
  readonly #locks = new Set<string>();
  /** Files that are open and have no name any more still take up room. */
  readonly #open = new Map<SimulatedFile, number>();
  /** Whoever still asks belongs to a process that is gone. */
  #ended = false;
  /** What each request in flight changes. */
  readonly #changes = new WeakMap<DiskRequest, FileChange | NameChange>();

  constructor(options: SimulatedDiskOptions, root: SimulatedFolder = new SimulatedFolder()) {
    this.#options = options;
    this.#root = root;
  }

  /**
   * The disk as power loss leaves it now; this one must not be used any more. Requests in flight may have been carried out in
   * part; `spared` has not begun.
   */
  powerLoss(options: SimulatedDiskOptions, spared?: DiskRequest): SimulatedDisk {
    const change = spared === undefined ? undefined : this.#changes.get(spared);
    return this.#heir(options, this.#root.afterPowerLoss(this.#options.random, change));
  }

  /** The disk as the end of the process leaves it now: nothing that was written is lost, nor is it durable. This one answers no more. */
  processEnd(options: SimulatedDiskOptions): SimulatedDisk {
    this.#ended = true;
    this.#root.afterKill(this.#options.random);
    return this.#heir(options, this.#root);
  }

  get usedBytes(): number {
    let used = 0;
    const counted = new Set<SimulatedFile>();
    const count = (file: SimulatedFile): void => {
      if (!counted.has(file)) used += Math.ceil(file.sizeBytes / blockSizeBytes) * blockSizeBytes;
      counted.add(file);
    };
    for (const [, file] of this.files()) count(file);
    for (const file of this.#open.keys()) count(file);
    return used;
  }

  /** All files that have a name, by path. */
  *files(folder: SimulatedFolder = this.#root, path = ''): Generator<readonly [path: string, file: SimulatedFile]> {
    for (const name of folder.names) {
      const node = folder.find(name);
      if (node instanceof SimulatedFolder) yield* this.files(node, `${path}/${name}`);
      else if (node !== undefined) yield [`${path}/${name}`, node];
    }
  }

  /** A file is gone, as if it had never been: what a disk or a person may do to it. */
  lose(path: string): void {
    const folder = findNode(this.#root, dirname(path));
    if (folder instanceof SimulatedFolder) folder.lose(basename(path));
  }

  /** Whether a file was removed before, and a failed sync has given that up: it may be there again after any loss of power. */
  mayReturn(path: string): boolean {
    const folder = findNode(this.#root, dirname(path));
    return folder instanceof SimulatedFolder && folder.mayReturn(basename(path));
  }

  open(path: string, mode: OpenMode): Promise<DiskFile> {
    return this.#request('open', path, () => this.#handle(this.#file('open', path), path, mode));
  }

  create(path: string, mode: OpenMode): Promise<DiskFile> {
    const file = new SimulatedFile();
    const change: NameChange = { kind: 'set', name: basename(path), node: file };
    return this.#change('create', path, change, (folder) => {
      if (folder.find(change.name) !== undefined) throw diskError('EEXIST', { kind: 'create', path });
      if (this.#leftBytes() <= 0) throw diskError('ENOSPC', { kind: 'create', path });
      folder.perform(change);
      return this.#handle(file, path, mode);
    });
  }

  createFolder(path: string): Promise<boolean> {
    const change: NameChange = { kind: 'set', name: basename(path), node: new SimulatedFolder() };
    return this.#change('createFolder', path, change, (folder) => {
      if (folder.find(change.name) !== undefined) return false;
      folder.perform(change);
      return true;
    });
  }

  syncFolder(path: string): Promise<void> {
    const begun = findNode(this.#root, path);
    const count = begun instanceof SimulatedFolder ? begun.changeCount : 0;
    const perform = (): void => this.#folder('syncFolder', path).makeDurable(count);
    const fail = (): void => this.#folder('syncFolder', path).loseUnsynced(count, this.#options.random);
    return this.#request('syncFolder', path, perform, { fail });
  }

  rename(from: string, to: string): Promise<void> {
    const node = findNode(this.#root, from);
    if (dirname(from) !== dirname(to)) return this.#move(from, to);
    const change: NameChange | undefined =
      node === undefined ? undefined : { kind: 'rename', from: basename(from), to: basename(to), node };
    return this.#change('rename', to, change, (folder) => {
      if (change === undefined || folder.find(basename(from)) !== node) {
        throw diskError('ENOENT', { kind: 'rename', path: from });
      }
      folder.perform(change);
    });
  }

  remove(path: string): Promise<void> {
    const change: NameChange = { kind: 'remove', name: basename(path) };
    return this.#change('remove', path, change, (folder) => {
      if (folder.find(change.name) !== undefined) folder.perform(change);
    });
  }

  list(path: string): Promise<string[]> {
    return this.#request('list', path, () => {
      const node = findNode(this.#root, path);
      return node instanceof SimulatedFolder ? this.#options.random.shuffle(node.names) : [];
    });
  }

  async fileSystem(path: string): Promise<string> {
    return this.#mountOf(path);
  }

  lock(path: string): FolderLock {
    if (this.#locks.has(path)) throw new StoreError('Locked');
    this.#locks.add(path);
    return { release: () => void this.#locks.delete(path) };
  }

  /** Into another folder: the new name and the end of the old one survive power loss each by itself. */
  async #move(from: string, to: string): Promise<void> {
    if (this.#mountOf(from) !== this.#mountOf(to)) throw diskError('EXDEV', { kind: 'rename', path: from });
    const node = this.#file('rename', from);
    const change: NameChange = { kind: 'set', name: basename(to), node };
    await this.#change('rename', to, change, (folder) => {
      folder.perform(change);
      this.#folder('rename', dirname(from)).perform({ kind: 'remove', name: basename(from) });
    });
  }

  /** The innermost mount that a path lies in; the root has the empty name. */
  #mountOf(path: string): string {
    const around = this.mounts.filter((mount) => path === mount || path.startsWith(`${mount}/`));
    return around.reduce((inner, mount) => (mount.length > inner.length ? mount : inner), '');
  }

  #heir(options: SimulatedDiskOptions, root: SimulatedFolder): SimulatedDisk {
    const heir = new SimulatedDisk(options, root);
    heir.capacityBytes = this.capacityBytes;
    heir.mounts = this.mounts;
    return heir;
  }

  #handle(file: SimulatedFile, path: string, mode: OpenMode): DiskFile {
    this.#open.set(file, (this.#open.get(file) ?? 0) + 1);
    return {
      write: (chunks, position) => this.#write(file, path, { chunks, position, durable: mode === 'durable' }),
      read: (bytes, position) =>
        this.#request('read', path, () => file.read(bytes, position), { sizeBytes: bytes.length }),
      readSync: (bytes, position) => {
        this.#refuse({ kind: 'read', path, sizeBytes: bytes.length });
        return file.read(bytes, position);
      },
      sync: () => {
        const count = file.changeCount;
        const fail = (): void => file.loseUnsynced(count, this.#options.random);
        return this.#request('sync', path, () => file.makeDurable(count), { fail });
      },
      truncate: (sizeBytes) => {
        const change: FileChange = { kind: 'truncate', sizeBytes };
        if (!this.#ended) file.begin(change);
        const fail = (): void => file.abandon(change);
        return this.#request('truncate', path, () => file.perform(change), { sizeBytes, change, fail });
      },
      sizeBytes: () => this.#request('sizeBytes', path, () => file.sizeBytes),
      close: () => this.#request('close', path, () => this.#close(file)),
    };
  }

  #close(file: SimulatedFile): void {
    const handles = (this.#open.get(file) ?? 0) - 1;
    if (handles > 0) this.#open.set(file, handles);
    else this.#open.delete(file);
  }

  #write(
    file: SimulatedFile,
    path: string,
    write: { readonly chunks: readonly Uint8Array[]; readonly position: number; readonly durable: boolean },
  ): Promise<void> {
    const { chunks, position, durable } = write;
    const bytes = Buffer.concat(chunks);
    const change: FileChange = { kind: 'write', position, bytes, durable };
    if (!this.#ended) file.begin(change);
    const inPart = (sizeBytes: number): void => {
      file.abandon(change);
      file.perform({ ...change, bytes: bytes.subarray(0, sizeBytes) });
    };
    const perform = (): void => {
      if (!Buffer.concat(chunks).equals(bytes)) {
        throw new Error(`The bytes of a write to ${path} were changed while it was under way.`);
      }
      const room = this.#roomFor(file, position, bytes.length);
      if (room < bytes.length) {
        inPart(room);
        throw diskError('ENOSPC', { kind: 'write', path });
      }
      file.perform(change);
    };
    const fail = (): void => inPart(this.#options.random.below(bytes.length + 1));
    return this.#request('write', path, perform, { sizeBytes: bytes.length, change, fail });
  }

  /** How many bytes of a write there is room for. */
  #roomFor(file: SimulatedFile, position: number, sizeBytes: number): number {
    if (position + sizeBytes <= file.sizeBytes) return sizeBytes;
    const allocated = Math.ceil(file.sizeBytes / blockSizeBytes) * blockSizeBytes;
    const end = allocated + Math.floor(Math.max(0, this.#leftBytes()) / blockSizeBytes) * blockSizeBytes;
    return Math.max(0, Math.min(sizeBytes, end - position));
  }

  /** All files are counted only where there is a limit: each create and each write asks. */
  #leftBytes(): number {
    return this.capacityBytes === Number.POSITIVE_INFINITY ? this.capacityBytes : this.capacityBytes - this.usedBytes;
  }

  #change<Result>(
    kind: DiskOperationKind,
    path: string,
    change: NameChange | undefined,
    perform: (folder: SimulatedFolder) => Result,
  ): Promise<Result> {
    const parent = findNode(this.#root, dirname(path));
    const folder = parent instanceof SimulatedFolder ? parent : undefined;
    if (change !== undefined && !this.#ended) folder?.begin(change);
    const undo = (): void => {
      if (change !== undefined) folder?.abandon(change);
    };
    const performed = (): Result => {
      undo();
      return perform(this.#folder(kind, dirname(path)));
    };
    return this.#request(kind, path, performed, { fail: undo, ...(change === undefined ? {} : { change }) });
  }

  #request<Result>(
    kind: DiskOperationKind,
    path: string,
    perform: () => Result,
    more: {
      readonly sizeBytes?: number;
      readonly change?: FileChange | NameChange;
      /** What happens when the operation is made to fail. */
      readonly fail?: () => void;
    } = {},
  ): Promise<Result> {
    const { sizeBytes = 0, change, fail } = more;
    const operation: DiskOperation = { kind, path, sizeBytes };
    return new Promise<Result>((resolve, reject) => {
      const request: DiskRequest = {
        operation,
        perform: () => {
          try {
            this.#refuse(operation, fail);
            resolve(perform());
          } catch (cause) {
            reject(cause);
          }
        },
      };
      if (change !== undefined) this.#changes.set(request, change);
      if (!this.#ended) this.#options.schedule.add(request);
    });
  }

  #refuse(operation: DiskOperation, fail?: () => void): void {
    const code = this.#options.fault?.(operation);
    if (code === undefined) return;
    fail?.();
    throw diskError(code, operation);
  }

  #file(kind: DiskOperationKind, path: string): SimulatedFile {
    const node = findNode(this.#root, path);
    if (node === undefined) throw diskError('ENOENT', { kind, path });
    if (!(node instanceof SimulatedFile)) throw diskError('EISDIR', { kind, path });
    return node;
  }

  #folder(kind: DiskOperationKind, path: string): SimulatedFolder {
    const node = findNode(this.#root, path);
    if (node === undefined) throw diskError('ENOENT', { kind, path });
    if (!(node instanceof SimulatedFolder)) throw diskError('ENOTDIR', { kind, path });
    return node;
  }
}

// The disk of this machine, through node:fs.

import * as fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { DirectWrites } from './direct-writes.ts';
import { type Disk, type DiskFile, isMissing, lacksDescriptors, type OpenMode } from './disk.ts';
import { lockFolder } from './folder-lock.ts';

export const nodeDisk: Disk = {
  async open(path, mode) {
    return new NodeFile(await openFile(path, flagsOf(mode)), mode);
  },

  async create(path, mode) {
    const descriptor = await openFile(path, flagsOf(mode) | fs.constants.O_CREAT | fs.constants.O_EXCL);
    return new NodeFile(descriptor, mode, mode === 'bulk' ? await DirectWrites.open(path) : undefined);
  },

  createFolder(path) {
    return attempt((done) =>
      fs.mkdir(path, { mode: 0o700 }, (error) => (error?.code === 'EEXIST' ? done(null, false) : done(error, true))),
    );
  },

  async syncFolder(path) {
    if (process.platform === 'win32') return; // Windows has no such call; NTFS journals names by itself.
    const folder = await openFile(path, fs.constants.O_RDONLY);
    try {
      await attempt<void>((done) => fs.fsync(folder, done));
    } finally {
      await closeFile(folder);
    }
  },

  rename(from, to) {
    return attempt((done) => fs.rename(from, to, done));
  },

  remove(path) {
    return attempt((done) => fs.unlink(path, (error) => (isMissing(error) ? done(null) : done(error))));
  },

  list(path) {
    return attempt((done) =>
      fs.readdir(path, (error, names) => (isMissing(error) ? done(null, []) : done(error, names))),
    );
  },

  lock: lockFolder,

  async fileSystem(path) {
    const folder = await openFile(path, fs.constants.O_RDONLY);
    try {
      const { dev } = await attempt<fs.Stats>((done) => fs.fstat(folder, done));
      return `${dev} ${await mountOf(folder)}`;
    } finally {
      await closeFile(folder);
    }
  },

  async volume(path) {
    const { bsize, blocks, bavail } = await attempt<fs.StatsFs>((done) => fs.statfs(path, done));
    return { sizeBytes: blocks * bsize, freeBytes: bavail * bsize };
  },
};

/** Where O_DSYNC means as much as fdatasync: the write itself is durable then. On macOS it does not reach the medium. */
const hasDurableWrites = process.platform === 'linux';

class NodeFile implements DiskFile {
  readonly #descriptor: number;
  readonly #syncsAfterWrite: boolean;

  /** Absent, too, once the file has turned out to take no such writes. */
  #direct: DirectWrites | undefined;

  constructor(descriptor: number, mode: OpenMode, direct?: DirectWrites) {
    this.#descriptor = descriptor;
    this.#direct = direct;
    this.#syncsAfterWrite = mode === 'durable' && !hasDurableWrites;
  }

  async write(chunks: readonly Uint8Array[], position: number): Promise<void> {
    let rest = chunks;
    let at = position;
    const direct = this.#direct?.takes(chunks, position) ?? 0;
    if (direct > 0) {
      const written = await this.#writeDirect(chunks.slice(0, direct), position);
      at += written;
      rest = dropBytes(rest, written);
    }
    while (rest.length > 0) {
      const written = await this.#writeSome(rest, at);
      at += written;
      rest = dropBytes(rest, written);
    }
    if (this.#syncsAfterWrite) await this.sync();
  }

  read(bytes: Uint8Array, position: number): Promise<number> {
    return attempt((done) =>
      fs.read(this.#descriptor, bytes, 0, bytes.length, position, (error, read) => {
        if (error !== null || read === bytes.length || read === 0) return done(error, read);
        this.read(bytes.subarray(read), position + read).then((more) => done(null, read + more), done);
      }),
    );
  }

  readSync(bytes: Uint8Array, position: number): number {
    let total = 0;
    while (total < bytes.length) {
      const read = fs.readSync(this.#descriptor, bytes, total, bytes.length - total, position + total);
      if (read === 0) break;
      total += read;
    }
    return total;
  }

  sync(): Promise<void> {
    return attempt((done) => fs.fdatasync(this.#descriptor, done));
  }

  truncate(sizeBytes: number): Promise<void> {
    return attempt((done) => fs.ftruncate(this.#descriptor, sizeBytes, done));
  }

  sizeBytes(): Promise<number> {
    return attempt((done) => fs.fstat(this.#descriptor, (error, stats) => done(error, stats?.size ?? 0)));
  }

  async close(): Promise<void> {
    await Promise.all([closeFile(this.#descriptor), this.#closeDirect()]);
  }

  /** How many bytes were written: perhaps none. */
  async #writeDirect(chunks: readonly Uint8Array[], position: number): Promise<number> {
    const written = await this.#direct?.write(chunks, position);
    if (written === undefined) await this.#closeDirect();
    return written ?? 0;
  }

  async #closeDirect(): Promise<void> {
    const direct = this.#direct;
    this.#direct = undefined;
    await direct?.close();
  }

  #writeSome(chunks: readonly Uint8Array[], position: number): Promise<number> {
    const [only] = chunks;
    return attempt((done) => {
      if (chunks.length === 1 && only !== undefined) fs.write(this.#descriptor, only, 0, only.length, position, done);
      else fs.writev(this.#descriptor, chunks, position, done);
    });
  }
}

function dropBytes(chunks: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  const rest: Uint8Array[] = [];
  let left = count;
  for (const chunk of chunks) {
    if (left < chunk.length) rest.push(left === 0 ? chunk : chunk.subarray(left));
    left = Math.max(0, left - chunk.length);
  }
  return rest;
}

function flagsOf(mode: OpenMode): number {
  if (mode === 'read') return fs.constants.O_RDONLY;
  return fs.constants.O_RDWR | (mode === 'durable' && hasDurableWrites ? fs.constants.O_DSYNC : 0);
}

/** How often, and after how long, a file is tried to be opened again while too many are open: others are being closed. */
const maxOpenings = 40;
const reopenAfterMs = 25;

async function openFile(path: string, flags: number): Promise<number> {
  for (let left = maxOpenings; ; left -= 1) {
    try {
      return await attempt<number>((done) => fs.open(path, flags, 0o600, done));
    } catch (cause) {
      if (!lacksDescriptors(cause) || left === 1) throw cause;
      await sleep(reopenAfterMs);
    }
  }
}

/** The mount that an open file was reached by, which only Linux tells: one device may be mounted at several places. */
async function mountOf(descriptor: number): Promise<string> {
  if (process.platform !== 'linux') return '';
  const path = `/proc/self/fdinfo/${descriptor}`;
  const text = await attempt<string>((done) => fs.readFile(path, 'utf8', done)).catch(() => ''); // without /proc: the device alone
  return /^mnt_id:\s*(\d+)$/m.exec(text)?.[1] ?? '';
}

function closeFile(descriptor: number): Promise<void> {
  return attempt((done) => fs.close(descriptor, done));
}

/** A promise of a callback API: cheaper than node:fs/promises, whose file handles count references. */
function attempt<Result>(call: (done: (error?: Error | null, result?: Result) => void) => void): Promise<Result> {
  return new Promise((resolve, reject) => {
    // node:fs gives a result whenever it gives no error; calls without one resolve to undefined, which is their void.
    call((error, result) => (error === null || error === undefined ? resolve(result as Result) : reject(error)));
  });
}

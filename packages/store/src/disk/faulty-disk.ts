// A disk for tests that fails where it is told to; everything else goes to the disk beneath.

import type { Disk, DiskFile } from './disk.ts';

/** One operation that may be made to fail. */
interface DiskOperation {
  readonly kind: 'create' | 'write' | 'sync' | 'syncFolder' | 'remove' | 'rename' | 'truncate' | 'read';
  readonly path: string;
  readonly sizeBytes: number;
}

/** Answers the name of a system error for an operation that is to fail. */
type Fault = (operation: DiskOperation) => 'ENOSPC' | 'EIO' | undefined;

export function faultyDisk(beneath: Disk, fault: Fault): Disk {
  const check = (kind: DiskOperation['kind'], path: string, sizeBytes = 0): void => {
    const code = fault({ kind, path, sizeBytes });
    if (code !== undefined) throw Object.assign(new Error(`${code}: ${kind} ${path}`), { code });
  };
  const wrap = (file: DiskFile, path: string): DiskFile => ({
    async write(chunks, position) {
      const sizeBytes = chunks.reduce((total, chunk) => total + chunk.length, 0);
      check('write', path, sizeBytes);
      await file.write(chunks, position);
    },
    async read(bytes, position) {
      check('read', path, bytes.length);
      return file.read(bytes, position);
    },
    readSync(bytes, position) {
      check('read', path, bytes.length);
      return file.readSync(bytes, position);
    },
    async sync() {
      check('sync', path);
      await file.sync();
    },
    async truncate(sizeBytes) {
      check('truncate', path, sizeBytes);
      await file.truncate(sizeBytes);
    },
    sizeBytes: () => file.sizeBytes(),
    close: () => file.close(),
  });
  return {
    open: async (path, mode) => wrap(await beneath.open(path, mode), path),
    async create(path, mode) {
      check('create', path);
      return wrap(await beneath.create(path, mode), path);
    },
    createFolder: (path) => beneath.createFolder(path),
    async syncFolder(path) {
      check('syncFolder', path);
      await beneath.syncFolder(path);
    },
    async rename(from, to) {
      check('rename', from);
      await beneath.rename(from, to);
    },
    async remove(path) {
      check('remove', path);
      await beneath.remove(path);
    },
    list: (path) => beneath.list(path),
  };
}

// A disk for tests that fails where it is told to; everything else goes to the disk beneath.

import type { Disk, DiskFile } from '../disk/disk.ts';
import { type DiskOperation, diskError, type Fault } from './disk-operation.ts';

export function faultyDisk(beneath: Disk, fault: Fault): Disk {
  const check = (kind: DiskOperation['kind'], path: string, sizeBytes = 0): void => {
    const operation = { kind, path, sizeBytes };
    const code = fault(operation);
    if (code !== undefined) throw diskError(code, operation);
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
  const volume = beneath.volume?.bind(beneath);
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
    lock: (path) => beneath.lock(path),
    fileSystem: (path) => beneath.fileSystem(path),
    ...(volume === undefined ? undefined : { volume }),
  };
}

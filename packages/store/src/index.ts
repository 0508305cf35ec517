// Durable bytes and versions. The contract is object-store.ts; `openDiskStore` and `openMemoryStore` keep it.

export type { Disk, DiskFile, OpenMode } from './disk/disk.ts';
export { type DiskStoreOptions, openDiskStore } from './disk-store.ts';
export { type MemoryStoreOptions, openMemoryStore } from './memory-store.ts';
export type * from './object-store.ts';
export { isStoreError, StoreError, type StoreErrorCode, storeErrors } from './store-error.ts';
export type { StoreLog } from './store-log.ts';

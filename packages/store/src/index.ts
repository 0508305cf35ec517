// Durable bytes and versions. The contract is object-store.ts; `openDiskStore` and `openMemoryStore` keep it.

export { checkTime } from './checked-clock.ts';
export {
  type CheckReport,
  type Finding,
  type FindingKind,
  findingKinds,
  type RepairAction,
} from './checking/check-report.ts';
export { type CheckOptions, type CheckProgress, checkStore } from './checking/check-store.ts';
export { type RebuildOptions, type RebuildSummary, rebuildStore } from './checking/rebuild-store.ts';
export type * from './cursors/change-cursor.ts';
export type { Disk, DiskFile, OpenMode } from './disk/disk.ts';
export { openDiskStore } from './disk-store.ts';
export type { DiskStore, DiskStoreOptions } from './disk-store-options.ts';
export { maxIntervalMs, ownDurability } from './durability.ts';
export { type MemoryStoreOptions, openMemoryStore } from './memory-store.ts';
export type * from './object-store.ts';
export { isStoreError, StoreError, type StoreErrorCode, storeErrors } from './store-error.ts';
export type { StoreLog } from './store-log.ts';
export type { StoreInvitation, WorkerSeat } from './workers/worker-host.ts';
export { openWorkerStore } from './workers/worker-store.ts';

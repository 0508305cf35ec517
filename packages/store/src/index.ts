// Durable bytes and versions. The contract is object-store.ts; `openDiskStore` and `openMemoryStore` keep it.

export { type MemoryStoreOptions, openMemoryStore } from './memory-store.ts';
export type * from './object-store.ts';
export { isStoreError, StoreError, type StoreErrorCode, storeErrors } from './store-error.ts';

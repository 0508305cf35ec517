// Durable bytes and versions. The contract is object-store.ts; `openDiskStore` and `openMemoryStore` keep it.

export type * from './object-store.ts';
export { isStoreError, StoreError, type StoreErrorCode, storeErrors } from './store-error.ts';

// What this browser remembers of unfinished uploads, beside what the server knows: when the file was last changed and,
// where the browser has them (File System Access), a handle by which the file can be read again after a reload.
// Never trusted for progress: that is read from the server. Losing this store costs the user one click.

/** The part of FileSystemFileHandle that is used; only some browsers have it. */
export interface FileHandle {
  readonly kind: 'file';
  getFile(): Promise<File>;
  queryPermission?(options: { mode: 'read' }): Promise<PermissionState>;
  requestPermission?(options: { mode: 'read' }): Promise<PermissionState>;
}

export interface RememberedFile {
  readonly uploadId: string;
  readonly lastModified?: number;
  readonly handle?: FileHandle;
}

export interface ResumeStore {
  remember(file: RememberedFile): Promise<void>;
  recall(uploadId: string): Promise<RememberedFile | undefined>;
  forget(uploadId: string): Promise<void>;
}

const databaseName = 'stowage';
const tableName = 'unfinished-uploads';

/** In IndexedDB where there is one, else in memory. A browser that refuses storage (private windows) only loses comfort. */
export function openResumeStore(): ResumeStore {
  return typeof indexedDB === 'undefined' ? memoryResumeStore() : indexedResumeStore(indexedDB);
}

function memoryResumeStore(): ResumeStore {
  const files = new Map<string, RememberedFile>();
  return {
    remember: async (file) => void files.set(file.uploadId, file),
    recall: async (uploadId) => files.get(uploadId),
    forget: async (uploadId) => void files.delete(uploadId),
  };
}

function indexedResumeStore(factory: IDBFactory): ResumeStore {
  const fallback = memoryResumeStore();
  let opening: Promise<IDBDatabase> | undefined;

  function open(): Promise<IDBDatabase> {
    opening ??= new Promise((resolve, reject) => {
      const request = factory.open(databaseName, 1);
      request.onupgradeneeded = () => void request.result.createObjectStore(tableName, { keyPath: 'uploadId' });
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    return opening;
  }

  async function run<T>(mode: IDBTransactionMode, ask: (table: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    const database = await open();
    return new Promise((resolve, reject) => {
      const request = ask(database.transaction(tableName, mode).objectStore(tableName));
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  }

  return {
    async remember(file) {
      await run('readwrite', (table) => table.put(file)).catch(() => fallback.remember(file));
    },
    async recall(uploadId) {
      const kept = await run<RememberedFile | undefined>('readonly', (table) => table.get(uploadId)).catch(
        () => undefined,
      );
      return kept ?? fallback.recall(uploadId);
    },
    async forget(uploadId) {
      await fallback.forget(uploadId);
      await run('readwrite', (table) => table.delete(uploadId)).catch(() => undefined);
    },
  };
}

// Many uploads as one list: a tray's state without any framework. Takes any number of files, lets a few run at a time in
// the order they came, sums up what is left, and takes in uploads that were begun before a reload.

import type { Upload } from '@stowage/contract';
import type { ClientError } from './client-error.ts';
import { isClientError } from './client-error.ts';
import type { FileHandle } from './resume-store.ts';
import { createSnapshotSource, type SnapshotSource, tellAll } from './snapshot-source.ts';
import { assertSameFile, isSameFile, type ResumableUpload, type StowageClient } from './stowage-client.ts';
import type { UploadHandle, UploadSnapshot } from './upload.ts';
import { asUploadSource, type UploadSource } from './upload-source.ts';

export interface UploadRequest {
  readonly file: Blob | UploadSource;
  readonly folder?: readonly string[];
  readonly handle?: FileHandle;
}

export interface UploadItem extends UploadSnapshot {
  /** Stable for as long as the item is in the list. */
  readonly key: string;
}

export interface UploadTotals {
  readonly sentBytes: number;
  readonly totalBytes: number;
  readonly bytesPerSecond?: number;
  readonly secondsLeft?: number;
  /** Items by how they stand; `active` are those that move or wait for their turn. */
  readonly active: number;
  readonly paused: number;
  readonly ready: number;
  readonly failed: number;
}

export interface UploadListSnapshot {
  readonly items: readonly UploadItem[];
  readonly totals: UploadTotals;
  /** Begun earlier, and waiting for their files. */
  readonly resumable: readonly ResumableUpload[];
}

/** An unfinished upload whose file could not be had again by itself. */
export interface MissedFile {
  readonly upload: Upload;
  /**
   * `not-remembered`: the browser keeps no handle of it. `not-allowed`: it may not be read without the user's leave. `not-found`: it was
   * moved or deleted, or cannot be read. `changed`: it is no longer the file whose upload was begun.
   */
  readonly reason: 'not-remembered' | 'not-allowed' | 'not-found' | 'changed';
}

export type UploadEvent = { readonly kind: 'stored' | 'ready' | 'failed'; readonly item: UploadItem };

export interface UploadList extends SnapshotSource<UploadListSnapshot> {
  /** A file whose upload waits for it goes on where it stopped instead of being sent anew. */
  add(requests: readonly UploadRequest[]): void;
  pause(key: string): void;
  resume(key: string): void;
  /** Gives it up and takes it out of the list. */
  cancel(key: string): void;
  /** Takes an item that has come to its end out of the list. */
  remove(key: string): void;
  /** Takes out all that are ready. */
  clearFinished(): void;
  pauseAll(): void;
  resumeAll(): void;
  cancelAll(): void;
  /** Reads from the service which uploads were left unfinished. Rejects with a ClientError. */
  findResumable(): Promise<void>;
  /** Goes on with those uploads whose file is among these. Answers the files that fitted none, each with the reason. */
  resumeWith(
    requests: readonly UploadRequest[],
  ): readonly { readonly file: UploadSource; readonly error: ClientError }[];
  /**
   * Reads files again through remembered handles and goes on with their uploads. `ask`: where the browser wants the user's
   * leave, ask for it, which works within a click alone. Answers those that could not be had, each with the reason.
   */
  resumeRemembered(options: { readonly ask: boolean }): Promise<readonly MissedFile[]>;
  /** Gives up an upload that waits for its file. */
  abandon(uploadId: string): Promise<void>;
  /** Hears when an upload is stored, ready or failed. What it throws is reported as an uncaught error. Returns how to stop. */
  onEvent(listener: (event: UploadEvent) => void): () => void;
}

interface Entry {
  readonly key: string;
  readonly upload: UploadHandle;
  seen: UploadSnapshot;
  item: UploadItem;
}

/** Files that are sent at the same time; their parts share the client's lanes. */
const defaultMaxRunning = 3;

export function createUploadList(client: StowageClient, { maxRunning = defaultMaxRunning } = {}): UploadList {
  const entries = new Map<string, Entry>();
  const listeners = new Set<(event: UploadEvent) => void>();
  let resumable: readonly ResumableUpload[] = [];
  let lastKey = 0;

  const source = createSnapshotSource<UploadListSnapshot>(() => {
    const items = [...entries.values()].map(({ item }) => item);
    return { items, totals: sum(items), resumable };
  });

  function tell(kind: UploadEvent['kind'], item: UploadItem): void {
    tellAll(listeners, { kind, item });
  }

  function startNext(): void {
    let running = 0;
    for (const { upload } of entries.values()) if (isRunning(upload.state)) running += 1;
    for (const { upload } of entries.values()) {
      if (running >= maxRunning) return;
      if (upload.state !== 'queued') continue;
      running += 1;
      upload.start();
    }
  }

  function onChange(entry: Entry): void {
    const before = entry.seen.state;
    entry.seen = entry.upload.getSnapshot();
    entry.item = { ...entry.seen, key: entry.key };
    const { state } = entry.seen;
    if (state === before) {
      source.publishSoon();
      return;
    }
    source.publish();
    if (state === 'checking') tell('stored', entry.item);
    if (state === 'ready' || state === 'failed') tell(state, entry.item);
    if (isRunning(before) && !isRunning(state)) startNext();
  }

  function admit({ file, folder, handle }: UploadRequest, resume?: string): void {
    const upload = client.upload(file, {
      start: false,
      ...(folder === undefined ? {} : { folder }),
      ...(handle === undefined ? {} : { handle }),
      ...(resume === undefined ? {} : { resume }),
    });
    lastKey += 1;
    const key = String(lastKey);
    const seen = upload.getSnapshot();
    const entry: Entry = { key, upload, seen, item: { ...seen, key } };
    entries.set(key, entry);
    upload.subscribe(() => onChange(entry));
  }

  function admitResumed(found: ResumableUpload, request: UploadRequest): void {
    resumable = resumable.filter((each) => each !== found);
    admit({ ...request, folder: found.upload.folder }, found.upload.id);
  }

  function drop(key: string): void {
    entries.delete(key);
    source.publish();
  }

  function cancel(key: string): void {
    // Should telling the service fail, it forgets the unfinished upload by itself.
    void entries
      .get(key)
      ?.upload.cancel()
      .catch(() => undefined);
    drop(key);
    startNext();
  }

  return {
    getSnapshot: source.getSnapshot,
    subscribe: source.subscribe,
    add(requests) {
      for (const request of requests) {
        const begun = resumable.find((each) => isSameFile(each, asUploadSource(request.file)));
        if (begun === undefined) admit(request);
        else admitResumed(begun, request);
      }
      startNext();
      source.publish();
    },
    pause: (key) => entries.get(key)?.upload.pause(),
    resume: (key) => entries.get(key)?.upload.resume(),
    cancel,
    // A failed upload that is taken out is given up at the service too: it would hold its room there.
    remove: cancel,
    clearFinished() {
      for (const { key, upload } of [...entries.values()]) if (upload.state === 'ready') entries.delete(key);
      source.publish();
    },
    pauseAll() {
      // Those that wait come first, or they would start as soon as a running one stops.
      for (const { upload } of entries.values()) if (upload.state === 'queued') upload.pause();
      for (const { upload } of entries.values()) upload.pause();
    },
    resumeAll() {
      for (const { upload } of entries.values()) upload.requeue();
      startNext();
    },
    cancelAll() {
      for (const { key, upload } of [...entries.values()]) if (isOpen(upload.state)) cancel(key);
    },
    async findResumable() {
      const found = await client.resumable();
      // One stopped before its announcement was answered is known to the service, but not yet by its id here.
      const unnamed = [...entries.values()].filter(({ upload }) => upload.id === undefined);
      resumable = found.filter(({ upload }) => !unnamed.some(({ item }) => isSameUpload(item, upload)));
      source.publish();
    },
    resumeWith(requests) {
      const misfits: { file: UploadSource; error: ClientError }[] = [];
      for (const request of requests) {
        const file = asUploadSource(request.file);
        const namesake = resumable.find(({ upload }) => upload.name === file.name && upload.sizeBytes === file.size);
        const found = namesake ?? resumable[0];
        if (found === undefined) continue;
        try {
          assertSameFile(found, file);
          admitResumed(found, request);
        } catch (error) {
          if (!isClientError(error)) throw error;
          misfits.push({ file, error });
        }
      }
      startNext();
      source.publish();
      return misfits;
    },
    async resumeRemembered({ ask }) {
      const missed: MissedFile[] = [];
      for (const found of resumable) {
        const file = await reopen(found, ask);
        if (typeof file === 'string') missed.push({ upload: found.upload, reason: file });
        else admitResumed(found, file);
      }
      startNext();
      source.publish();
      return missed;
    },
    async abandon(uploadId) {
      await client.abandon(uploadId);
      resumable = resumable.filter(({ upload }) => upload.id !== uploadId);
      source.publish();
    },
    onEvent(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}

function isSameUpload({ name, progress, folder }: UploadItem, upload: Upload): boolean {
  return (
    name === upload.name && progress.totalBytes === upload.sizeBytes && folder.join('/') === upload.folder.join('/')
  );
}

/** The file behind a remembered handle, or why it cannot be had. */
async function reopen(found: ResumableUpload, ask: boolean): Promise<UploadRequest | MissedFile['reason']> {
  const handle = found.remembered?.handle;
  if (handle === undefined) return 'not-remembered';
  try {
    const known = (await handle.queryPermission?.({ mode: 'read' })) ?? 'granted';
    const allowed = known === 'granted' || !ask ? known : await handle.requestPermission?.({ mode: 'read' });
    if (allowed !== 'granted') return 'not-allowed';
    const file = await handle.getFile();
    return isSameFile(found, file) ? { file, handle } : 'changed';
  } catch (error) {
    // Names of the File System standard; asking outside of a click is a SecurityError.
    const name = error instanceof Error ? error.name : '';
    return name === 'NotAllowedError' || name === 'SecurityError' ? 'not-allowed' : 'not-found';
  }
}

/** Takes one of the places of those that send. Confirming and checking need no bandwidth, so they hold none. */
function isRunning(state: UploadSnapshot['state']): boolean {
  return state === 'starting' || state === 'sending';
}

function isOpen(state: UploadSnapshot['state']): boolean {
  return state === 'queued' || state === 'paused' || isRunning(state);
}

function sum(items: readonly UploadItem[]): UploadTotals {
  let sentBytes = 0;
  let totalBytes = 0;
  let bytesPerSecond = 0;
  let leftBytes = 0;
  let [active, paused, ready, failed] = [0, 0, 0, 0];
  for (const { state, progress, trouble } of items) {
    sentBytes += progress.sentBytes;
    totalBytes += progress.totalBytes;
    if (state === 'paused') paused += 1;
    else if (state === 'ready') ready += 1;
    else if (state === 'failed') failed += 1;
    else if (state !== 'cancelled') {
      active += 1;
      leftBytes += progress.totalBytes - progress.sentBytes;
      // What waits for the connection does not move, however fast it was.
      if (trouble === undefined) bytesPerSecond += progress.bytesPerSecond ?? 0;
    }
  }
  return {
    sentBytes,
    totalBytes,
    active,
    paused,
    ready,
    failed,
    ...(bytesPerSecond > 0 ? { bytesPerSecond } : {}),
    ...(bytesPerSecond >= 1 ? { secondsLeft: leftBytes / bytesPerSecond } : {}),
  };
}

// Uploads as React state.

import type { SnapshotSource, UploadEvent, UploadHandle, UploadListSnapshot, UploadSnapshot } from '@stowage/client';
import { useEffect, useEffectEvent, useSyncExternalStore } from 'react';
import { useStowage } from './stowage-context.ts';

/** The list of uploads; renders again when it changes, at most ten times a second. Its controls: `useStowage().uploads`. */
export function useUploads(): UploadListSnapshot {
  return useSnapshot(useStowage().uploads);
}

/** One upload that was begun with `client.upload`. */
export function useUpload(upload: UploadHandle): UploadSnapshot {
  return useSnapshot(upload);
}

/** Calls back when an upload of the list is stored, ready or failed. */
export function useUploadEvents(listener: (event: UploadEvent) => void): void {
  const { uploads } = useStowage();
  const latest = useEffectEvent(listener);
  useEffect(() => uploads.onEvent((event) => latest(event)), [uploads]);
}

function useSnapshot<T>(source: SnapshotSource<T>): T {
  return useSyncExternalStore(source.subscribe, source.getSnapshot, source.getSnapshot);
}

// Makes the whole page take files and folders, and tells whether some hover over it.

import { useEffect, useEffectEvent, useState } from 'react';
import { type DroppedFiles, readDrop } from './dropped-files.ts';

interface DropTargetOptions {
  readonly onDrop: (files: DroppedFiles) => void;
  /** A folder could not be read. */
  readonly onError: (error: unknown) => void;
  /** Default false. */
  readonly disabled?: boolean;
}

export function useDropTarget({ onDrop, onError, disabled = false }: DropTargetOptions): { readonly isOver: boolean } {
  const [isOver, setOver] = useState(false);
  const take = useEffectEvent((transfer: DataTransfer) => {
    readDrop(transfer).then(onDrop, onError);
  });

  useEffect(() => {
    if (disabled) return undefined;
    const stop = new AbortController();
    const listen = (name: 'dragenter' | 'dragover' | 'dragleave' | 'drop', react: (event: DragEvent) => void): void =>
      window.addEventListener(
        name,
        (event) => {
          // Text and links dragged within the page are none of ours.
          if (!event.dataTransfer?.types.includes('Files')) return;
          event.preventDefault();
          react(event);
        },
        { signal: stop.signal },
      );
    listen('dragenter', () => setOver(true));
    listen('dragover', (event) => {
      if (event.dataTransfer !== null) event.dataTransfer.dropEffect = 'copy';
      setOver(true);
    });
    // Leaving the window names no element that is entered; leaving one element for another does.
    listen('dragleave', (event) => {
      if (event.relatedTarget === null) setOver(false);
    });
    listen('drop', (event) => {
      setOver(false);
      if (event.dataTransfer !== null) take(event.dataTransfer);
    });
    return () => {
      stop.abort();
      setOver(false);
    };
  }, [disabled]);

  return { isOver };
}

// Opens the browser's own dialog for files or a folder, without an input in the page.

import { useCallback, useEffectEvent } from 'react';
import { type DroppedFiles, readInput } from './dropped-files.ts';

interface PickOptions {
  /** A folder with all that is in it. Default false. */
  readonly folder?: boolean;
}

/** Answers a function to be called from a click. Nothing is called back when the user chooses nothing. */
export function useFilePicker(onPick: (files: DroppedFiles) => void): (options?: PickOptions) => void {
  const picked = useEffectEvent(onPick);
  return useCallback(({ folder = false } = {}) => {
    const input = document.createElement('input');
    input.type = 'file';
    input.multiple = true;
    input.webkitdirectory = folder;
    input.addEventListener('change', () => {
      if (input.files !== null && input.files.length > 0) picked(readInput(input.files));
    });
    input.click();
  }, []);
}

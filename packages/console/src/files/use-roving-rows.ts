// One row of the list is in the page's tab order; arrow keys move from there (WAI-ARIA practices, grid). Rows far away are
// not in the page at all, so moving is: scroll there, and focus the row once it exists.

import type { FileEntry } from '@stowage/contract';
import { type KeyboardEvent, type RefObject, useLayoutEffect, useRef, useState } from 'react';
import type { FileActions } from './use-file-actions.ts';

interface RovingOptions {
  readonly files: readonly FileEntry[];
  readonly actions: FileActions;
  readonly list: RefObject<HTMLElement | null>;
  readonly scrollTo: (index: number) => void;
}

interface RovingRows {
  readonly activeIndex: number;
  readonly onKeyDown: (event: KeyboardEvent<HTMLElement>) => void;
  /** The focus came to a row by other means. */
  readonly onFocus: (event: { readonly target: EventTarget }) => void;
}

const pageRows = 10;

export function useRovingRows({ files, actions, list, scrollTo }: RovingOptions): RovingRows {
  const [wantedIndex, setActive] = useState(0);
  const toFocus = useRef<number | undefined>(undefined);
  const last = files.length - 1;
  const activeIndex = Math.max(0, Math.min(wantedIndex, last));

  useLayoutEffect(() => {
    if (toFocus.current === undefined) return;
    const row = list.current?.querySelector<HTMLElement>(`[data-index="${toFocus.current}"]`);
    if (row === null || row === undefined) return;
    toFocus.current = undefined;
    row.focus({ preventScroll: true });
  });

  function moveTo(index: number): void {
    const next = Math.max(0, Math.min(index, last));
    toFocus.current = next;
    setActive(next);
    scrollTo(next);
    // Already there: no render follows, so it is focused now.
    list.current?.querySelector<HTMLElement>(`[data-index="${next}"]`)?.focus({ preventScroll: true });
  }

  function onKeyDown(event: KeyboardEvent<HTMLElement>): void {
    const target = event.target;
    const file = files[activeIndex];
    if (!(target instanceof HTMLElement) || file === undefined) return;
    if (event.altKey || event.ctrlKey || event.metaKey || target.closest('[data-index]') === null) return;
    const isRow = target.dataset.index !== undefined;
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: activeIndex + 1,
      ArrowUp: activeIndex - 1,
      PageDown: activeIndex + pageRows,
      PageUp: activeIndex - pageRows,
      Home: 0,
      End: last,
    };
    const step = steps[event.key];
    if (step !== undefined) moveTo(step);
    else if (event.key === 'Enter' && isRow) actions.open(file);
    else if (event.key === 'Delete' && file.state === 'ready') {
      // The file after it takes its place, or the one before when it was the last.
      toFocus.current = activeIndex === last ? last - 1 : activeIndex;
      setActive(Math.max(0, toFocus.current));
      void actions.remove(file);
    } else if (event.key === 'ArrowRight' && isRow) focusButton(target, 0);
    else if (event.key === 'ArrowLeft' && !isRow) target.closest<HTMLElement>('[data-index]')?.focus();
    else return;
    event.preventDefault();
  }

  function onFocus({ target }: { readonly target: EventTarget }): void {
    if (!(target instanceof HTMLElement)) return;
    const index = target.closest<HTMLElement>('[data-index]')?.dataset.index;
    if (index !== undefined) setActive(Number(index));
  }

  return { activeIndex, onKeyDown, onFocus };
}

function focusButton(row: HTMLElement, index: number): void {
  row.querySelectorAll<HTMLElement>('button')[index]?.focus();
}

// One row of the list is in the page's tab order; arrow keys move from there (WAI-ARIA practices, grid). Rows far away are
// not in the page at all, so moving is: scroll there, and focus the row once it exists. A row that goes away hands the
// focus to the next one, whichever key, button or menu took it away.

import type { FileEntry } from '@stowage/contract';
import { type KeyboardEvent, type RefObject, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { canBeDeleted } from './state-badge.tsx';
import type { FileActions } from './use-file-actions.ts';

interface RovingOptions {
  readonly files: readonly FileEntry[];
  readonly actions: FileActions;
  readonly list: RefObject<HTMLElement | null>;
  /** Id of the file whose row takes the focus as soon as it exists; what brings a file back sets it too. */
  readonly toFocus: RefObject<string | undefined>;
  readonly scrollTo: (index: number) => void;
}

interface RovingRows {
  readonly activeIndex: number;
  /** The actions, with removal leaving the focus on the next row. Stable. */
  readonly rowActions: FileActions;
  readonly onKeyDown: (event: KeyboardEvent<HTMLElement>) => void;
  /** The focus came to a row by other means. */
  readonly onFocus: (event: { readonly target: EventTarget }) => void;
}

const pageRows = 10;

export function useRovingRows({ files, actions, list, toFocus, scrollTo }: RovingOptions): RovingRows {
  const [wantedIndex, setActive] = useState(0);
  const last = files.length - 1;
  const activeIndex = Math.max(0, Math.min(wantedIndex, last));

  useLayoutEffect(() => {
    // Rows above may have come or gone: the active row is the one that holds the focus.
    const held = rowIndex(document.activeElement);
    if (held !== undefined && held !== activeIndex) setActive(held);
    if (toFocus.current === undefined) return;
    if (!isInPage(document.activeElement)) toFocus.current = undefined;
    const index = files.findIndex(({ id }) => id === toFocus.current);
    if (index !== -1) moveTo(index);
  });

  function rowAt(index: number): HTMLElement | undefined {
    return list.current?.querySelector<HTMLElement>(`[data-index="${index}"]`) ?? undefined;
  }

  function moveTo(index: number): void {
    const next = Math.max(0, Math.min(index, last));
    const row = rowAt(next);
    // Not there yet: the render that brings it comes back here.
    toFocus.current = row === undefined ? files[next]?.id : undefined;
    setActive(next);
    scrollTo(next);
    row?.focus({ preventScroll: true });
  }

  /** The file after it takes its place, or the one before when it was the last; without either, the page. */
  function remove(file: FileEntry): Promise<void> {
    const index = files.findIndex(({ id }) => id === file.id);
    if (last > 0) moveTo(index === last ? last - 1 : index + 1);
    else list.current?.closest('main')?.focus({ preventScroll: true });
    return actions.remove(file);
  }

  const latestRemove = useRef(remove);
  useLayoutEffect(() => {
    latestRemove.current = remove;
  });
  const rowActions = useMemo(
    () => ({ ...actions, remove: (file: FileEntry) => latestRemove.current(file) }),
    [actions],
  );

  function onKeyDown(event: KeyboardEvent<HTMLElement>): void {
    const target = event.target;
    if (!(target instanceof HTMLElement) || event.altKey || event.ctrlKey || event.metaKey) return;
    // A key pressed in a row's menu comes here too, through React; it is the menu's.
    const index = rowIndex(target);
    const file = index === undefined ? undefined : files[index];
    if (index === undefined || file === undefined) return;
    const isRow = target.dataset.index !== undefined;
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: index + 1,
      ArrowUp: index - 1,
      PageDown: index + pageRows,
      PageUp: index - pageRows,
      Home: 0,
      End: last,
    };
    const step = steps[event.key];
    if (step !== undefined) moveTo(step);
    else if (event.key === 'Enter' && isRow) actions.show(file);
    else if (event.key === 'Delete' && canBeDeleted(file)) void remove(file);
    else if (event.key === 'ArrowRight') moveAlong(target, 1);
    else if (event.key === 'ArrowLeft' && !isRow) moveAlong(target, -1);
    else return;
    event.preventDefault();
  }

  function onFocus({ target }: { readonly target: EventTarget }): void {
    const index = target instanceof Element ? rowIndex(target) : undefined;
    if (index !== undefined) setActive(index);
  }

  return { activeIndex, rowActions, onKeyDown, onFocus };
}

/** Which row of the list it is in. */
function rowIndex(element: Element | null): number | undefined {
  const index = element?.closest<HTMLElement>('[data-index]')?.dataset.index;
  return index === undefined ? undefined : Number(index);
}

/** The focus may be moved: it is nowhere, or among the files, and not where the user has gone since. */
function isInPage(element: Element | null): boolean {
  return element === null || element === document.body || element.closest('main') !== null;
}

/** From the row to its buttons and back, over those that a narrow screen leaves out. */
function moveAlong(from: HTMLElement, step: 1 | -1): void {
  const row = from.closest<HTMLElement>('[data-index]');
  if (row === null) return;
  const buttons = [...row.querySelectorAll<HTMLElement>('button')].filter((button) => button.offsetParent !== null);
  const stops = [row, ...buttons];
  stops[stops.indexOf(from) + step]?.focus();
}

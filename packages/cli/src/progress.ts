// Tells how far a long task is: a line now and then, so that it reads as well in a log as on a terminal.

import type { Terminal } from './terminal.ts';

const betweenLinesMs = 2000;

/** Answers what the task is to call as often as it likes. Nothing is told of one that is quick. */
export function tellProgress(
  terminal: Terminal,
): (progress: { readonly phase: string; readonly doneBytes: number; readonly totalBytes: number }) => void {
  let lastMs = performance.now();
  return ({ phase, doneBytes, totalBytes }) => {
    const nowMs = performance.now();
    if (nowMs - lastMs < betweenLinesMs) return;
    lastMs = nowMs;
    const share = totalBytes > 0 ? ` of ${sizeInWords(totalBytes)}` : '';
    terminal.tell(doneBytes === 0 ? `${phase} …` : `${phase}: ${sizeInWords(doneBytes)}${share}`);
  };
}

const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** `1.5 MiB`. */
export function sizeInWords(sizeBytes: number): string {
  let size = sizeBytes;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`;
}

/** `1 object`, `2 objects`. */
export function countInWords(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

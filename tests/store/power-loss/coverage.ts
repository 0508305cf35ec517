// What a number of histories has cut off, as a table: each class of operations, and how often everything stopped before, within
// and after one of it, while the store was opening, running or closing.

import { type CutClass, cutClasses, cutMoments, cutPhases } from './cut-points.ts';
import type { Counts } from './simulation-process.ts';

/** Classes that happen only where something else went wrong before. */
const rare: ReadonlySet<CutClass> = new Set(['other: change', 'quarantine: write']);

/** Classes and moments that no history met, as `<class> <moment>`. */
export function missedCuts(cuts: Counts): string[] {
  return cutClasses
    .filter((cutClass) => !rare.has(cutClass))
    .flatMap((cutClass) =>
      cutMoments
        .filter((moment) => cutPhases.every((phase) => countOf(cuts, phase, cutClass, moment) === 0))
        .map((moment) => `${cutClass} ${moment}`),
    );
}

export function renderCoverage(cuts: Counts): string {
  const width = Math.max(...cutClasses.map((name) => name.length));
  const cell = 16;
  const head = [''.padEnd(width), ...cutPhases.map((phase) => phase.padStart(cell))].join(' ');
  const rows = cutClasses.map((cutClass) =>
    [
      cutClass.padEnd(width),
      ...cutPhases.map((phase) =>
        cutMoments
          .map((moment) => countOf(cuts, phase, cutClass, moment))
          .join(' / ')
          .padStart(cell),
      ),
    ].join(' '),
  );
  return [`Cuts before / within / after:`, head, ...rows].join('\n');
}

function countOf(cuts: Counts, phase: string, cutClass: CutClass, moment: string): number {
  return cuts[`${phase}|${cutClass}|${moment}`] ?? 0;
}

// What is printed once everything serves: where to go, with which keys, where the bytes lie and what is promised of them.
// Plain text and ANSI styles only; the caller says whether there are colours.

import { styleText } from 'node:util';
import type { DurabilityChoice } from './option-values.ts';

export interface SummaryRow {
  readonly label: string;
  readonly value: string;
  /** Shown dim after the value. */
  readonly note?: string;
  /** A warning: shown in the colour of one. */
  readonly warns?: boolean;
}

/** A title, rows in two columns, and a last line. */
export function renderSummary(options: {
  readonly title: string;
  readonly rows: readonly SummaryRow[];
  readonly footer: string;
  readonly colour: boolean;
}): string {
  const style = (name: 'bold' | 'dim' | 'green' | 'yellow', text: string): string =>
    options.colour ? styleText(name, text, { validateStream: false }) : text;
  const width = Math.max(...options.rows.map(({ label }) => label.length)) + 3;
  const rows = options.rows.map(({ label, value, note, warns }) => {
    const name = label.padEnd(width);
    const shown = note === undefined ? value : `${value}  ${style('dim', note)}`;
    return `  ${warns === true ? style('yellow', name) : style('dim', name)}${shown}`;
  });
  return [
    '',
    `  ${style('green', style('bold', options.title))}`,
    '',
    ...rows,
    '',
    `  ${style('dim', options.footer)}`,
    '',
    '',
  ].join('\n');
}

/** What an acknowledged write is worth, in a few words. */
export function describeDurability(durability: DurabilityChoice): string {
  switch (durability.level) {
    case 'strict':
      return 'strict: an acknowledged write is on the disk';
    case 'interval':
      return `interval: an acknowledged write is on the disk within ${durability.intervalMs} ms; power loss can take the last ones`;
    case 'memory':
      return 'memory: nothing outlives this process';
  }
}

// Where a command writes and whether it may use colours there: the process's own streams, looked at in one place.

import process from 'node:process';

export interface Terminal {
  /** What the command was asked for. */
  print(text: string): void;
  /** Progress and complaints. */
  tell(line: string): void;
  readonly colour: boolean;
  /** Whether a person reads along: standard error is a terminal. */
  readonly interactive: boolean;
}

export function openTerminal(options: { readonly plain: boolean }): Terminal {
  return {
    print: (text) => void process.stdout.write(text),
    tell: (line) => void process.stderr.write(`${line}\n`),
    colour: process.stdout.isTTY && !options.plain,
    interactive: process.stderr.isTTY,
  };
}

// What a setting is: one row of the table beside this file. A row knows where it may be given, what it must be and what it means,
// so that reading, checking, explaining and documenting it are each one function over all rows.

import type { z } from 'zod';

export interface Setting {
  /** What it is for, in a sentence or two of Markdown. */
  readonly summary: string;
  /** What is expected, as it follows “expected” in a message and stands in the documentation. */
  readonly expected: string;
  /** The variable of the environment that stands for it. Absent: the file alone. */
  readonly variable?: string;
  /** A second name of the variable, looked at after the first. */
  readonly otherVariable?: string;
  /** How the text of the variable is read. Default: as it is. */
  readonly text?: 'number' | 'boolean' | 'list' | 'json';
  readonly schema: z.ZodType;
  /** What holds where nothing is given, in words; absent: nothing does, or `required` says so. */
  readonly default?: string;
  /** Of a number. */
  readonly unit?: string;
  /** Its value is never shown; it may be given as the name of a file, by `<variable>_FILE` or `{"file": "…"}`. */
  readonly secret?: true;
  readonly commands: readonly SettingCommand[];
}

/** Which commands read a setting. */
export type SettingCommand = 'start' | 'serve';

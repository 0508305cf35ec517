// A mutation: one thing that the code must do, switched off. It is a patch of the text, made when the file is loaded, in a
// process that does nothing else; the product has no switches for it. A test that cannot tell a mutation from the code as
// it is, proves nothing about what the mutation switches off.

import type { HistoryKind } from '../store/power-loss/circumstances.ts';

export interface Mutation {
  readonly name: string;
  /** What it switches off, e.g. the number of an invariant. */
  readonly invariant: number;
  /** The kind of histories that can show it; the others are left out of the search. Default: any. */
  readonly kind?: HistoryKind;
  /** What the code does then. */
  readonly breaks: string;
  /** From the root of the repository. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** The file as the mutation makes it. @throws Error when the text that it looks for does not stand there exactly once. */
export function mutate(source: string, { name, file, find, replace }: Mutation): string {
  const [before, after, ...more] = source.split(find);
  if (before === undefined || after === undefined || more.length > 0) {
    const count = after === undefined ? 'nowhere' : `${more.length + 1} times`;
    throw new Error(`Mutation ${name}: what it replaces stands ${count} in ${file}, and must stand there once.`);
  }
  return before + replace + after;
}

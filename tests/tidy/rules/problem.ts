// What a rule answers: a list of problems, empty when all is well. Each says where, what, and what to do.

import type { SourceTree } from '../source-tree.ts';

export interface Problem {
  readonly path: string;
  readonly line?: number;
  readonly message: string;
}

export type Rule = (tree: SourceTree) => readonly Problem[];

export function renderProblem({ path, line, message }: Problem): string {
  return `${path}${line === undefined ? '' : `:${line}`}: ${message}`;
}

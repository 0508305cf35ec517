// No file may import itself by way of others, types included: such files cannot be understood, tested or moved apart.

import type { SourceTree } from '../source-tree.ts';
import type { Problem } from './problem.ts';

/** One problem per group of files that reach each other (Tarjan's strongly connected components). */
export function importCycles(tree: SourceTree): Problem[] {
  const edges = new Map<string, string[]>();
  for (const { path, references } of tree.sources.values()) {
    edges.set(
      path,
      references.map(({ target }) => target).filter((target) => target !== undefined),
    );
  }
  return components(edges).map((files) => ({
    path: files[0] ?? '',
    message: `imports itself by way of ${files.slice(1).join(', ') || 'itself'}: move what both need to a file of its own.`,
  }));
}

interface Visit {
  readonly index: number;
  low: number;
  onStack: boolean;
}

function components(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const visits = new Map<string, Visit>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (node: string): Visit => {
    const own: Visit = { index: visits.size, low: visits.size, onStack: true };
    visits.set(node, own);
    stack.push(node);
    for (const next of edges.get(node) ?? []) {
      const seen = visits.get(next);
      if (seen === undefined) own.low = Math.min(own.low, visit(next).low);
      else if (seen.onStack) own.low = Math.min(own.low, seen.index);
    }
    if (own.low === own.index) {
      const files = stack.splice(stack.indexOf(node));
      for (const file of files) (visits.get(file) as Visit).onStack = false; // each was visited: it was on the stack
      if (files.length > 1 || edges.get(node)?.includes(node)) found.push(files.sort());
    }
    return own;
  };
  for (const node of edges.keys()) if (!visits.has(node)) visit(node);
  return found;
}

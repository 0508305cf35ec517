// Documents stay short enough to be read.

import type { SourceTree } from '../source-tree.ts';
import type { Problem } from './problem.ts';

const limits: readonly (readonly [RegExp, number])[] = [
  [/^README\.md$/, 150],
  [/^CONTRIBUTING\.md$/, 80],
  [/^decisions\/.*\.md$/, 70],
];

export function longDocuments(tree: SourceTree): Problem[] {
  return [...tree.texts].flatMap(([path, text]) => {
    const limit = limits.find(([pattern]) => pattern.test(path))?.[1];
    const lines = text.trimEnd().split('\n').length;
    return limit === undefined || lines <= limit
      ? []
      : [{ path, message: `has ${lines} lines, at most ${limit}: cut it.` }];
  });
}

/** decisions/NNN-title.md, numbered without a gap or a double. */
export function decisionNumbers(tree: SourceTree): Problem[] {
  const paths = [...tree.texts.keys()].filter((path) => path.startsWith('decisions/')).sort();
  return paths.flatMap((path, index) => {
    const expected = String(index + 1).padStart(3, '0');
    return path.startsWith(`decisions/${expected}-`) && path.endsWith('.md')
      ? []
      : [{ path, message: `is decision ${index + 1} in order: it should be named ${expected}-title.md.` }];
  });
}

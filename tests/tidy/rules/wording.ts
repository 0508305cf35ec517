// What must not stand in a file: switched-off tests, promises to do it later, holes in the types, swallowed errors, paths
// and words of the place where the code was written, and names that say nothing.

import { posix } from 'node:path';
import type { SourceTree } from '../source-tree.ts';
import type { Problem } from './problem.ts';

const bannedNames = new Set([
  'utils',
  'util',
  'helpers',
  'helper',
  'common',
  'types',
  'misc',
  'manager',
  'base',
  'shared',
]);

/** Patterns for every text file. Written so that this file does not match itself. */
const bannedWords: readonly (readonly [RegExp, string])[] = [
  [/\b(?:test|it|describe|suite)\.only\(/, 'runs one test and silently leaves out the rest: take .only away.'],
  [/\b(?:TO[D]O|FIX[M]E|XX[X])\b/, 'puts work off in a comment: do it, or say in words what is not built.'],
  [/@ts-(?:ignore|nocheck)/, 'switches the type checker off: mend the type.'],
  [/\/work\/|\/tmp\/stow[a]ge/, 'names a path of one machine.'],
  [/\b(?:this|next|later|current|coming) issue\b/i, 'speaks of how the work was planned: say what the code does.'],
  [
    /\bsub-?agents?\b|\bthe le[a]d\b|\bthe br[i]ef\b|\blanguage mod[e]l\b/i,
    'speaks of who wrote it: say what the code does.',
  ],
  [/\bseeds?\/?\s?00\d/, 'points at a document that is not in the repository.'],
];

export function bannedText(tree: SourceTree): Problem[] {
  const texts = [...[...tree.sources.values()].map(({ path, text }) => [path, text] as const), ...tree.texts];
  return texts.flatMap(([path, text]) =>
    path === 'package-lock.json'
      ? []
      : text.split('\n').flatMap((lineText, index) =>
          bannedWords
            .filter(([pattern]) => pattern.test(lineText))
            .map(([pattern, message]) => ({
              path,
              line: index + 1,
              message: `"${pattern.exec(lineText)?.[0]}" ${message}`,
            })),
        ),
  );
}

export function typeHoles(tree: SourceTree): Problem[] {
  return [...tree.sources.values()].flatMap(({ path, anyLines }) =>
    anyLines.map((line) => ({ path, line, message: 'uses `any`: take `unknown` and parse it.' })),
  );
}

export function swallowedErrors(tree: SourceTree): Problem[] {
  return [...tree.sources.values()].flatMap(({ path, emptyCatchLines }) =>
    emptyCatchLines.map((line) => ({
      path,
      line,
      message: 'swallows an error: test its code and throw the others on, or say why none matters.',
    })),
  );
}

/** A source file opens with a comment that says what it is. A test says it by the name of what it tests. */
export function missingOpenings(tree: SourceTree): Problem[] {
  return [...tree.sources.values()].flatMap(({ path, text }) =>
    path.endsWith('.test.ts') || path.endsWith('.d.ts') || /^(?:#!.*\n)?\s*\/[/*]/.test(text)
      ? []
      : [{ path, line: 1, message: 'has no opening comment: say what it is, the spec section, what it does not do.' }],
  );
}

export function emptyNames(tree: SourceTree): Problem[] {
  return [...tree.sources.keys()].flatMap((path) => {
    const words = path.split('/').map((part) => (part.split('.')[0] ?? '').split('-').at(-1) ?? '');
    const banned = words.find((word) => bannedNames.has(word));
    if (banned !== undefined) return [{ path, message: `"${banned}" says nothing: name it by what it holds.` }];
    if (/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)?\.(ts|tsx|js|mjs)$/.test(posix.basename(path))) return [];
    return [{ path, message: 'is not a kebab-case name.' }];
  });
}

/** The environment is read in one place, packages/cli; elsewhere values are passed in. */
export function environmentReads(tree: SourceTree): Problem[] {
  return [...tree.sources.values()].flatMap(({ path, text, packageName, isTest }) => {
    if (packageName === undefined || packageName === 'cli' || isTest || !path.includes('/src/')) return [];
    const lines = text.split('\n');
    const line = lines.findIndex((lineText) => /\bprocess\.env\b/.test(lineText) && !/^\s*(\/\/|\*)/.test(lineText));
    return line === -1
      ? []
      : [{ path, line: line + 1, message: 'reads the environment: only packages/cli does, and passes it on.' }];
  });
}

// The longest files and functions. Length is a question (is this two things?), never a failure.

import type { SourceTree } from '../source-tree.ts';

const LONG_FILE_LINES = 400;
const LONG_FUNCTION_LINES = 70;
const SHOWN = 10;

export function longestFiles(tree: SourceTree): string[] {
  return [...tree.sources.values()]
    .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > LONG_FILE_LINES)
    .sort((a, b) => b.lines - a.lines)
    .slice(0, SHOWN)
    .map(({ path, lines }) => `${path}: ${lines} lines`);
}

export function longestFunctions(tree: SourceTree): string[] {
  return [...tree.sources.values()]
    .filter(({ isTest }) => !isTest)
    .flatMap(({ path, functions }) => functions.map((size) => ({ path, ...size })))
    .filter(({ lines }) => lines > LONG_FUNCTION_LINES)
    .sort((a, b) => b.lines - a.lines)
    .slice(0, SHOWN)
    .map(({ path, line, name, lines }) => `${path}:${line}: ${name}, ${lines} lines`);
}

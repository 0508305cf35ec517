// The repository's own source as data: each file's imports, exports, functions and comments, parsed once with oxc-parser
// (TypeScript 7 has no JavaScript API to ask). The rules in rules/ are plain functions over this tree, so that each can
// be tried on a bad example made with `treeOf`.

import { readFile } from 'node:fs/promises';
import { dirname, join, posix, relative, sep } from 'node:path';
import { parseSync } from 'oxc-parser';
import { findFiles } from '../../scripts/find-files.ts';
import { facts } from './syntax-facts.ts';

/** One mention of another module. */
export interface Reference {
  readonly specifier: string;
  /** The names taken from it; `all` for a namespace, a dynamic import, a URL to the file and `export *`. */
  readonly names: readonly string[] | 'all';
  readonly line: number;
  /** The file it leads to, when that lies in the tree: relative specifiers and `@stowage/<package>`. */
  readonly target: string | undefined;
  /** `export … from`. */
  readonly reExport: boolean;
}

interface FunctionSize {
  readonly name: string;
  readonly line: number;
  readonly lines: number;
}

export interface SourceFile {
  /** From the repository's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** The folder under packages/, or undefined outside. */
  readonly packageName: string | undefined;
  readonly isTest: boolean;
  readonly references: readonly Reference[];
  /** Exported names with their line; `default` for a default export. Those of `export *` are not here. */
  readonly exports: ReadonlyMap<string, number>;
  readonly functions: readonly FunctionSize[];
  /** Lines of `any`, and of `catch {}` with neither a statement nor a reason in it. */
  readonly anyLines: readonly number[];
  readonly emptyCatchLines: readonly number[];
}

export interface PackageManifest {
  readonly path: string;
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export interface SourceTree {
  readonly sources: ReadonlyMap<string, SourceFile>;
  /** Every other text file: documents, JSON, styles, shell. */
  readonly texts: ReadonlyMap<string, string>;
  readonly manifests: readonly PackageManifest[];
}

const sourcePattern = /\.(ts|tsx|js|mjs)$/;
const textPattern = /\.(md|json|css|html|sh|ya?ml|toml)$|(^|\/)(run|LICENSE|\.gitignore|\.npmrc)$/;

export async function readTree(root: string): Promise<SourceTree> {
  const files: Record<string, string> = {};
  for (const path of await findFiles(root)) {
    const name = relative(root, path).split(sep).join('/');
    if (sourcePattern.test(name) || textPattern.test(name)) files[name] = await readFile(join(root, name), 'utf8');
  }
  return treeOf(files);
}

/** A tree from file texts by path. */
export function treeOf(files: Readonly<Record<string, string>>): SourceTree {
  const paths = new Set(Object.keys(files));
  const sources = new Map<string, SourceFile>();
  const texts = new Map<string, string>();
  const manifests: PackageManifest[] = [];
  for (const [path, text] of Object.entries(files)) {
    if (sourcePattern.test(path)) sources.set(path, parse(path, text, paths));
    else texts.set(path, text);
    // package.json is npm's format: what a rule needs and a manifest lacks shows in the rule.
    if (posix.basename(path) === 'package.json') manifests.push({ ...(JSON.parse(text) as PackageManifest), path });
  }
  return { sources, texts, manifests };
}

function parse(path: string, text: string, paths: ReadonlySet<string>): SourceFile {
  const parsed = parseSync(path, text);
  const error = parsed.errors[0];
  if (error !== undefined) throw new Error(`${path} cannot be parsed: ${error.message}`);
  const lineOf = lineFinder(text);
  const references: Reference[] = [];
  const refer = (specifier: string, names: Reference['names'], offset: number, reExport = false): void => {
    references.push({ specifier, names, line: lineOf(offset), target: resolve(path, specifier, paths), reExport });
  };
  for (const { moduleRequest, entries, start } of parsed.module.staticImports) {
    const whole = entries.some(({ importName }) => importName.kind === 'NamespaceObject');
    refer(moduleRequest.value, whole ? 'all' : entries.map(({ importName }) => importName.name ?? 'default'), start);
  }
  const exports = new Map<string, number>();
  for (const { exportName, moduleRequest, importName, start } of parsed.module.staticExports.flatMap(
    (e) => e.entries,
  )) {
    const name = exportName.kind === 'Default' ? 'default' : exportName.name;
    if (name !== null && exportName.kind !== 'None') exports.set(name, lineOf(start));
    if (moduleRequest)
      refer(moduleRequest.value, importName.kind === 'Name' ? [importName.name ?? ''] : 'all', start, true);
  }
  const syntax = facts(parsed.program);
  for (const { specifier, start } of syntax.indirect) refer(specifier, 'all', start);
  return {
    path,
    text,
    packageName: /^packages\/([^/]+)\//.exec(path)?.[1],
    isTest: /\.(test|contract|fixture|fuzz)\.tsx?$/.test(path) || path.startsWith('tests/'),
    references,
    exports,
    functions: syntax.functions.map(({ name, start, end }) => ({
      name,
      line: lineOf(start),
      lines: lineOf(end) - lineOf(start) + 1,
    })),
    anyLines: syntax.anys.map(lineOf),
    emptyCatchLines: syntax.emptyCatches
      .filter(({ start, end }) => !/\/[/*]/.test(text.slice(start, end)))
      .map(({ start }) => lineOf(start)),
  };
}

function resolve(from: string, specifier: string, paths: ReadonlySet<string>): string | undefined {
  const own = /^(?:@stowage\/([^/]+)|stowage)$/.exec(specifier);
  const target = own ? `packages/${own[1] ?? 'cli'}/src/index.ts` : posix.join(dirname(from), specifier);
  return (own || specifier.startsWith('.')) && paths.has(target) ? target : undefined;
}

function lineFinder(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}

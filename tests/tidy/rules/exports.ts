// An export is a promise to somebody. In a package, a file exports what another file imports or what the index passes on;
// the index exports what other packages or users need. What nobody takes is a mistake or a leftover.

import type { SourceFile, SourceTree } from '../source-tree.ts';
import type { Problem } from './problem.ts';

export function unusedExports(tree: SourceTree): Problem[] {
  const used = usesByFile(tree, () => true);
  const problems: Problem[] = [];
  for (const file of tree.sources.values()) {
    if (isIndex(file) || isConfiguration(file)) continue;
    for (const [name, line] of file.exports) {
      if (takes(used.get(file.path), name)) continue;
      problems.push({
        path: file.path,
        line,
        message: `exports ${name}, which no other file imports: drop the export, or the code.`,
      });
    }
  }
  return problems;
}

/** Only `src/index.ts` passes on what other files export. */
export function barrels(tree: SourceTree): Problem[] {
  return [...tree.sources.values()].flatMap((file) =>
    isIndex(file)
      ? []
      : file.references
          .filter(({ reExport }) => reExport)
          .map(({ specifier, line }) => ({
            path: file.path,
            line,
            message: `passes on what ${specifier} exports: let importers go there, only src/index.ts is a barrel.`,
          })),
  );
}

/** Names an index exports and nobody outside the package imports: public interface, or one too many? A question, by package. */
export function publicExportsWithoutUse(tree: SourceTree): Map<string, string[]> {
  const answer = new Map<string, string[]>();
  for (const file of tree.sources.values()) {
    if (!isIndex(file) || file.packageName === undefined) continue;
    const used = usesByFile(tree, (user) => user.packageName !== file.packageName).get(file.path);
    const unused = [...publicNames(file, tree)].filter((name) => !takes(used, name));
    if (unused.length > 0) answer.set(file.packageName, unused);
  }
  return answer;
}

/** Exports that only a test of the same package imports: is the seam in the right place? */
export function exportsForTestsAlone(tree: SourceTree): string[] {
  const used = usesByFile(tree, (user) => !user.isTest);
  const usedByAll = usesByFile(tree, () => true);
  return [...tree.sources.values()].flatMap((file) =>
    isIndex(file) || file.isTest || file.packageName === undefined
      ? []
      : [...file.exports.keys()]
          .filter((name) => !takes(used.get(file.path), name) && takes(usedByAll.get(file.path), name))
          .map((name) => `${file.path}: ${name}`),
  );
}

type Uses = ReadonlySet<string> | 'all' | undefined;

function takes(uses: Uses, name: string): boolean {
  return uses === 'all' || uses?.has(name) === true;
}

function usesByFile(tree: SourceTree, counts: (user: SourceFile) => boolean): Map<string, Uses> {
  const uses = new Map<string, Set<string> | 'all'>();
  for (const user of tree.sources.values()) {
    if (!counts(user)) continue;
    for (const { target, names } of user.references) {
      if (target === undefined) continue;
      const known = uses.get(target);
      if (names === 'all' || known === 'all') uses.set(target, 'all');
      else uses.set(target, new Set([...(known ?? []), ...names]));
    }
  }
  return uses;
}

function publicNames(index: SourceFile, tree: SourceTree): Set<string> {
  const names = new Set(index.exports.keys());
  for (const { target, names: taken, reExport } of index.references) {
    if (!reExport || taken !== 'all' || target === undefined) continue;
    for (const name of tree.sources.get(target)?.exports.keys() ?? []) names.add(name);
  }
  return names;
}

function isIndex({ path }: SourceFile): boolean {
  return /^packages\/[^/]+\/src\/index\.tsx?$/.test(path);
}

/** Files whose exports a tool reads: vite.config.ts, *.fuzz.ts; examples are read by people. */
function isConfiguration({ path }: SourceFile): boolean {
  return /\.(config|fuzz)\.[tj]s$/.test(path) || path.startsWith('examples/') || path.endsWith('.d.ts');
}

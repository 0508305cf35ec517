// Who may import whom: layers.ts as rules. A package is entered through its index alone, imports only what its row names,
// declares what it imports, and the packages that also run in a browser stay away from `node:`.

import { posix } from 'node:path';
import { browserPackages, layers } from '../../../layers.ts';
import type { PackageManifest, Reference, SourceFile, SourceTree } from '../source-tree.ts';
import type { Problem } from './problem.ts';

/** Every package has a row in layers.ts, and imports only the packages its row names. */
export function importsOutsideLayers(tree: SourceTree): Problem[] {
  return references(tree).flatMap(([file, { specifier, line }]) => {
    const { path, packageName } = file;
    const imported = importedPackage(specifier);
    if (packageName === undefined || imported === undefined || imported === packageName) return [];
    const allowed = layers[packageName];
    if (allowed === undefined) return [{ path, line, message: `packages/${packageName} has no row in layers.ts.` }];
    if (allowed.includes(imported)) return [];
    const row = allowed.length > 0 ? allowed.join(', ') : 'no package of ours';
    return [{ path, line, message: `imports ${specifier}, but ${packageName} may import ${row} (layers.ts).` }];
  });
}

/** Another package is reached by its name, never by a path; `@stowage/x/y` does not exist. tests/ may reach anywhere. */
export function importsPastTheIndex(tree: SourceTree): Problem[] {
  return references(tree).flatMap(([file, { specifier, line }]) => {
    const { path, packageName } = file;
    if (/^@stowage\/[^/]+\//.test(specifier)) {
      return [{ path, line, message: `imports ${specifier}: a package is imported by its name alone.` }];
    }
    if (packageName === undefined || !specifier.startsWith('.')) return [];
    const target = posix.join(posix.dirname(path), specifier);
    if (target.startsWith(`packages/${packageName}/`)) return [];
    return [{ path, line, message: `imports ${specifier}, which leaves its package: import @stowage/<package>.` }];
  });
}

export function nodeModulesInBrowserPackages(tree: SourceTree): Problem[] {
  return references(tree).flatMap(([{ path, packageName, isTest }, { specifier, line }]) => {
    const browser = browserPackages.includes(packageName ?? '') && path.includes('/src/') && !isTest;
    if (!browser || !specifier.startsWith('node:')) return [];
    return [{ path, line, message: `imports ${specifier}, and ${packageName} also runs in a browser (layers.ts).` }];
  });
}

/** What a package imports stands in its own package.json; tests and build files may also use its and the root's devDependencies. */
export function undeclaredDependencies(tree: SourceTree): Problem[] {
  const manifests = new Map(tree.manifests.map((manifest) => [manifest.path, manifest]));
  const root = manifests.get('package.json');
  return references(tree).flatMap(([{ path, packageName, isTest }, { specifier, line }]) => {
    if (/^(node:|\.|\/|virtual:)/.test(specifier) || packageName === undefined) return [];
    const own = manifests.get(`packages/${packageName}/package.json`);
    const development = isTest || !path.includes('/src/');
    const declared = development ? [...namesOf(own, true), ...namesOf(root, true)] : namesOf(own, false);
    const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
    if (declared.includes(name) || name === own?.name) return [];
    return [{ path, line, message: `imports ${name}, which packages/${packageName}/package.json does not declare.` }];
  });
}

function namesOf(manifest: PackageManifest | undefined, development: boolean): string[] {
  const { dependencies, peerDependencies, optionalDependencies, devDependencies } = manifest ?? {};
  const all = { ...dependencies, ...peerDependencies, ...optionalDependencies, ...(development && devDependencies) };
  return Object.keys(all);
}

function importedPackage(specifier: string): string | undefined {
  if (specifier === 'stowage') return 'cli';
  return /^@stowage\/([^/]+)/.exec(specifier)?.[1];
}

function references(tree: SourceTree): [SourceFile, Reference][] {
  return [...tree.sources.values()].flatMap((file) =>
    file.references.map((reference): [SourceFile, Reference] => [file, reference]),
  );
}

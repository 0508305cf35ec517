// package.json files, the lockfile and the licences of what is installed.

import { type Lockfile, missingOptionalPackages } from '../../../scripts/complete-lockfile.ts';
import type { SourceTree } from '../source-tree.ts';
import type { Problem } from './problem.ts';

const permissive = new Set([
  'MIT',
  'MIT-0',
  'ISC',
  '0BSD',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'Unlicense',
  'Python-2.0',
  'Zlib',
]);

/** Packages under another licence, and why they may be here. A pattern for the name, the licence, the reason. */
const exceptions: readonly (readonly [RegExp, RegExp, string])[] = [
  [/^@img\/sharp-libvips-/, /LGPL-3\.0/, 'libvips, a shared library beside sharp, loaded unchanged and replaceable'],
  [/^@img\/sharp-(win32|wasm32)/, /LGPL-3\.0/, 'the same libvips, inside one package on these platforms'],
  [/^lightningcss(-|$)/, /MPL-2\.0/, 'used by vite when the console is built; nothing of it is in what we publish'],
  [
    /^(busboy|dicer|streamsearch|only|humanize-number)$/,
    /^$/,
    'MIT, said in an older form; below s3rver, a peer in bench/',
  ],
  [/^@sparticuz\/chromium$/, /./, 'a browser for tests; nothing of it is in what we publish'],
];

/** Versions are exact (a range would resolve otherwise tomorrow), and our packages share one version. */
export function looseVersions(tree: SourceTree): Problem[] {
  const version = tree.manifests.find(({ path }) => path === 'package.json')?.version;
  return tree.manifests.flatMap((manifest) => {
    const { path, dependencies, devDependencies, optionalDependencies } = manifest;
    if (path !== 'package.json' && !path.startsWith('packages/')) return [];
    const loose = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
      .filter(([, wanted]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(wanted))
      .map(([name, wanted]) => ({ path, message: `asks for ${name} ${wanted}: name an exact version.` }));
    const drift =
      manifest.version === version
        ? []
        : [{ path, message: `is version ${manifest.version}, the repository ${version}.` }];
    return [...loose, ...drift];
  });
}

interface LicensedEntry {
  readonly license?: string;
  readonly link?: boolean;
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
}

/** Only permissive licences, but for the exceptions named above. Entries without a licence are other platforms' files. */
export function licences(tree: SourceTree): Problem[] {
  return lockEntries(tree).flatMap(([location, { license, integrity, version }]) => {
    const name = location.slice(location.lastIndexOf('node_modules/') + 'node_modules/'.length);
    if (!location.includes('node_modules/') || (license === undefined && integrity === undefined)) return [];
    if (exceptions.some(([names, kind]) => names.test(name) && kind.test(license ?? ''))) return [];
    if (license !== undefined && isPermissive(license)) return [];
    return [
      {
        path: 'package-lock.json',
        message: `${name}@${version} has licence ${license ?? 'unknown'}: choose another package, or name the exception with its reason.`,
      },
    ];
  });
}

/** A choice (`OR`) needs one permissive licence, a sum (`AND`) only permissive ones. */
function isPermissive(expression: string): boolean {
  const plain = expression.replace(/^\((.*)\)$/, '$1');
  if (plain.includes(' OR ')) return plain.split(' OR ').some(isPermissive);
  return plain.split(' AND ').every((part) => permissive.has(part.trim()));
}

/** The lockfile names packages for every platform, and no registry. */
export function lockfileGaps(tree: SourceTree): Problem[] {
  const text = tree.texts.get('package-lock.json');
  if (text === undefined) return [];
  const path = 'package-lock.json';
  const missing = [...missingOptionalPackages(JSON.parse(text) as Lockfile).keys()]; // npm's own file
  const hosts = lockEntries(tree).filter(([, { resolved }]) => resolved?.startsWith('http'));
  return [
    ...missing.map((name) => ({
      path,
      message: `lacks ${name}, so npm ci fails: run node scripts/complete-lockfile.ts.`,
    })),
    ...hosts.map(([location]) => ({
      path,
      message: `${location} names a registry's address: .npmrc should leave it out.`,
    })),
  ];
}

function lockEntries(tree: SourceTree): [string, LicensedEntry][] {
  const text = tree.texts.get('package-lock.json');
  if (text === undefined) return [];
  const lockfile = JSON.parse(text) as { packages: Record<string, LicensedEntry> }; // npm's own file
  return Object.entries(lockfile.packages).filter(([location, { link }]) => location !== '' && link !== true);
}

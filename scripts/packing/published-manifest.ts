// A package.json as it is published: entries lead to the JavaScript in lib/ and its declarations instead of to src/, and
// what only the repository needs is gone. (`npm pack` does not apply publishConfig.exports itself.)

export interface SourceManifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly private?: boolean;
  readonly engines: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export function publishedManifest(source: SourceManifest): Record<string, unknown> {
  const { name, version, description, license, engines, dependencies, optionalDependencies, peerDependencies } = source;
  const exports = Object.entries(source.exports ?? {}).map(([entry, path]) => {
    return [entry, { types: built(path, '.d.ts'), default: built(path, '.js') }] as const;
  });
  const bin = Object.entries(source.bin ?? {}).map(([command, path]) => [command, built(path, '.js')] as const);
  return {
    name,
    version,
    description,
    license,
    type: 'module',
    engines,
    ...(exports.length > 0 && { exports: { ...Object.fromEntries(exports), './package.json': './package.json' } }),
    ...(bin.length > 0 && { bin: Object.fromEntries(bin) }),
    files: ['lib', 'console'],
    dependencies,
    optionalDependencies,
    peerDependencies,
    publishConfig: { access: 'public' },
  };
}

/** `./src/x.ts` → `./lib/x.js`; what is JavaScript already keeps its name. */
function built(path: string, ending: '.js' | '.d.ts'): string {
  const match = /^\.\/src\/(.+)\.(?:tsx?|js)$/.exec(path);
  if (match === null) throw new Error(`A manifest names ${path}: expected ./src/<name>.ts.`);
  return `./lib/${match[1]}${ending}`;
}

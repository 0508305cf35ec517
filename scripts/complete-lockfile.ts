// Completes package-lock.json after an `npm install`: node scripts/complete-lockfile.ts
// npm drops an optional package from the lockfile when the registry it asked does not have it, and `npm ci` then refuses
// the lockfile on every platform. Each native tool names its platform packages with exact versions, so the missing
// entries follow from that: version from the parent, os and cpu from the name. npm keeps them from then on.
// Such an entry has no integrity; where the registry has the package, delete the entry and let npm write it.

import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

interface LockEntry {
  version?: string;
  integrity?: string;
  optional?: boolean;
  dev?: boolean;
  os?: string | string[];
  cpu?: string | string[];
  optionalDependencies?: Record<string, string>;
}

export interface Lockfile {
  packages: Record<string, LockEntry>;
}

const systems = ['android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const processors = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64'];

/** The optional packages that the lockfile's entries name and that it does not hold, by name. */
export function missingOptionalPackages(lockfile: Lockfile): Map<string, LockEntry> {
  const present = new Set(
    Object.keys(lockfile.packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 13)),
  );
  const missing = new Map<string, LockEntry>();
  for (const parent of Object.values(lockfile.packages)) {
    for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
      if (!present.has(name)) missing.set(name, platformEntry(name, version, parent.dev === true));
    }
  }
  return missing;
}

function platformEntry(name: string, version: string, dev: boolean): LockEntry {
  const words = name.split(/[/-]/);
  const os = systems.find((system) => words.includes(system));
  const cpu = processors.find((processor) => words.includes(processor));
  if (os === undefined || cpu === undefined || !/^\d/.test(version)) {
    throw new Error(
      `${name}@${version}: its platform and version do not follow from its name. Add it to the lockfile by hand.`,
    );
  }
  return { version, cpu: [cpu], ...(dev && { dev }), optional: true, os: [os] };
}

if (import.meta.main) {
  const path = fileURLToPath(new URL('../package-lock.json', import.meta.url));
  // The file is npm's own; only `packages` is touched.
  const lockfile = JSON.parse(await readFile(path, 'utf8')) as Lockfile;
  const missing = missingOptionalPackages(lockfile);
  for (const [name, entry] of missing) lockfile.packages[`node_modules/${name}`] = entry;
  const byPath = (a: string, b: string) => a.localeCompare(b, 'en');
  const packages = Object.fromEntries(Object.entries(lockfile.packages).sort(([a], [b]) => byPath(a, b)));
  await writeFile(path, `${JSON.stringify({ ...lockfile, packages }, undefined, 2)}\n`);
  console.log(`${missing.size} entries added to package-lock.json.`);
}

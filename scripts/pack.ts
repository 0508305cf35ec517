// npm run pack: makes the tarballs that are published, in dist/packages, from sources that run without a build.
// Node strips types only outside node_modules, so a tarball holds JavaScript: tsc turns each package's src/ into lib/ (with
// declarations), the manifest is rewritten to point there, and the command's tarball also holds the built console.
// tests/pack installs the result into an empty folder and uses it.

import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { prepareConsole } from '../packages/cli/src/console-build.ts';
import { commandPath } from './command-path.ts';
import { findFiles } from './find-files.ts';
import { npmCommand } from './npm-command.ts';
import { publishedManifest, type SourceManifest } from './packing/published-manifest.ts';
import { rewriteModuleUrls } from './packing/rewrite-module-urls.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../', import.meta.url));
/** What only tests need: by the name of the file, or of a folder of a package's sources. */
const testFile =
  /\.(test|contract|fixture|fuzz)\.tsx?$|[/\\]packages[/\\][^/\\]+[/\\]src[/\\](.+[/\\])?(testing|contract)[/\\]/;

interface PackedPackage {
  readonly name: string;
  readonly tarball: string;
}

/** Packs every package that is not private, or only those in these folders, into `outputFolder`, which is emptied first. */
export async function packAll(outputFolder: string, only?: readonly string[]): Promise<PackedPackage[]> {
  const build = join(outputFolder, 'build');
  await rm(outputFolder, { recursive: true, force: true });
  await mkdir(build, { recursive: true });
  const packages = (await publicPackages()).filter(([name]) => only === undefined || only.includes(name));
  await emitJavaScript(packages, join(build, 'js'));
  const folders: string[] = [];
  for (const [folderName, manifest] of packages) {
    const folder = join(build, folderName);
    await layOut({ folderName, manifest, folder, emitted: join(build, 'js', folderName, 'src') });
    folders.push(folder);
  }
  if (packages.some(([name]) => name === 'cli')) await addConsole(join(build, 'cli', 'console'));
  const npm = npmCommand('pack', '--json', '--loglevel=error', `--pack-destination=${outputFolder}`, ...folders);
  const { stdout } = await run(npm.file, npm.args, { cwd: build, shell: npm.shell });
  const made = npmPackAnswer(stdout);
  await rm(build, { recursive: true });
  return made.map(({ name, filename }) => ({ name, tarball: join(outputFolder, filename) }));
}

async function addConsole(folder: string): Promise<void> {
  const { directory } = await prepareConsole({ onBuilding: () => console.error('Building the console …') });
  await cp(directory, folder, {
    recursive: true,
    filter: (path) => path === directory || !basename(path).startsWith('.'),
  });
}

interface PackAnswer {
  readonly name: string;
  readonly filename: string;
}

/** npm 11 and older answer with a list, later ones with an object by package name. */
function npmPackAnswer(stdout: string): PackAnswer[] {
  const answer = JSON.parse(stdout) as PackAnswer[] | Record<string, PackAnswer>; // npm's documented output
  return Array.isArray(answer) ? answer : Object.values(answer);
}

async function publicPackages(): Promise<[string, SourceManifest][]> {
  const found: [string, SourceManifest][] = [];
  for (const folderName of (await readdir(join(root, 'packages'))).sort()) {
    const text = await readFile(join(root, 'packages', folderName, 'package.json'), 'utf8');
    const manifest = JSON.parse(text) as SourceManifest; // npm's format; tests/tidy checks what matters in it
    if (manifest.private !== true) found.push([folderName, manifest]);
  }
  return found;
}

/** One run of tsc for all packages, because they import each other's sources. */
async function emitJavaScript(packages: readonly [string, SourceManifest][], outDir: string): Promise<void> {
  const sources = await findFiles(root, { under: packages.map(([name]) => `packages/${name}/src`) });
  const configuration = {
    extends: join(root, 'tsconfig.base.json'),
    compilerOptions: {
      noEmit: false,
      rewriteRelativeImportExtensions: true,
      lib: ['es2024', 'dom', 'dom.iterable', 'esnext.disposable'],
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
      jsx: 'react-jsx',
      rootDir: join(root, 'packages'),
      outDir,
    },
    files: sources.filter((path) => /\.tsx?$/.test(path) && !testFile.test(path)),
  };
  const configurationPath = join(outDir, '..', 'tsconfig.json');
  await writeFile(configurationPath, JSON.stringify(configuration));
  try {
    await run(process.execPath, [commandPath('typescript', 'tsc'), '-p', configurationPath], { cwd: root });
  } catch (error) {
    const output = error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error);
    throw new Error(`The packages do not compile, so they cannot be packed:\n${output}`, { cause: error });
  }
  await requireNoTests(packages, outDir);
}

/** tsc brings along whatever is imported. @throws Error when that is for tests only. */
async function requireNoTests(packages: readonly [string, SourceManifest][], outDir: string): Promise<void> {
  const emitted = await findFiles(outDir, { under: packages.map(([name]) => `${name}/src`), ending: '.js' });
  const sources = emitted.map((path) => `/packages/${relative(outDir, path).replace(/\.js$/, '.ts')}`);
  const found = sources.filter((path) => testFile.test(path));
  if (found.length === 0) return;
  throw new Error(
    `What is published imports what only tests need: ${found.join(', ')}. Move what is imported elsewhere.`,
  );
}

interface Layout {
  readonly folderName: string;
  readonly manifest: SourceManifest;
  readonly folder: string;
  readonly emitted: string;
}

/** Puts one package's files together as they will lie in the tarball. */
async function layOut({ folderName, manifest, folder, emitted }: Layout): Promise<void> {
  const source = join(root, 'packages', folderName);
  await cp(emitted, join(folder, 'lib'), { recursive: true });
  for (const path of await findFiles(source, { under: ['src'] })) {
    if (!/\.tsx?$/.test(path)) await cp(path, join(folder, 'lib', relative(join(source, 'src'), path)));
  }
  for (const path of await findFiles(folder, { under: ['lib'], ending: '.js' })) {
    const text = await readFile(path, 'utf8');
    await writeFile(path, rewriteModuleUrls(text, relative(folder, path)));
  }
  await cp(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  await cp(join(source, 'README.md'), join(folder, 'README.md'));
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(publishedManifest(manifest), undefined, 2)}\n`);
}

if (import.meta.main) {
  const startedMs = performance.now();
  for (const { tarball } of await packAll(join(root, 'dist', 'packages'))) console.log(relative(root, tarball));
  console.log(`Packed in ${((performance.now() - startedMs) / 1000).toFixed(1)} s.`);
}

// What is published works where nothing of the repository is: the tarballs are made, installed into an empty folder with
// their dependencies, and used as a stranger would: the command, the library from plain JavaScript, the declarations.

import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { commandPath } from '../../scripts/command-path.ts';
import { npmCommand } from '../../scripts/npm-command.ts';
import { packAll } from '../../scripts/pack.ts';
import { rewriteModuleUrls } from '../../scripts/packing/rewrite-module-urls.ts';

const run = promisify(execFile);
const INSTALL_TIMEOUT_MS = 180_000;
const START_TIMEOUT_MS = 30_000;

let work = '';
let app = '';
let names: readonly string[] = [];

before(async () => {
  work = await mkdtemp(join(tmpdir(), 'stowage-pack-'));
  app = join(work, 'app');
  await mkdir(app);
  const packed = await packAll(join(work, 'packages'));
  names = packed.map(({ name }) => name);
  const dependencies = Object.fromEntries(packed.map(({ name, tarball }) => [name, `file:${tarball}`]));
  await writeFile(
    join(app, 'package.json'),
    JSON.stringify({ private: true, dependencies: { ...dependencies, react: '19.3.1' } }),
  );
  const npm = npmCommand(
    'install',
    '--ignore-scripts',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  );
  await run(npm.file, npm.args, { cwd: app, shell: npm.shell, timeout: INSTALL_TIMEOUT_MS });
});
after(() => rm(work, { recursive: true, force: true }));

/** Starts the installed command and reads its first output until it names its address. */
async function startCommand(...args: readonly string[]): Promise<{ child: ChildProcess; endpoint: string }> {
  const manifest: unknown = JSON.parse(await readFile(join(app, 'node_modules/stowage/package.json'), 'utf8'));
  const { bin } = manifest as { bin: { stowage: string } }; // published-manifest.ts wrote it
  const child = spawn(process.execPath, [join(app, 'node_modules/stowage', bin.stowage), ...args], {
    cwd: work,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const endpoint = await new Promise<string>((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error(`No address in time. Output:\n${output}`)), START_TIMEOUT_MS);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        const address = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0];
        if (address === undefined) return;
        clearTimeout(limit);
        resolve(address);
      });
    }
    child.on('close', (code) => {
      clearTimeout(limit);
      reject(new Error(`The command ended with ${code}. Output:\n${output}`));
    });
  });
  return { child, endpoint };
}

async function stop(child: ChildProcess): Promise<number | null> {
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  const [code] = await closed;
  return typeof code === 'number' ? code : null;
}

test('every public package is packed', () => {
  for (const name of [
    'stowage',
    '@stowage/s3',
    '@stowage/store',
    '@stowage/engine',
    '@stowage/files',
    '@stowage/client',
  ]) {
    assert.ok(names.includes(name), `${name} is missing from ${names.join(', ')}`);
  }
  assert.ok(!names.includes('@stowage/console'), 'the console is inside the command');
});

test('every package brings its own README', async () => {
  for (const name of names) {
    const readme = await readFile(join(app, 'node_modules', name, 'README.md'), 'utf8');
    assert.ok(readme.startsWith(`# ${name}\n`) && readme.includes('```'), name);
  }
});

test('the packed engine serves', async () => {
  const { child, endpoint } = await startCommand('engine', '--data', join(work, 'engine-data'), '--port', '0');
  try {
    const health = await fetch(`${endpoint}/_stowage/health`);
    assert.equal(health.status, 200);
  } finally {
    assert.equal(await stop(child), 0);
  }
});

test('the packed start serves the built console', async () => {
  const data = join(work, 'start-data');
  const { child, endpoint } = await startCommand('start', '--data', data, '--port', '0', '--s3-port', '0');
  try {
    const page = await fetch(`${endpoint}/`);
    assert.equal(page.status, 200);
    const script = /src="([^"]*\/assets\/[^"]+\.js)"/.exec(await page.text())?.[1];
    assert.ok(script, 'the page names its built script');
    assert.equal((await fetch(new URL(script, endpoint))).status, 200);
  } finally {
    assert.equal(await stop(child), 0);
  }
});

test('plain JavaScript imports the engine', async () => {
  await writeFile(
    join(app, 'use.mjs'),
    `import { startEngine } from '@stowage/engine';
     const engine = await startEngine();
     const answer = await fetch(engine.endpoint + '/_stowage/health');
     await engine.close();
     console.log(answer.status);`,
  );
  const { stdout } = await run(process.execPath, ['use.mjs'], { cwd: app });
  assert.equal(stdout.trim(), '200');
});

test('every library can be imported', async () => {
  const libraries = names.filter((name) => name !== 'stowage');
  const text = `for (const name of ${JSON.stringify(libraries)}) console.log(Object.keys(await import(name)).length > 0);`;
  await writeFile(join(app, 'import-all.mjs'), text);
  const { stdout } = await run(process.execPath, ['import-all.mjs'], { cwd: app });
  assert.deepEqual(
    stdout.trim().split('\n'),
    libraries.map(() => 'true'),
  );
});

test('the declarations describe what is there', async () => {
  const program = `import { startEngine } from '@stowage/engine';
    import { createClient } from '@stowage/client';
    import { s3Errors } from '@stowage/s3';
    const engine = await startEngine();
    const endpoint: string = engine.endpoint;
    const status: 404 = s3Errors.NoSuchKey.status;
    // @ts-expect-error a wrong type is noticed, so the types are not lost on the way
    const wrong: number = engine.endpoint;
    await engine.close();
    export { createClient, endpoint, status, wrong };`;
  await writeFile(join(app, 'use.mts'), program);
  const configuration = {
    compilerOptions: {
      target: 'es2024',
      module: 'nodenext',
      strict: true,
      noEmit: true,
      lib: ['es2024', 'dom', 'dom.iterable', 'esnext.disposable'],
      types: ['node'],
      typeRoots: [fileURLToPath(new URL('../../node_modules/@types', import.meta.url))],
      skipLibCheck: false,
    },
    files: ['use.mts'],
  };
  await writeFile(join(app, 'tsconfig.json'), JSON.stringify(configuration));
  const tsc = await run(process.execPath, [commandPath('typescript', 'tsc'), '-p', app], { cwd: app }).catch(
    (error: { stdout: string }) => assert.fail(error.stdout), // tsc writes its findings to stdout
  );
  assert.equal(tsc.stdout, '');
});

test('module addresses are rewritten, and what would be lost is refused', () => {
  const rewritten = rewriteModuleUrls(`new Worker(new URL('./hash-worker.ts', import.meta.url))`, 'a.js');
  assert.equal(rewritten, `new Worker(new URL('./hash-worker.js', import.meta.url))`);
  assert.throws(() => rewriteModuleUrls(`fork('./child.ts')`, 'a.js'), /a\.js names '\.\/child\.ts'/);
  assert.equal(rewriteModuleUrls(`// see './child.ts'\n`, 'a.js'), `// see './child.ts'\n`);
});

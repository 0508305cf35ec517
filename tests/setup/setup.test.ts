// scripts/setup.js in small repositories of its own, with a stand-in for npm (a program from outside): it notes each call
// and does what STAND_IN says.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';

const setup = fileURLToPath(new URL('../../scripts/setup.js', import.meta.url));
const platform = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;

const standIn = `
const fs = require('node:fs');
fs.appendFileSync('calls', process.argv[2] + '\\n');
const [what, text] = (process.env.STAND_IN ?? 'install').split(':');
if (what === 'fail') { console.error(text); process.exit(1); }
setTimeout(() => {
  fs.mkdirSync('node_modules/.bin', { recursive: true });
  if (what === 'broken-node') {
    fs.mkdirSync('node_modules/${platform}/bin', { recursive: true });
    fs.writeFileSync('node_modules/${platform}/bin/node', '#!/no/such/loader\\n', { mode: 0o755 });
    fs.writeFileSync('node_modules/.bin/node', '');
  }
}, 300);
`;

let parent = '';
let count = 0;
before(async () => {
  parent = await mkdtemp(join(tmpdir(), 'stowage-setup-'));
});
after(() => rm(parent, { recursive: true }));

/** A repository with nothing installed. */
async function repository(manifest: object = {}): Promise<string> {
  count += 1;
  const root = join(parent, `repository-${count}`);
  await mkdir(join(root, 'scripts'), { recursive: true });
  await copyFile(setup, join(root, 'scripts', 'setup.js'));
  await writeFile(join(root, 'package.json'), JSON.stringify({ type: 'module', ...manifest }));
  await writeFile(join(root, 'package-lock.json'), JSON.stringify({ packages: {} }));
  await mkdir(join(root, 'npm'));
  await writeFile(join(root, 'npm', 'package.json'), '{}');
  await writeFile(join(root, 'npm', 'npm-cli.js'), standIn);
  return root;
}

interface Finished {
  readonly code: number | null;
  readonly output: string;
}

function start(root: string, behaviour = 'install'): Promise<Finished> {
  const child = spawn(process.execPath, [join(root, 'scripts', 'setup.js')], {
    env: {
      ...process.env,
      npm_execpath: join(root, 'npm', 'npm-cli.js'),
      npm_node_execpath: process.execPath,
      STAND_IN: behaviour,
    },
  });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })));
}

async function calls(root: string): Promise<string[]> {
  return (await readFile(join(root, 'calls'), 'utf8')).trim().split('\n');
}

test('installs once, and again when the lockfile changed', async () => {
  const root = await repository();
  assert.match((await start(root)).output, /First run.*\nDependencies installed/);
  assert.deepEqual(await start(root), { code: 0, output: '' });
  assert.deepEqual(await calls(root), ['ci']);
  await writeFile(
    join(root, 'package-lock.json'),
    JSON.stringify({ packages: { 'node_modules/new': { version: '1.0.0' } } }),
  );
  assert.match((await start(root)).output, /lockfile changed/);
  assert.deepEqual(await calls(root), ['ci', 'ci']);
});

test("does not install again what the developer's npm install brought", async () => {
  const root = await repository();
  const packages = { 'node_modules/new': { version: '1.0.0', integrity: 'x' } };
  const other = { 'node_modules/other-platform': { version: '1.0.0', optional: true } };
  await writeFile(join(root, 'package-lock.json'), JSON.stringify({ packages: { '': {}, ...packages, ...other } }));
  await mkdir(join(root, 'node_modules'));
  await writeFile(join(root, 'node_modules', '.package-lock.json'), JSON.stringify({ packages }));
  assert.deepEqual(await start(root), { code: 0, output: 'The lockfile changed: checking what is installed …\n' });
  await assert.rejects(calls(root), /ENOENT/);
});

test('of two that start at once, one installs and the other waits', async () => {
  const root = await repository();
  const both = await Promise.all([start(root), start(root)]);
  assert.deepEqual(
    both.map(({ code }) => code),
    [0, 0],
  );
  assert.deepEqual(await calls(root), ['ci']);
});

test('takes over from a process that died while installing', async () => {
  const root = await repository();
  const dead = spawnSync(process.execPath, ['--version']).pid;
  await mkdir(join(root, '.cache'));
  await writeFile(join(root, '.cache', 'setup.lock'), `${dead} 0 0`);
  assert.equal((await start(root)).code, 0);
  assert.deepEqual(await calls(root), ['ci']);
  await assert.rejects(stat(join(root, '.cache', 'setup.lock')), /ENOENT/);
});

for (const [failure, advice] of [
  ['getaddrinfo ENOTFOUND registry.example', /registry cannot be reached/],
  ['ENOSPC no space left on device', /disk is full/],
  ['code EINTEGRITY', /npm cache clean/],
  ['code EUSAGE', /differ/],
  ['something else', /Mend what it names/],
] as const) {
  test(`says what to do when npm fails with ${failure}`, async () => {
    const root = await repository();
    const { code, output } = await start(root, `fail:${failure}`);
    assert.equal(code, 1);
    assert.match(output, advice);
    assert.match(output, new RegExp(failure));
    assert.equal((await start(root)).code, 0, 'the next run starts anew');
  });
}

test('takes a pinned Node that cannot run here off PATH', { skip: process.platform === 'win32' }, async () => {
  const root = await repository({ optionalDependencies: { [platform]: '24.0.0' } });
  const { code, output } = await start(root, 'broken-node');
  assert.match(output, /does not run on this system/);
  assert.equal(code, 0, 'the Node that runs this test is new enough');
  await assert.rejects(stat(join(root, 'node_modules', '.bin', 'node')), /ENOENT/);
  assert.deepEqual(await start(root, 'broken-node'), { code: 0, output: '' });
});

// The command line from outside: help, version, and everything that is refused before anything is opened.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runCommand } from './run-command.ts';

/** The system's own Node, where it is one that cannot run the command. */
function findOldNode(): string | undefined {
  for (const path of ['/usr/bin/node', '/usr/local/bin/node', '/usr/bin/nodejs']) {
    const { stdout } = spawnSync(path, ['--version']);
    const major = Number(/^v(\d+)/.exec(String(stdout ?? ''))?.[1] ?? Number.NaN);
    if (major < 24) return path;
  }
  return undefined;
}

describe('the command line', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stowage-cli-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('explains itself and every command, with examples and exit codes', async () => {
    const [program, start, engine] = await Promise.all([
      runCommand(['--help']),
      runCommand(['start', '--help']),
      runCommand(['help', 'engine']),
    ]);
    for (const { status, stdout, stderr } of [program, start, engine]) {
      assert.equal(status, 0);
      assert.equal(stderr, '');
      assert.match(stdout, /Examples:\n {2}stowage /);
      assert.match(stdout, /Exit status:\n/);
    }
    for (const status of [0, 1, 2, 3, 4, 5, 6, 7, 130])
      assert.match(program.stdout, new RegExp(`^  ${status} +\\w`, 'm'));
    for (const option of ['--data', '--host', '--port', '--s3-port', '--log-format']) {
      assert.ok(start.stdout.includes(option), option);
    }
    const engineOptions =
      '--data --host --port --durability --workers --scrub-rate --accounts --domain --tls-cert --tls-key';
    for (const option of `${engineOptions} --bucket-defaults`.split(' ')) {
      assert.ok(engine.stdout.includes(option), option);
    }
  });

  it('tells an old Node what is needed, whatever that Node can read', async (t) => {
    const old = findOldNode();
    if (old === undefined) return t.skip('There is no Node below 24 on this machine.');
    const ran = spawnSync(old, [fileURLToPath(new URL('../../packages/cli/src/stowage.js', import.meta.url))]);
    assert.equal(ran.status, 2, String(ran.stderr));
    assert.match(String(ran.stderr), /^stowage needs Node 24 or newer, and this is v\d+.*\n.*npm start/);
  });

  it('prints its version', async () => {
    const { status, stdout } = await runCommand(['--version']);
    assert.equal(status, 0);
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  });

  const refused: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['an unknown command', ['strat'], /unknown command 'strat'/],
    ['an unknown option', ['start', '--prot', '1'], /unknown option '--prot'/],
    ['an argument too many', ['engine', 'here'], /too many arguments/],
    ['a port that is none', ['start', '--port', '70000'], /"70000" is not a port: give a number/],
    ['workers that are no number', ['engine', '--workers', 'many'], /"many" is not a number of workers: give 1 to 64/],
    ['workers in memory', ['engine', '--workers', '2', '--durability', 'memory'], /--workers 2 needs a data folder/],
    ['a lifecycle day', ['engine', '--lifecycle-day', '10'], /lifecycle rules are not built/],
    ['an unknown durability', ['engine', '--durability', 'fast'], /"fast" is not a durability: give strict/],
    ['half of TLS', ['engine', '--tls-cert', 'a.pem', '--port', '0'], /both --tls-cert and --tls-key/],
    ['a missing accounts file', ['engine', '--accounts', '/nowhere', '--port', '0'], /no such file/],
  ];
  for (const [what, args, message] of refused) {
    it(`refuses ${what} with exit status 2`, async () => {
      const { status, stdout, stderr } = await runCommand(args);
      assert.equal(status, 2, stderr);
      assert.match(stderr, message);
      assert.equal(stdout, '');
    });
  }

  it('reports everything wrong in the environment at once, without repeating a secret', async () => {
    const { status, stderr } = await runCommand(['start'], {
      STOWAGE_PORT: 'eighty',
      STOWAGE_LOG_LEVEL: 'loud',
      STOWAGE_ACCESS_KEY_ID: 'abc',
      STOWAGE_SECRET_ACCESS_KEY: 'hunter2',
    });
    assert.equal(status, 2);
    assert.match(stderr, /STOWAGE_PORT: "eighty" came; expected a port/);
    assert.match(stderr, /STOWAGE_LOG_LEVEL: "loud" came; expected one of/);
    assert.match(stderr, /STOWAGE_SECRET_ACCESS_KEY: 7 characters came; expected 8 to 128/);
    assert.doesNotMatch(stderr, /hunter2/);
  });

  it('reports everything wrong in the accounts file at once, without repeating a secret', async () => {
    const accounts = join(folder, 'accounts.json');
    const first = { id: '1', displayName: 'one', accessKeyId: 'A', secretAccessKey: 'hunter2', colour: 'red' };
    const second = { id: '', displayName: 2, root: 'yes', accessKeyId: 'A', secretAccessKey: 's' };
    await writeFile(accounts, JSON.stringify({ accounts: [first, second, 'three'] }));
    const { status, stderr } = await runCommand(['engine', '--port', '0', '--accounts', accounts]);
    assert.equal(status, 2);
    assert.match(stderr, /accounts\[0\]\.colour: unknown/);
    assert.match(stderr, /accounts\[1\]\.id: expected text of 1 to 256 characters, found empty text/);
    assert.match(stderr, /accounts\[1\]\.displayName: .* found a number/);
    assert.match(stderr, /accounts\[1\]\.root: expected true or false/);
    assert.match(stderr, /accounts\[2\]: expected an object/);
    assert.doesNotMatch(stderr, /hunter2/);
  });

  it('says when the data folder cannot be made', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    const { status, stderr } = await runCommand(['engine', '--port', '0', '--data', join(file, 'data')]);
    assert.equal(status, 4, stderr);
    assert.match(stderr, /cannot be made: a file stands in its way/);
  });
});

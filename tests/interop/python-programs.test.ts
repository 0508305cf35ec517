// boto3 and the AWS CLI with their default settings, as real programs against a real endpoint.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Engine } from '@stowage/engine';
import { findAwsCli, findPython } from '../../scripts/system-programs.ts';
import { patternBytes, useEngine } from './engine-fixture.ts';

const run = promisify(execFile);

function environment(engine: Engine, folder: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    HOME: folder,
    AWS_ACCESS_KEY_ID: engine.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: engine.credentials.secretAccessKey,
    AWS_DEFAULT_REGION: engine.region,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

async function useFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'stowage-interop-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

it('boto3 does all of it', async (t) => {
  const python = await findPython();
  if (!python.found) return t.skip(python.reason);
  const engine = await useEngine(t);
  const folder = await useFolder(t);
  const script = fileURLToPath(new URL('./boto3-program.py', import.meta.url));
  const { stdout } = await run(python.path, [script, engine.endpoint, folder], { env: environment(engine, folder) });
  assert.match(stdout, /all well\n$/);
});

it('the AWS CLI copies, lists, moves, synchronises, presigns and removes', async (t) => {
  const cli = await findAwsCli();
  if (!cli.found) return t.skip(cli.reason);
  const engine = await useEngine(t);
  const folder = await useFolder(t);
  const aws = async (...parameters: string[]): Promise<string> => {
    const all = [...cli.args, '--endpoint-url', engine.endpoint, 's3', ...parameters];
    return (await run(cli.path, all, { env: environment(engine, folder), cwd: folder })).stdout;
  };
  const bytes = patternBytes(17_000_001);
  await writeFile(join(folder, 'large.bin'), bytes);
  await mkdir(join(folder, 'tree/deep'), { recursive: true });
  await writeFile(join(folder, 'tree/a b.txt'), 'a');
  await writeFile(join(folder, 'tree/deep/ü+c.txt'), 'b');

  await aws('mb', 's3://cli');
  await aws('cp', 'large.bin', 's3://cli/large.bin', '--no-progress');
  await aws('cp', 's3://cli/large.bin', 'back.bin', '--no-progress');
  assert.deepEqual(await readFile(join(folder, 'back.bin')), bytes);
  await aws('sync', 'tree', 's3://cli/tree', '--no-progress');
  const listed = await aws('ls', 's3://cli', '--recursive');
  assert.deepEqual(
    listed
      .trim()
      .split('\n')
      .map((line) => line.replace(/^\S+ \S+ +/, '')),
    ['17000001 large.bin', '1 tree/a b.txt', '1 tree/deep/ü+c.txt'],
  );
  assert.match(await aws('ls', 's3://cli/'), /PRE tree\//);
  assert.equal(await aws('sync', 'tree', 's3://cli/tree', '--no-progress'), '', 'nothing is left to do');
  // Above the threshold this copies in parts, and reads the source's tags and attributes on the way.
  await aws('mv', 's3://cli/large.bin', 's3://cli/moved.bin', '--no-progress');
  await aws('sync', 's3://cli/tree', 'tree-back', '--no-progress');
  assert.equal(await readFile(join(folder, 'tree-back/deep/ü+c.txt'), 'utf8'), 'b');
  const url = (await aws('presign', 's3://cli/tree/a b.txt')).trim();
  const got = await fetch(url);
  assert.deepEqual([got.status, await got.text()], [200, 'a']);
  const altered = await fetch(url.replace('a%20b', 'deep'));
  assert.equal(altered.status, 403);
  await altered.text();
  await aws('rm', 's3://cli/tree', '--recursive');
  assert.match(await aws('ls', 's3://cli', '--recursive'), /^\S+ \S+ +17000001 moved.bin\n$/);
  await aws('rb', 's3://cli', '--force');
  assert.equal(await aws('ls'), '');
});

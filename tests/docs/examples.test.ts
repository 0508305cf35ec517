// What documents show works as it stands there: TypeScript compiles and runs, and the walk by curl goes from key to download.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Engine, startEngine } from '@stowage/engine';
import { type RunningFileService, startFileService } from '@stowage/files';
import { commandPath } from '../../scripts/command-path.ts';
import { cleanEnvironment } from '../../scripts/serving/start-server.ts';
import { type DocumentBlock, readBlocks } from './document-blocks.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** The address that documents name; the service of this test stands for it. */
const documentedUrl = 'http://127.0.0.1:3000';
const timeoutMs = 120_000;
const blocks = await readBlocks(root);
const typeScript = blocks.filter(({ language }) => language === 'ts' || language === 'tsx');
const shell = blocks.filter(({ language, text }) => language === 'sh' && /\b(curl|call|TOKEN)\b/.test(text));

const nameOf = ({ path, line, language }: DocumentBlock): string => `${path.replaceAll('/', '-')}-${line}.${language}`;

describe('examples in documents', { timeout: 240_000 }, () => {
  let folder = '';
  let engine: Engine;
  let service: RunningFileService;
  let apiKey = '';

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stowage-examples-'));
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction');
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    await writeFile(join(folder, 'hello.txt'), 'Hello.\n');
    engine = await startEngine();
    const { endpoint, region, credentials } = engine;
    service = await startFileService({
      s3: { endpoint, region, credentials, bucket: 'examples', forcePathStyle: true },
      endpoint: { kind: 'engine', probing: 'forbidden' },
      database: { path: join(folder, 'files.sqlite') },
      secret: new Uint8Array(32).fill(1),
      port: 0,
    });
    apiKey = await makeKey(service);
    for (const block of typeScript) {
      await writeFile(join(folder, nameOf(block)), block.text.replaceAll(documentedUrl, service.url));
    }
  });
  after(async () => {
    await service.close();
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('TypeScript compiles under the settings of the repository', async () => {
    const configuration = {
      extends: join(root, 'tsconfig.base.json'),
      compilerOptions: {
        lib: ['es2024', 'esnext.disposable', 'dom', 'dom.iterable'],
        types: ['node'],
        jsx: 'react-jsx',
        moduleDetection: 'force',
        // An example may show a value and leave it at that.
        noUnusedLocals: false,
      },
      files: typeScript.map(nameOf),
    };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(configuration));
    const { status, output } = await runProgram({
      file: process.execPath,
      args: [commandPath('typescript', 'tsc'), '-p', folder],
      cwd: folder,
    });
    assert.equal(output, '');
    assert.equal(status, 0);
    assert.ok(typeScript.length >= 12, `${typeScript.length} examples`);
  });

  for (const block of typeScript.filter(({ language }) => language === 'ts')) {
    it(`${block.path}:${block.line} runs`, async () => {
      const cwd = await mkdtemp(join(folder, 'run-'));
      const { status, output } = await runProgram({
        file: process.execPath,
        // The one that wants an argument wants a file.
        args: [join(folder, nameOf(block)), join(folder, 'hello.txt')],
        cwd,
        environment: { STOWAGE_API_KEY: apiKey, PORT: '0' },
        // One that serves says where, and serves until it is told to end.
        interruptAt: /#token=/,
      });
      assert.equal(status, 0, output);
    });
  }

  for (const [document, heading] of [
    ['docs/file-service.md', 'By curl'],
    ['README.md', 'An upload that resumes'],
  ]) {
    it(`${document}, “${heading}”: every command works`, async (t) => {
      const curl = await runProgram({ file: 'curl', args: ['--help', 'all'], cwd: folder });
      const jq = await runProgram({ file: 'jq', args: ['--version'], cwd: folder });
      if (!curl.output.includes('--json') || jq.status !== 0) return t.skip('curl 7.82 or later and jq are needed');
      const cwd = join(folder, `${document}-shell`.replaceAll('/', '-'));
      await mkdir(cwd);
      const token = await service.service.issueSignInToken();
      const script = shell
        .filter((block) => block.path === document && block.heading === heading)
        .map(({ text }) => text.replaceAll(documentedUrl, service.url).replaceAll('…', token))
        .join('\n');
      const { status, output } = await runProgram({
        file: 'bash',
        args: ['-euo', 'pipefail', '-c', script],
        cwd,
      });
      assert.equal(status, 0, `${script}\n${output}`);
      assert.match(output, heading === 'By curl' ? /\}ready\n/ : /"secret":"sk_/);
      if (heading !== 'By curl') return;
      assert.equal(await readFile(join(cwd, 'copy.txt'), 'utf8'), 'Hello.\n');
      assert.match(output, /"parts":\[\{"partNumber":1,.*"partNumber":3,.*"state":"uploaded"/s);
    });
  }
});

async function makeKey(service: RunningFileService): Promise<string> {
  const post = (path: string, body: object, cookie = ''): Promise<Response> =>
    fetch(`${service.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie },
      body: JSON.stringify(body),
    });
  const session = await post('/v1/session', { token: await service.service.issueSignInToken() });
  const key = await post('/v1/keys', { name: 'examples' }, session.headers.get('set-cookie')?.split(';')[0]);
  return String(Reflect.get(Object(await key.json()), 'secret'));
}

interface ProgramRun {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Sends SIGINT, once, when this was printed. */
  readonly interruptAt?: RegExp;
}

/** Runs a program to its end; 127 when there is none of that name. */
function runProgram({ file, args, cwd, environment = {}, interruptAt }: ProgramRun): Promise<{
  readonly status: number | null;
  readonly output: string;
}> {
  const clean = cleanEnvironment();
  const path = [dirname(process.execPath), clean.PATH ?? ''].join(delimiter);
  return new Promise((resolve) => {
    const env = { ...clean, PATH: path, ...environment };
    const child = execFile(
      file,
      args,
      { cwd, env, timeout: timeoutMs, killSignal: 'SIGKILL' },
      (error, stdout, stderr) =>
        resolve({ status: error === null ? 0 : (child.exitCode ?? 127), output: stdout + stderr }),
    );
    let printed = '';
    let interrupted = false;
    child.stdout?.on('data', (text: string) => {
      printed += text;
      if (interrupted || interruptAt?.test(printed) !== true) return;
      interrupted = true;
      child.kill('SIGINT');
    });
  });
}

// A PostgreSQL server for tests, from Debian's package or PATH: on a free port of loopback, its data in a temporary folder,
// shared by all tests of one process and ended with it. Each test takes a database of its own.
//   const postgres = await startPostgres();
//   if (!postgres.found) return t.skip(postgres.reason);
//   const url = await postgres.createDatabase();

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { access, chmod, chown, mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { freePort } from '../../scripts/serving/free-port.ts';

type PostgresServer =
  | {
      readonly found: true;
      /** The URL of a new, empty database, owned by a role that row-level security binds. */
      createDatabase(): Promise<string>;
    }
  | { readonly found: false; readonly reason: string };

const run = promisify(execFile);
const startTimeoutMs = 30_000;
const superuser = 'stowage_admin';
/** What the service is: an ordinary role. Superusers pass by row-level security. */
const serviceRole = 'stowage';

let starting: Promise<PostgresServer> | undefined;

export function startPostgres(): Promise<PostgresServer> {
  starting ??= start({ durable: false });
  return starting;
}

/** One that keeps what it has acknowledged, as every real one does: for benches. Ended with the process. */
export function startDurablePostgres(): Promise<PostgresServer> {
  return start({ durable: true });
}

async function start({ durable }: { readonly durable: boolean }): Promise<PostgresServer> {
  const programs = await findPrograms();
  if (programs === undefined) {
    return { found: false, reason: 'PostgreSQL is not installed (Debian: apt-get install postgresql)' };
  }
  const identity = await unprivileged();
  if (identity === 'missing') {
    return { found: false, reason: 'PostgreSQL refuses to run as root, and there is no user postgres' };
  }
  const folder = await mkdtemp(join(tmpdir(), 'stowage-postgres-'));
  if (identity !== undefined) await chown(folder, identity.uid, identity.gid);
  await chmod(folder, 0o700);
  const data = join(folder, 'data');
  const init = ['-D', data, '-U', superuser, '--auth=trust', '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync'];
  await run(join(programs, 'initdb'), init, { ...identity, cwd: folder });
  const port = await freePort();
  const settings = [
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${folder}`,
    ...(durable ? ['shared_buffers=512MB'] : ['fsync=off']),
    'max_connections=200',
  ];
  const server = spawn(
    join(programs, 'postgres'),
    ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])],
    { ...identity, cwd: folder, stdio: 'ignore' },
  );
  server.unref();
  process.once('exit', () => {
    // SIGQUIT: it ends at once, and what it held is thrown away with its folder.
    server.kill('SIGQUIT');
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  });
  const { default: pg } = await import('pg');
  const admin = { host: '127.0.0.1', port, user: superuser };
  await untilReady(server, async () => {
    const client = new pg.Client({ ...admin, database: 'postgres' });
    await client.connect();
    await client.query(`DO $$ BEGIN CREATE ROLE ${serviceRole} LOGIN; EXCEPTION WHEN duplicate_object THEN END $$`);
    await client.end();
  });
  let count = 0;
  return {
    found: true,
    createDatabase: async () => {
      count += 1;
      const name = `test_${process.pid}_${count}`;
      const client = new pg.Client({ ...admin, database: 'postgres' });
      await client.connect();
      try {
        await client.query(`CREATE DATABASE ${name} OWNER ${serviceRole}`);
      } finally {
        await client.end();
      }
      return `postgres://${serviceRole}@127.0.0.1:${port}/${name}`;
    },
  };
}

/** The folder of `initdb` and `postgres`: Debian keeps them away from PATH. */
async function findPrograms(): Promise<string | undefined> {
  const debian = '/usr/lib/postgresql';
  const versions = await readdir(debian).catch(() => []);
  const folders = versions
    .sort((one, other) => Number(other) - Number(one))
    .map((version) => join(debian, version, 'bin'))
    .concat((process.env.PATH ?? '').split(delimiter));
  for (const folder of folders) {
    const there = await access(join(folder, 'initdb')).then(
      () => true,
      () => false, // not in this one
    );
    if (there) return folder;
  }
  return undefined;
}

/** As whom to run it; `undefined`: as this process's own user. */
async function unprivileged(): Promise<{ readonly uid: number; readonly gid: number } | 'missing' | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((row) => row.startsWith('postgres:'));
  if (line === undefined) return 'missing';
  const [, , uid, gid] = line.split(':');
  return { uid: Number(uid), gid: Number(gid) };
}

async function untilReady(server: ChildProcess, attempt: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (server.exitCode !== null)
        throw new Error(`PostgreSQL ended with ${server.exitCode} at its start.`, { cause: error });
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

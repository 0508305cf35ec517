// A throw-away Ceph cluster on this machine: one monitor, some OSDs (BlueStore in files) and one gateway, without systemd
// or containers, all on 127.0.0.1 and with everything in one folder. What Stowage is measured beside, and what its file
// service is tried on. Debian: ceph-mon ceph-osd radosgw ceph-common. Processes are ended by the pids that were started.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';

const run = promisify(execFile);

const programs = ['ceph', 'ceph-mon', 'ceph-osd', 'monmaptool', 'radosgw', 'radosgw-admin'] as const;
const osdBytes = 8 * 1024 ** 3;
const readyTimeoutMs = 90_000;
const commandTimeoutMs = 60_000;
const stopTimeoutMs = 10_000;
const pollMs = 100;
/** Its daemons put sockets into the folder, and the name of one has at most 107 bytes. */
const maxFolderCharacters = 80;

interface CephCluster {
  /** Of the gateway. */
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Of all daemons. */
  readonly pids: readonly number[];
  /** Ends one OSD at once, as a crash would. */
  killOsd(number: number): Promise<void>;
  /** Ends all daemons; the folder stays. */
  stop(): Promise<void>;
}

/** Why no cluster can be started on this machine; `undefined` when one can. */
export async function missingCephPrograms(): Promise<string | undefined> {
  for (const name of programs) {
    try {
      await access(`/usr/bin/${name}`);
    } catch {
      return `${name} is not installed (Debian: ceph-mon ceph-osd radosgw ceph-common)`;
    }
  }
  return undefined;
}

/** Takes about ten seconds. The folder must be new. */
export async function startCephCluster(options: {
  readonly directory: string;
  /** Default 1. */
  readonly osds?: number;
  /** Copies of each object; default 1, and so many as must live for a write. */
  readonly copies?: number;
}): Promise<CephCluster> {
  const { directory, osds = 1, copies = 1 } = options;
  if (directory.length > maxFolderCharacters) {
    throw new Error(`The folder of a Ceph cluster has at most ${maxFolderCharacters} characters, not ${directory}.`);
  }
  const credentials = { accessKeyId: 'ceph-access-key', secretAccessKey: 'ceph-secret-key' };
  const cluster = new Cluster(directory);
  try {
    const [monitorPort, gatewayPort] = [await freePort(), await freePort()];
    for (const folder of ['run', 'log', 'mon', 'rgw']) await mkdir(join(directory, folder), { recursive: true });
    const fsid = randomUUID();
    await writeFile(cluster.configuration, configurationText({ directory, fsid, monitorPort, gatewayPort, copies }));
    await cluster.startMonitor({ fsid, port: monitorPort });
    await Promise.all(Array.from({ length: osds }, (_, number) => cluster.makeOsd(number)));
    for (let number = 0; number < osds; number += 1) await cluster.startOsd(number);
    await until('its OSDs', async () => (await cluster.osdsUp()) === osds);
    const user = ['user', 'create', '--uid=stowage', '--display-name=Stowage'];
    const keys = [`--access-key=${credentials.accessKeyId}`, `--secret-key=${credentials.secretAccessKey}`];
    await cluster.command('radosgw-admin', [...user, ...keys]);
    const endpoint = `http://127.0.0.1:${gatewayPort}`;
    cluster.start('gateway', 'radosgw', ['-n', 'client.rgw.a', '-f']);
    await until('its gateway', async () => (await fetch(endpoint)).ok);
    return {
      endpoint,
      credentials,
      pids: cluster.pids(),
      killOsd: (number) => cluster.end(`osd-${number}`, 'SIGKILL'),
      stop: () => cluster.stop(),
    };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

interface Daemon {
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
}

class Cluster {
  readonly configuration: string;
  readonly #directory: string;
  readonly #daemons = new Map<string, Daemon>();

  constructor(directory: string) {
    this.#directory = directory;
    this.configuration = join(directory, 'ceph.conf');
  }

  async command(program: (typeof programs)[number], args: readonly string[]): Promise<string> {
    const { stdout } = await run(program, ['-c', this.configuration, ...args], { timeout: commandTimeoutMs });
    return stdout;
  }

  start(name: string, program: (typeof programs)[number], args: readonly string[]): void {
    const output = openSync(join(this.#directory, 'log', `${name}.out`), 'a');
    const child = spawn(program, ['-c', this.configuration, ...args], { stdio: ['ignore', output, output] });
    closeSync(output);
    // Nobody has to wait for it who does not ask for its end.
    child.unref();
    const ended = new Promise<void>((resolve) => {
      child.on('error', () => resolve());
      child.on('exit', () => resolve());
    });
    this.#daemons.set(name, { child, ended });
  }

  async startMonitor({ fsid, port }: { readonly fsid: string; readonly port: number }): Promise<void> {
    // A map of its own: from the configuration alone the monitor would take another name, and the default ports.
    const map = join(this.#directory, 'mon', 'map');
    const create = ['--create', '--clobber', '--fsid', fsid, '--enable-all-features'];
    await run('monmaptool', [...create, '--addv', 'a', `[v2:127.0.0.1:${port}]`, map], { timeout: commandTimeoutMs });
    await this.command('ceph-mon', ['-i', 'a', '--mkfs', '--monmap', map]);
    this.start('monitor', 'ceph-mon', ['-i', 'a', '-f']);
  }

  async makeOsd(number: number): Promise<void> {
    const folder = join(this.#directory, `osd${number}`);
    const uuid = randomUUID();
    await mkdir(folder);
    await this.command('ceph-osd', ['-i', String(number), '--mkfs', '--no-mon-config', '--osd-uuid', uuid]);
    await this.command('ceph', ['--connect-timeout', '20', 'osd', 'new', uuid, String(number)]);
  }

  async startOsd(number: number): Promise<void> {
    this.start(`osd-${number}`, 'ceph-osd', ['-i', String(number), '-f']);
  }

  async osdsUp(): Promise<number> {
    const text = await this.command('ceph', ['--connect-timeout', '20', 'osd', 'stat', '-f', 'json']);
    return Number(/"num_up_osds":(\d+)/.exec(text)?.[1] ?? 0);
  }

  pids(): number[] {
    return [...this.#daemons.values()].flatMap(({ child }) => (child.pid === undefined ? [] : [child.pid]));
  }

  async end(name: string, signal: NodeJS.Signals): Promise<void> {
    const daemon = this.#daemons.get(name);
    if (daemon === undefined) throw new Error(`There is no ${name} in this cluster.`);
    if (daemon.child.exitCode === null && daemon.child.signalCode === null) daemon.child.kill(signal);
    const timer = setTimeout(() => daemon.child.kill('SIGKILL'), stopTimeoutMs);
    await daemon.ended;
    clearTimeout(timer);
    this.#daemons.delete(name);
  }

  /** The gateway first: it would wait for the others. Their state is thrown away, so nothing has to be put in order. */
  async stop(): Promise<void> {
    for (const name of [...this.#daemons.keys()].reverse()) await this.end(name, 'SIGKILL');
  }
}

async function until(what: string, test: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + readyTimeoutMs;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      if (await test()) return;
    } catch (error) {
      last = error; // Not yet.
    }
    await sleep(pollMs);
  }
  throw new Error(`Ceph: ${what} did not come up within ${readyTimeoutMs / 1000} s.`, { cause: last });
}

function configurationText(of: {
  readonly directory: string;
  readonly fsid: string;
  readonly monitorPort: number;
  readonly gatewayPort: number;
  readonly copies: number;
}): string {
  const { directory, fsid, monitorPort, gatewayPort, copies } = of;
  return `[global]
fsid = ${fsid}
mon host = [v2:127.0.0.1:${monitorPort}]
mon initial members = a
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
auth cluster required = none
auth service required = none
auth client required = none
run dir = ${directory}/run
admin socket = ${directory}/run/$name.asok
pid file =
crash dir = ${directory}/log
log file = ${directory}/log/$name.log
mon cluster log file = ${directory}/log/cluster.log
debug ms = 0
osd pool default size = ${copies}
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 2000

[mon]
mon data = ${directory}/mon/data-$id
paxos propose interval = 0.05
paxos min wait = 0.01
mon osd min down reporters = 1
mon osd reporter subtree level = osd
mon osd down out interval = 0
mon data avail warn = 1
mon data avail crit = 0
mon warn on insecure global id reclaim = false
mon warn on insecure global id reclaim allowed = false
mon warn on pool no redundancy = false

[osd]
osd data = ${directory}/osd$id
osd objectstore = bluestore
osd crush initial weight = 1
osd heartbeat interval = 1
osd heartbeat grace = 4
osd memory target = 939524096
osd class update on start = false
bluestore block size = ${osdBytes}
bluestore block create = true
bluestore fsck on mount = false
bluestore fsck on mkfs = false

[client.rgw.a]
rgw frontends = beast endpoint=127.0.0.1:${gatewayPort}
rgw data = ${directory}/rgw
keyring = /dev/null
ms mon client mode = crc
rgw dynamic resharding = false
rgw thread pool size = 64
`;
}

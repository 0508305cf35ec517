// node bench/slow-connections.ts: what thousands of clients cost that upload slowly, all at once: the engine's memory while
// each of them has sent a part of a large body and goes on by a little every second, and how long a quick client's PUT and
// GET take meanwhile.
//   --connections N    default 9,900 (the engine takes 10,000)

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readOptions } from '../scripts/script-options.ts';
import { BodyClient, demand } from './bodies/body-client.ts';
import { type BodyServer, startEngineProcess } from './bodies/body-server.ts';
import { residentMemory } from './process-usage.ts';

const kib = 1024;
const bodyBytes = 8 * kib * kib;
const firstBytes = randomBytes(100 * kib);
const stepBytes = firstBytes.subarray(0, 2 * kib);
const openedAtOnce = 200;
const seconds = 10;

const { values } = readOptions(import.meta, { connections: { type: 'number', default: 9900 } });
const directory = await mkdtemp(join(tmpdir(), 'stowage-slow-'));
try {
  const server = await startEngineProcess(join(directory, 'data'));
  const sockets: Socket[] = [];
  try {
    console.log(`no connection: ${describe(server)}`);
    const client = new BodyClient(server);
    for (const share of [0.1, 0.5, 1]) {
      const wanted = Math.floor(values.connections * share);
      while (sockets.length < wanted) {
        const count = Math.min(openedAtOnce, wanted - sockets.length);
        sockets.push(
          ...(await Promise.all(Array.from({ length: count }, () => begin(server, client, sockets.length)))),
        );
      }
      const latencies = await trickle(client, sockets);
      const alive = sockets.filter((socket) => !socket.destroyed).length;
      console.log(
        `${alive} connections: ${describe(server)}; a PUT and a GET of 1 MiB beside them: median ${latencies} ms`,
      );
    }
  } finally {
    for (const socket of sockets) socket.destroy();
    await delay(1000);
    console.log(`all gone: ${describe(server)}`);
    await server.stop();
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}

async function begin(server: BodyServer, client: BodyClient, number: number): Promise<Socket> {
  const { hostname, port } = new URL(server.endpoint);
  const socket = connect({ host: hostname, port: Number(port) });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => socket.destroy());
  socket.resume();
  socket.write(client.head('PUT', `slow/${number}`, { lengthBytes: bodyBytes }));
  socket.write(firstBytes);
  return socket;
}

/** Has everyone send a little each second; the median of how long the quick client waited, for both its requests. */
async function trickle(client: BodyClient, sockets: readonly Socket[]): Promise<string> {
  const body = randomBytes(kib * kib);
  const [connection] = await client.open(1);
  if (connection === undefined) throw new Error('There is no connection.');
  const latencies: number[] = [];
  for (let second = 0; second < seconds; second += 1) {
    for (const socket of sockets) socket.write(stepBytes);
    const began = performance.now();
    await demand(connection, client.head('PUT', 'quick', { lengthBytes: body.length }), body, { status: 200 });
    await demand(connection, client.head('GET', 'quick'), undefined, { status: 200, bodyBytes: body.length });
    latencies.push(performance.now() - began);
    await delay(1000);
  }
  connection.close();
  return (latencies.toSorted((a, b) => a - b)[seconds >> 1] ?? 0).toFixed(0);
}

function describe(server: BodyServer): string {
  const memory = residentMemory(server.pid);
  return `${((memory?.residentBytes ?? 0) / 1e6).toFixed(0)} MB resident`;
}

// An engine that may open no more files, because idle connections hold them: it may refuse what it is asked for, and is as
// good as before once they have gone. Nothing that it lacks for a while says that the disk has failed.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer } from '../../scripts/serving/start-server.ts';
import { HttpBucket } from './http-bucket.ts';

const maxFiles = 120;
const heldConnections = 200;

describe('an engine without file descriptors', () => {
  it('takes writes again when it has some', async (context) => {
    const root = await mkdtemp(join(tmpdir(), 'stowage-descriptors-'));
    const server = await startServer({ args: ['engine', '--port', '0', '--data', join(root, 'data')] });
    const sockets: Socket[] = [];
    try {
      try {
        execFileSync('prlimit', ['--pid', String(server.pid), `--nofile=${maxFiles}:${maxFiles}`], { stdio: 'ignore' });
      } catch {
        context.skip('NOT RUN: prlimit is not there, or may not be used: a lack of descriptors was not tried');
        return;
      }
      const { endpoint, credentials } = server;
      const bucket = new HttpBucket({ endpoint, credentials, name: 'bucket' });
      assert.equal((await bucket.create()).status, 200);
      const large = Buffer.alloc(3_000_000, 1);
      assert.equal((await bucket.put('large', large)).status, 200);
      const { hostname, port } = new URL(endpoint);
      for (let count = 0; count < heldConnections; count += 1) {
        const socket = connect(Number(port), hostname);
        socket.on('error', () => undefined); // the engine cannot take all of them
        sockets.push(socket);
      }
      await sleep(500);
      for (const work of [
        () => bucket.put('small', Buffer.from('x')),
        () => bucket.put('large', large),
        () => bucket.delete('large'),
      ]) {
        // No connection may be had at all, or an answer that it is to be tried again.
        const answer = await work().catch(() => undefined);
        if (answer !== undefined) assert.ok([200, 204, 503].includes(answer.status), `${answer.status} ${answer.code}`);
      }
      for (const socket of sockets) socket.destroy();
      await sleep(500);
      assert.equal((await bucket.put('small', Buffer.from('again'))).status, 200);
      assert.equal((await bucket.put('large', large)).status, 200);
      assert.equal((await bucket.delete('large')).status, 204);
      const health = await fetch(`${endpoint}/_stowage/health`);
      assert.equal(health.status, 200, await health.text());
    } finally {
      for (const socket of sockets) socket.destroy();
      await server.stop();
      await rm(root, { recursive: true });
    }
  });
});

// The load must notice a fast wrong server: each server here answers at once, and wrongly.

import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { after, before, describe, it } from 'node:test';
import type { PlannedRequest, RequestsPlan } from '../../bench/load/load-plan.ts';
import { LoadProcesses } from '../../bench/load/load-processes.ts';
import { Payloads } from '../../bench/load/payloads.ts';

const sizeBytes = 4096;
const payloads = new Payloads(sizeBytes);

describe('the load of the bench', () => {
  let load: LoadProcesses;
  before(() => {
    load = LoadProcesses.start(2);
  });
  after(() => load.close());

  const get: PlannedRequest = {
    method: 'GET',
    target: '/bucket/key',
    statuses: [200],
    sizeBytes,
    receives: payloads.whole(3),
    etag: payloads.etag(3),
  };
  const right = (response: ServerResponse): void => {
    response.writeHead(200, { etag: `"${payloads.etag(3)}"`, 'content-length': sizeBytes });
    response.end(payloads.bytes(payloads.whole(3)));
  };

  it('counts right answers, from several processes and connections', async () => {
    const measured = await loadOn((_request, response) => right(response), get);
    assert.ok(measured.operations > 8, `${measured.operations} operations`);
    assert.equal(measured.bytes, measured.operations * sizeBytes);
    assert.ok(measured.p50Ms > 0 && measured.p99Ms >= measured.p50Ms);
  });

  it('sends the bytes that were planned', async () => {
    const put: PlannedRequest = { method: 'PUT', target: '/bucket/key', statuses: [200], sends: payloads.whole(5) };
    await loadOn((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const same = Buffer.concat(chunks).equals(payloads.bytes(payloads.whole(5)));
        response.writeHead(same ? 200 : 400, { 'content-length': 0 });
        response.end();
      });
    }, put);
  });

  it('refuses another status, and says what the server said', async () => {
    const refuses = (_request: IncomingMessage, response: ServerResponse): void => {
      response.writeHead(503, { 'content-length': 8 });
      response.end('SlowDown');
    };
    await assert.rejects(loadOn(refuses, get), /status 503 instead of 200.*SlowDown/s);
  });

  it('refuses a body of another length', async () => {
    const short = (_request: IncomingMessage, response: ServerResponse): void => {
      response.writeHead(200, { etag: `"${payloads.etag(3)}"`, 'content-length': 5 });
      response.end('short');
    };
    await assert.rejects(loadOn(short, get), /a body of 5 bytes instead of 4096/);
  });

  it('refuses other bytes of the right length', async () => {
    const other = (_request: IncomingMessage, response: ServerResponse): void => {
      response.writeHead(200, { etag: `"${payloads.etag(3)}"`, 'content-length': sizeBytes });
      response.end(Buffer.alloc(sizeBytes));
    };
    await assert.rejects(loadOn(other, get), /other bytes than were put/);
  });

  it('refuses another ETag', async () => {
    const stale = (_request: IncomingMessage, response: ServerResponse): void => {
      response.writeHead(200, { etag: '"0"', 'content-length': sizeBytes });
      response.end(payloads.bytes(payloads.whole(3)));
    };
    await assert.rejects(loadOn(stale, get), /ETag 0 instead of/);
  });

  it('reads answers in chunks, and counts what they must contain', async () => {
    const page = (_request: IncomingMessage, response: ServerResponse): void => {
      response.write('<Key>a</Key>');
      setImmediate(() => response.end('<Key>b</Key>'));
    };
    const list = (times: number): PlannedRequest => ({
      method: 'GET',
      target: '/bucket?list-type=2',
      statuses: [200],
      contains: { text: '<Key>', atLeast: times, atMost: times },
    });
    assert.equal((await loadOn(page, list(2))).itemsPerOperation, 2);
    await assert.rejects(loadOn(page, list(3)), /<Key> 2 times instead of 3/);
  });

  async function loadOn(
    answer: (request: IncomingMessage, response: ServerResponse) => void,
    request: PlannedRequest,
  ): ReturnType<LoadProcesses['run']> {
    const server = createServer(answer);
    const port = await listen(server);
    const plan: RequestsPlan = {
      kind: 'requests',
      host: '127.0.0.1',
      port,
      connections: 8,
      durationMs: 100,
      payloadBytes: sizeBytes,
      requests: [request, request],
      repeat: true,
    };
    try {
      return await load.run(plan);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }
});

async function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

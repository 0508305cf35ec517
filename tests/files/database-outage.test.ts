// A database that goes away and comes back while the service runs: what is asked meanwhile is told so, and to come again; afterwards all
// goes on, with no restart. PostgreSQL behind a connection that is cut.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { startPostgres } from '../servers/postgres-server.ts';
import { readProblem, ServiceFixture, serviceOrigin } from './service-fixture.ts';

interface Line {
  readonly port: number;
  /** Ends all connections, and takes no more. */
  cut(): Promise<void>;
  mend(): Promise<void>;
}

/** A port of loopback that leads to another. */
async function startLine(t: TestContext, target: { readonly host: string; readonly port: number }): Promise<Line> {
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  let port = 0;
  async function mend(): Promise<void> {
    server = createServer((near) => {
      const far = connect(target);
      for (const socket of [near, far]) {
        sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
      }
      near.pipe(far).pipe(near);
    }).listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    assert.ok(address !== null && typeof address !== 'string');
    port = address.port;
  }
  async function cut(): Promise<void> {
    const closed = server === undefined ? undefined : once(server, 'close');
    server?.close();
    server = undefined;
    for (const socket of sockets) socket.destroy();
    await closed;
  }
  await mend();
  t.after(cut);
  return {
    get port() {
      return port;
    },
    cut,
    mend,
  };
}

test('while the database is away routes say so and when to come again; when it is back all goes on', async (t) => {
  const postgres = await startPostgres();
  if (!postgres.found) return t.skip(postgres.reason);
  const url = new URL(await postgres.createDatabase());
  const line = await startLine(t, { host: url.hostname, port: Number(url.port) });
  url.port = String(line.port);
  const service = await ServiceFixture.open(t, { database: { url: url.href } });
  const get = (path: string): Promise<Response> => service.send(new Request(`${serviceOrigin}${path}`));
  const { id } = await service.upload('before.txt', 'text/plain', Buffer.from('before'));
  const share = await service.call('createShare', { body: { fileId: id } });
  assert.equal((await get('/readyz')).status, 200);

  for (let round = 0; round < 2; round++) {
    await line.cut();
    const asked = {
      read: () => service.respond('listFiles'),
      write: () => service.respond('createFolder', { body: { name: 'New' } }),
      content: () => service.respond('getContent', { id }),
      upload: () => service.respond('createUpload', { body: { name: 'a', sizeBytes: 1 } }),
      key: () => service.respond('listFiles', { headers: { authorization: 'Bearer sk_of-nobody' } }),
      // People are told it on a page.
      share: () =>
        service.send(new Request(`${serviceOrigin}${share.url}`, { headers: { accept: 'application/json' } })),
      ready: () => get('/readyz'),
    };
    for (const [what, ask] of Object.entries(asked)) {
      const answer = await ask();
      assert.ok(Number(answer.headers.get('retry-after')) > 0, `${what}: ${answer.status}`);
      await readProblem('database-unavailable', answer);
    }
    assert.match(((await (await get('/readyz')).json()) as { detail: string }).detail, /database does not answer/);
    assert.equal((await get('/healthz')).status, 200);
    await assert.rejects(service.tick(), /database/);

    await line.mend();
    assert.equal((await get('/readyz')).status, 200);
    const name = `after ${round}.txt`;
    const after = await service.upload(name, 'text/plain', Buffer.from('after'));
    assert.equal((await service.download(after.id)).toString(), 'after');
    assert.equal((await service.download(id)).toString(), 'before');
  }

  // Cut off in the middle: each is done or told that the database is away, and nothing hangs.
  const many = Array.from({ length: 20 }, (_, index) =>
    service.respond('createFolder', { body: { name: `Folder ${index}` } }),
  );
  await line.cut();
  for (const answer of await Promise.all(many)) {
    if (answer.status !== 201) await readProblem('database-unavailable', answer);
  }
  await line.mend();
  await service.call('createFolder', { body: { name: 'Last' } });
});

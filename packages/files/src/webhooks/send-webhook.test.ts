// Where deliveries may go, whatever names stand for, and what names that nobody answers for hold up.

import assert from 'node:assert/strict';
import { lookup } from 'node:dns/promises';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startNameServer } from '../testing/name-server.ts';
import { findAddresses, type NameSources } from './find-addresses.ts';
import { type SendOutcome, sendWebhook } from './send-webhook.ts';

const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;

function send(
  url: string,
  {
    names,
    timeoutMs = 5_000,
    allowPrivate = false,
  }: { names: NameSources; timeoutMs?: number; allowPrivate?: boolean },
): Promise<SendOutcome> {
  const delivery = { eventId: 'e', body: '{}' };
  return sendWebhook({ url, delivery, secrets: [secret], nowMs: Date.now(), timeoutMs, allowPrivate, names });
}

async function hostsFile(t: TestContext, lines: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'stowage-hosts-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'hosts');
  await writeFile(path, lines.join('\n'));
  return path;
}

test('a name is told nothing when any address behind it is not public', async (t) => {
  const publicOnes = ['93.184.216.34', '2606:2800:220:1:248:1893:25c8:1946'];
  const hidden = [
    '10.0.0.1',
    '127.0.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '::1',
    '::7f00:1',
    '::ffff:10.0.0.1',
    '64:ff9b::a00:1',
    '64:ff9b:1::a00:1',
    '2002:a00:1::1',
    'fd00::1',
    'fe80::1',
    'fec0::1',
  ];
  const answers = Object.fromEntries(hidden.map((address, number) => [`n${number}.test`, [...publicOnes, address]]));
  const names = {
    servers: [await startNameServer(t, answers)],
    hostsPath: await hostsFile(t, ['10.1.1.1 inside.test']),
  };
  for (const [number, address] of hidden.entries()) {
    const outcome = await send(`https://n${number}.test/`, { names });
    assert.match('failure' in outcome ? outcome.failure : '', /leads into a private network/, address);
  }
  for (const host of ['inside.test', '[::7f00:1]', '[4000::1]']) {
    const outcome = await send(`https://${host}/`, { names });
    assert.match('failure' in outcome ? outcome.failure : '', /leads into a private network/, host);
  }
});

test('names come from the table of the machine first, then from name servers, whole', async (t) => {
  const names = { 'both.test': ['203.0.113.1', '203.0.113.2', '2001:db8::1'], 'six.test': ['2001:db8::2'] };
  const servers = [await startNameServer(t, names)];
  const hostsPath = await hostsFile(t, ['# 10.0.0.9 both.test', '::1 Table.Test', '127.0.0.2 other table.test # ours']);
  const find = (host: string): Promise<readonly string[]> =>
    findAddresses(host, { signal: AbortSignal.timeout(5_000), timeoutMs: 5_000, sources: { servers, hostsPath } });
  assert.deepEqual((await find('BOTH.test.')).toSorted(), names['both.test'].toSorted());
  assert.deepEqual(await find('six.test'), names['six.test']);
  assert.deepEqual(await find('table.test'), ['127.0.0.2', '::1']);
  assert.deepEqual(await find('localhost'), ['127.0.0.1', '::1']);
  assert.deepEqual(await find('nobody.none'), []);
});

test('where private addresses are allowed, names of the machine itself are told', async (t) => {
  const server = createServer((_request, response) => response.writeHead(204).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  t.after(() => server.close());
  // It listens on a port.
  const { port } = server.address() as AddressInfo;
  const names = { servers: [await startNameServer(t, {})], hostsPath: await hostsFile(t, ['127.0.0.1 hooks.intern']) };
  for (const host of ['localhost', 'hooks.intern', '127.0.0.1'])
    assert.deepEqual(await send(`http://${host}:${port}/`, { names, allowPrivate: true }), { status: 204 });
});

test('names that nobody answers for end in time, and keep nobody from theirs', async (t) => {
  const names = { servers: [await startNameServer(t, {})], hostsPath: await hostsFile(t, []) };
  const begunAtMs = performance.now();
  // As many as one tenant may have under way.
  const silent = Array.from({ length: 16 }, (_, number) =>
    send(`https://silent${number}.test/`, { names, timeoutMs: 1_500 }),
  );
  // Through the threads that all of the process shares.
  await lookup('localhost');
  const waitedMs = performance.now() - begunAtMs;
  const outcomes = await Promise.all(silent);
  const tookMs = performance.now() - begunAtMs;
  assert.ok(waitedMs < 1_000, `another lookup waited for ${waitedMs} ms`);
  assert.ok(tookMs < 10_000, `it took ${tookMs} ms`);
  for (const outcome of outcomes) assert.ok('failure' in outcome);
});

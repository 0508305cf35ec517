// Readers of archives who are slow: they hold connections to the bucket, and must not hold those of others, nor for ever.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FilesLimits } from '@stowage/files';
import { mib, numberedText, readProblem, ServiceFixture } from './service-fixture.ts';

const large = numberedText(8 * mib);

async function openWithFile(t: TestContext, limits: Partial<FilesLimits>) {
  const service = await ServiceFixture.open(t, { limits: { multipartThresholdBytes: 64 * mib, ...limits } });
  const { id } = await service.upload('large.txt', 'text/plain', large);
  return { service, ask: () => service.respond('getArchive', { query: { files: id } }) };
}

/** Reads the beginning, and then no more. */
async function beginToRead(response: Response): Promise<ReadableStreamDefaultReader<Uint8Array>> {
  assert.equal(response.status, 200);
  const reader = response.body?.getReader();
  assert.ok(reader);
  // The header of the entry comes by itself, before the bucket is asked.
  for (let readBytes = 0; readBytes < 1_000; ) readBytes += (await reader.read()).value?.byteLength ?? 0;
  return reader;
}

test('so many archives are sent at once, and who comes then is told when to come back', async (t) => {
  const { service, ask } = await openWithFile(t, { archiveConcurrency: 3, tenantArchiveConcurrency: 2 });
  const readers = [await beginToRead(await ask()), await beginToRead(await ask())];
  const refused = await ask();
  const retryAfter = Number(refused.headers.get('retry-after'));
  await readProblem('too-busy', refused);
  assert.ok(retryAfter > 0);
  assert.equal((await service.call('getUsage')).days.at(-1)?.downloads, 2, 'what was refused is in no books');
  await readers[0]?.cancel();
  await (await ask()).body?.cancel();
  // One that is read to its end leaves its place, too.
  await readers[1]?.cancel();
  for (let round = 0; round < 3; round++) assert.ok((await (await ask()).arrayBuffer()).byteLength > large.length);
});

test('readers who do not read on hold no connection that others need', async (t) => {
  const atOnce = 60;
  const { service, ask } = await openWithFile(t, { archiveConcurrency: atOnce, tenantArchiveConcurrency: atOnce });
  const readers = await Promise.all(Array.from({ length: atOnce }, async () => beginToRead(await ask())));
  const startedMs = performance.now();
  const { id } = await service.upload('small.txt', 'text/plain', Buffer.from('small'));
  assert.deepEqual(await service.download(id), Buffer.from('small'));
  assert.ok(performance.now() - startedMs < 5_000, 'others wait for readers of archives');
  await Promise.all(readers.map((reader) => reader.cancel()));
});

test('who reads too slowly is cut off, and leaves the place', async (t) => {
  const { ask } = await openWithFile(t, {
    archiveConcurrency: 1,
    tenantArchiveConcurrency: 1,
    archiveSlowMs: 200,
    archiveMinBytesPerSecond: 64 * 1024 * 1024,
  });
  const reader = await beginToRead(await ask());
  await sleep(600);
  await assert.rejects(async () => {
    while (!(await reader.read()).done);
  }, /bytes a second/);
  const next = await ask();
  assert.equal(next.status, 200);
  await sleep(600);
  await assert.rejects(next.arrayBuffer(), /bytes a second/, 'also one that was never read');
  await (await ask()).body?.cancel();
});

// Files judged by a real clamd: what is found is never handed out, and what could not be judged is not either, unless the policy says.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultLimits } from '@stowage/files';
import { openClamd } from '../../packages/files/src/scanning/clamd.ts';
import { eicar, eicarSignature, startClamd } from '../servers/clamd-server.ts';
import { hourMs, mib, minuteMs, numberedText, ServiceFixture } from './service-fixture.ts';

const text = (words: string): Buffer => Buffer.from(words);

test('what clamd finds is quarantined and cannot be fetched; the rest becomes ready, with who judged it', async (t) => {
  const clamd = await startClamd(t);
  if (!clamd.found) return t.skip(clamd.reason);
  for (const address of [clamd.tcp, clamd.socket]) {
    const service = await ServiceFixture.open(t, { clamd: { address } });
    const bad = await service.upload('invoice.txt', 'text/plain', text(`Dear reader, ${eicar}`));
    assert.equal(bad.state, 'quarantined');
    assert.match(bad.reason ?? '', new RegExp(`Malware was found: ${eicarSignature}`));
    await service.refused('wrong-state', 'getContent', { id: bad.id });
    await service.refused('wrong-state', 'createShare', { body: { fileId: bad.id } });
    const good = await service.upload('letter.txt', 'text/plain', numberedText(3 * mib));
    assert.equal(good.state, 'ready');
    assert.equal((await service.call('getFile', { id: good.fileId })).unscanned, undefined);
    const empty = await service.upload('empty.txt', 'text/plain', text(''));
    assert.equal(empty.state, 'ready');
    await service.service.close();
  }
});

test('a scanner that is away holds files back, or releases them marked after a while, as the policy says', async (t) => {
  const clamd = await startClamd(t);
  if (!clamd.found) return t.skip(clamd.reason);
  const service = await ServiceFixture.open(t, {
    clamd: { address: clamd.tcp },
    policies: { default: { scan: 'required' }, notes: { scan: 'when-available' }, raw: { scan: 'off' } },
  });
  await clamd.stop();
  const send = async (category: string): Promise<string> => {
    const upload = await service.call('createUpload', {
      body: { name: `${category}.txt`, sizeBytes: 4, category, contentType: 'text/plain' },
    });
    const { request } = upload;
    assert.ok(request);
    await fetch(request.url, { method: 'PUT', headers: request.headers, body: 'text' });
    await service.call('completeUpload', { id: upload.id });
    await service.tick();
    return upload.id;
  };
  const held = await send('default');
  const marked = await send('notes');
  const off = await send('raw');
  assert.equal(service.row(off).state, 'ready');
  for (const id of [held, marked]) assert.equal(service.row(id).state, 'scanning');
  await service.refused('wrong-state', 'getContent', { id: held });
  service.advance(61 * minuteMs);
  await service.tick();
  assert.equal(service.row(held).state, 'scanning', 'it waits for as long as it takes');
  assert.equal(service.row(marked).state, 'ready');
  service.advance(5 * hourMs);
  await clamd.start();
  await service.tick();
  assert.equal(service.row(held).state, 'ready');
});

test('an entry says why nothing judged its bytes', async (t) => {
  const service = await ServiceFixture.open(t, {});
  const { fileId } = await service.upload('letter.txt', 'text/plain', text('Dear reader'));
  assert.equal((await service.call('getFile', { id: fileId })).unscanned, 'no scanner is configured');
});

test('a file that is larger than clamd takes is not released by a policy that wants it judged', async (t) => {
  const clamd = await startClamd(t, { streamMaxBytes: mib });
  if (!clamd.found) return t.skip(clamd.reason);
  const service = await ServiceFixture.open(t, { clamd: { address: clamd.tcp } });
  const upload = await service.upload('large.txt', 'text/plain', numberedText(3 * mib));
  assert.equal(upload.state, 'scan-failed');
  assert.match(upload.reason ?? '', /StreamMaxLength/);
  await service.refused('wrong-state', 'getContent', { id: upload.id });
});

test('what clamd did not look at all of is neither clean nor malware', async (t) => {
  const clamd = await startClamd(t, { settings: [`MaxFileSize ${mib}`, 'AlertExceedsMax yes'] });
  if (!clamd.found) return t.skip(clamd.reason);
  const service = await ServiceFixture.open(t, {
    clamd: { address: clamd.tcp },
    policies: { default: { scan: 'required' }, notes: { scan: 'when-available' } },
  });
  const bytes = Buffer.concat([numberedText(2 * mib), text(eicar)]);
  const held = await service.upload('large.txt', 'text/plain', bytes);
  assert.equal(held.state, 'scan-failed');
  assert.match(held.reason ?? '', /Heuristics\.Limits\.Exceeded/);
  const { id } = await service.sendFile('large.txt', 'text/plain', bytes, { category: 'notes' });
  await service.call('completeUpload', { id });
  await service.tick();
  assert.equal(service.row(id).state, 'ready', 'the policy lets what cannot be judged pass, marked');
});

test('by default no file is given to clamd that its own defaults let pass unseen', async (t) => {
  const clamd = await startClamd(t, { streamMaxBytes: 256 * mib });
  if (!clamd.found) return t.skip(clamd.reason);
  const scanner = openClamd({ address: clamd.tcp });
  t.after(() => scanner.close());
  async function* bytes(sizeBytes: number): AsyncGenerator<Uint8Array> {
    const piece = Buffer.alloc(mib, '.');
    const fill = sizeBytes - eicar.length;
    for (let sent = 0; sent < fill; sent += mib) yield piece.subarray(0, Math.min(mib, fill - sent));
    yield text(eicar);
  }
  const verdictOn = async (sizeBytes: number) => scanner.scan(async () => bytes(sizeBytes));
  assert.deepEqual(await verdictOn(defaultLimits.scanMaxBytes), { verdict: 'infected', signature: eicarSignature });
  // The trap itself: were this no longer so, the limit could go.
  assert.deepEqual(await verdictOn(101 * mib), { verdict: 'clean' });
});

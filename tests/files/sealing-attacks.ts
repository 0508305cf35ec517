// The scanned-bytes attack: whoever holds the URL of an upload uses it again, before, while and after the bytes are judged. What is
// served must be what was judged, whatever the endpoint answers. The same attacks for every way to send, seal and endpoint.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UploadMeans } from '@stowage/contract';
import type { EndpointOptions, S3Settings, Seal } from '@stowage/files';
import { openWorld, requestOf, send, sendSlowly, type World } from './endpoint-world.ts';

interface AttackedEndpoint {
  readonly name: string;
  /** What is known of it, so that not every test tries it out. */
  endpointFor(seal: Seal): EndpointOptions;
  /** A bucket; or why there is none. */
  open(seal: Seal): Promise<S3Settings | string>;
}

const mib = 1024 * 1024;
const good = 'What was judged.'.padEnd(40, '.');
/** Of the same length, and what a validation would refuse. */
const evil = '\x7fELF what was not judged'.padEnd(40, '!');

/** The ways to send that a seal is for. */
const ways: readonly { readonly means: UploadMeans; readonly seal: Seal }[] = [
  { means: 'put', seal: 'if-none-match' },
  { means: 'put', seal: 'version-id' },
  { means: 'put', seal: 'promotion' },
  { means: 'form', seal: 'version-id' },
  { means: 'form', seal: 'promotion' },
  { means: 'multipart', seal: 'service-only' },
  { means: 'multipart', seal: 'version-id' },
  { means: 'multipart', seal: 'promotion' },
];

export function attackEndpoint({ name, endpointFor, open }: AttackedEndpoint, seals: readonly Seal[]): void {
  for (const seal of seals) {
    test(`${name}: sealed by ${seal}, what is served is what was judged, however often a URL is used`, async (t) => {
      const s3 = await open(seal);
      if (typeof s3 === 'string') return t.skip(s3);
      const limits = { multipartThresholdBytes: 5 * mib, minPartSizeBytes: 5 * mib };
      const world = await openWorld(t, { s3, endpoint: { ...endpointFor(seal), seals: [seal] }, limits });
      for (const { means } of ways.filter((way) => way.seal === seal)) {
        if (means === 'multipart') await attackParts(world, seal);
        else await attackWhole(world, means, seal);
      }
    });
  }

  if (!seals.includes('promotion')) return;
  test(`${name}: bytes that are exchanged before they are promoted are judged as what they then are`, async (t) => {
    const s3 = await open('promotion');
    if (typeof s3 === 'string') return t.skip(s3);
    const world = await openWorld(t, {
      s3,
      endpoint: { ...endpointFor('promotion'), seals: ['promotion'] },
      limits: { maxInlineCopyBytes: 0 },
    });
    const upload = await world.announce({ sizeBytes: good.length });
    assert.equal(await send(requestOf(upload), good), 200);
    assert.equal((await world.complete(upload)).state, 'completing');
    assert.equal(await send(requestOf(upload), evil), 200);
    await world.settle(upload.id, 'rejected');
    assert.equal((await world.refused('GET', `/v1/files/${upload.id}/content`)).code, 'wrong-state');
  });
}

async function attackWhole(world: World, means: UploadMeans, seal: Seal): Promise<void> {
  const upload = await world.announce({ sizeBytes: good.length, accepts: [means] });
  assert.equal(upload.strategy, means);
  const request = requestOf(upload);
  const late = means === 'put' ? await sendSlowly(request, evil) : undefined;
  const later = means === 'put' ? await sendSlowly(request, evil) : undefined;
  assert.ok([200, 201].includes(await send(request, good)));
  const settled = await world.complete(upload);
  assert.equal(settled.state, 'uploaded');
  const taken = seal === 'if-none-match' ? [412] : [200, 201];
  if (late !== undefined) assert.ok(taken.includes(await late.finish()), 'finished before the bytes are judged');
  assert.ok(taken.includes(await send(request, evil)), 'sent before the bytes are judged');
  await world.settle(upload.id, 'ready');
  assert.equal(await world.download(upload.id), good);
  assert.ok(taken.includes(await send(request, evil)), 'sent after the bytes were judged');
  if (later !== undefined) assert.ok(taken.includes(await later.finish()), 'finished after the bytes were judged');
  assert.equal(await world.download(upload.id), good);
  const row = world.row(upload.id);
  assert.equal(row.sealedBy, seal);
  assert.equal(row.stagingKey === null, seal !== 'promotion');
  assert.equal(row.objectVersionId === null, seal !== 'version-id');
}

async function attackParts(world: World, seal: Seal): Promise<void> {
  const text = 'Of several parts.'.padEnd(5 * mib + 1, '.');
  const upload = await world.announce({ sizeBytes: text.length, accepts: ['multipart'] });
  const parts = await world.signParts(upload);
  const [first, second] = parts;
  assert.ok(first !== undefined && second !== undefined && parts.length === 2);
  assert.equal(await send(first, text.slice(0, 5 * mib)), 200);
  assert.equal(await send(second, text.slice(5 * mib)), 200);
  const late = await sendSlowly(first, '!'.repeat(5 * mib));
  const settled = await world.complete(upload);
  assert.equal(settled.state, 'uploaded');
  await late.finish();
  assert.ok((await send(second, '!')) >= 400, 'the upload is over');
  await world.settle(upload.id, 'ready');
  assert.ok((await send(first, '!'.repeat(5 * mib))) >= 400);
  assert.ok((await world.download(upload.id)) === text, 'the bytes served are the bytes judged');
  assert.equal(world.row(upload.id).sealedBy, seal);
}

// The bytes of files never pass through the service: megabytes go to the bucket while it hears only of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mib, numberedText, ServiceFixture, serviceOrigin, smallParts } from './service-fixture.ts';

async function receivedBytes(files: ServiceFixture): Promise<number> {
  const response = await files.send(new Request(`${serviceOrigin}/metrics`));
  assert.equal(response.status, 200);
  const line = /^stowage_files_received_bytes_total (\d+)$/m.exec(await response.text());
  assert.ok(line);
  return Number(line[1]);
}

test('20 MiB in three files cost the service less than 2 KiB', async (t) => {
  const files = await ServiceFixture.open(t, { limits: smallParts });
  const beforeBytes = await receivedBytes(files);
  for (const sizeBytes of [4 * mib, 5 * mib, 11 * mib]) {
    const upload = await files.upload('large.txt', 'text/plain', numberedText(sizeBytes));
    assert.equal(upload.state, 'ready');
  }
  const bytes = (await receivedBytes(files)) - beforeBytes;
  assert.ok(bytes > 0 && bytes < 2048, `${bytes} bytes`);
});

test('bytes sent to the service itself are refused after a bounded number of them', async (t) => {
  const files = await ServiceFixture.open(t, { limits: { maxRequestBodyBytes: 10_000 } });
  let pulls = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      pulls++;
      controller.enqueue(new Uint8Array(1000).fill(0x20));
    },
  });
  const headers = { cookie: files.cookie, 'content-type': 'application/json' };
  // Node asks for `duplex` with a stream; the types of the browser's fetch do not know it.
  const init: RequestInit & { readonly duplex: 'half' } = { method: 'POST', headers, body: endless, duplex: 'half' };
  const response = await files.send(new Request(`${serviceOrigin}/v1/uploads`, init));
  assert.equal(response.status, 413);
  assert.ok(pulls < 20, `${pulls} chunks were read`);
});

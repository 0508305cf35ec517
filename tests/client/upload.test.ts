// The upload client against a server that speaks the contract and misbehaves on demand.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createClient, type StowageClient, type UploadHandle, type UploadSnapshot } from '@stowage/client';
import { pause } from './fake-bucket.ts';
import { type FakeService, startFakeService } from './fake-service.ts';

const kib = 1024;

describe('an upload', () => {
  let service: FakeService;
  let client: StowageClient;

  beforeEach(async () => {
    service = await startFakeService();
    client = createClient({ baseUrl: service.origin, apiKey: 'k', random: () => 0.1 });
  });
  afterEach(() => service.close());

  function file(bytes: Buffer<ArrayBuffer>, name = 'a.bin'): File {
    return new File([bytes], name, { type: 'application/x-test', lastModified: 1000 });
  }

  function assertStored(upload: UploadHandle, bytes: Buffer): void {
    const kept = service.bucket.objects.get(upload.id ?? '');
    assert.ok(kept !== undefined, 'the bucket holds the object');
    assert.equal(sha256(kept), sha256(bytes));
  }

  it('sends a small file with one PUT and ends up ready', async () => {
    const bytes = randomBytes(1000);
    const upload = client.upload(file(bytes), { folder: ['holiday', 'day 1'] });
    const states = statesOf(upload);
    assert.equal((await upload.ready).state, 'ready');
    assert.equal((await upload.stored).folder.join('/'), 'holiday/day 1');
    assertStored(upload, bytes);
    assert.deepEqual(states, ['sending', 'confirming', 'checking', 'ready']);
    assert.equal(service.bucket.puts.length, 1);
  });

  it('is not ended by a listener that throws', async (t) => {
    const reported: unknown[] = [];
    // Node has no reportError; without it the error would be an uncaught one, which fails the test.
    Object.assign(globalThis, { reportError: (error: unknown) => reported.push(error) });
    t.after(() => Reflect.deleteProperty(globalThis, 'reportError'));
    const bytes = randomBytes(1000);
    const mine = new Error('of the application');
    const fail = (): never => {
      throw mine;
    };
    const upload = client.upload(file(bytes), { onProgress: fail });
    upload.subscribe(fail);
    const states = statesOf(upload);
    assert.equal((await upload.ready).state, 'ready');
    assertStored(upload, bytes);
    assert.deepEqual(states, ['sending', 'confirming', 'checking', 'ready']);
    assert.ok(reported.length >= 8 && reported.every((each) => each === mine), `${reported.length} reported`);
  });

  it('sends an empty file', async () => {
    const upload = client.upload(new Blob([]));
    await upload.ready;
    assertStored(upload, Buffer.alloc(0));
  });

  it('sends a large file in parts, several at once, never more than allowed, each once', async () => {
    service.bucket.bytesPerSecond = 4 * kib * kib;
    const bytes = randomBytes(8 * 256 * kib + 17);
    const upload = client.upload(file(bytes));
    await upload.ready;
    assertStored(upload, bytes);
    assert.equal(service.bucket.puts.length, 9);
    assert.ok(service.bucket.load.most >= 2 && service.bucket.load.most <= 6, `${service.bucket.load.most} at once`);
  });

  it('tells progress within a part, never backwards without a fault, and a rate', async () => {
    // A slow reader would not do: the kernel's buffers take in megabytes at once. So the file itself comes slowly.
    const bytes = randomBytes(400 * kib);
    const upload = client.upload({ name: 'slow.bin', size: bytes.length, slice: () => slowBlob(bytes, 20 * kib, 40) });
    const seen: UploadSnapshot[] = [];
    upload.subscribe(() => seen.push(upload.getSnapshot()));
    await upload.ready;
    const sent = seen.map(({ progress }) => progress.sentBytes);
    assert.deepEqual(
      sent,
      [...sent].sort((a, b) => a - b),
    );
    assert.ok(new Set(sent).size > 3, `only ${new Set(sent).size} steps`);
    assert.ok(seen.some(({ progress }) => (progress.bytesPerSecond ?? 0) > 0 && progress.secondsLeft !== undefined));
    assert.equal(sent.at(-1), bytes.length);
  });

  it('outlives dropped connections, 503s and lost answers', async () => {
    const faults = [
      { drop: 'before' },
      { status: 503 },
      { drop: 'after' },
      { status: 400, code: 'RequestTimeout' },
    ] as const;
    let next = 0;
    service.bucket.fault = () => faults[next++];
    const bytes = randomBytes(5 * 256 * kib);
    const upload = client.upload(file(bytes));
    await upload.ready;
    assertStored(upload, bytes);
    assert.equal(service.bucket.puts.length, 9);
  });

  it('takes a 412 for the lost answer that it is', async () => {
    let first = true;
    service.bucket.fault = () => {
      const fault = first ? ({ drop: 'after' } as const) : undefined;
      first = false;
      return fault;
    };
    const bytes = randomBytes(999);
    const upload = client.upload(file(bytes));
    await upload.ready;
    assertStored(upload, bytes);
    assert.equal(service.bucket.puts.length, 2);
  });

  it('has refused URLs signed anew, but not for ever', async () => {
    let refusals = 2;
    service.bucket.fault = () => (refusals-- > 0 ? { status: 403, code: 'ExpiredToken' } : undefined);
    const bytes = randomBytes(600 * kib);
    const upload = client.upload(file(bytes));
    await upload.ready;
    assertStored(upload, bytes);

    service.bucket.fault = () => ({ status: 403, code: 'SignatureDoesNotMatch' });
    const refused = client.upload(file(randomBytes(600 * kib)));
    await assert.rejects(refused.stored, { code: 'storage-refused', status: 403 });
    await assert.rejects(refused.ready, { code: 'storage-refused' });
    assert.match(refused.getSnapshot().error?.message ?? '', /SignatureDoesNotMatch/);
  });

  it('asks for part URLs just before they are used', async () => {
    const signings: number[] = [];
    const fetch: typeof globalThis.fetch = (input, init) => {
      if (String(input).endsWith('/sign')) signings.push(JSON.parse(String(init?.body)).partNumbers.length);
      return globalThis.fetch(input, init);
    };
    const careful = createClient({ baseUrl: service.origin, fetch, concurrency: 2 });
    await careful.upload(file(randomBytes(12 * 256 * kib))).ready;
    assert.ok(signings.length >= 4 && Math.max(...signings) <= 3, signings.join());
  });

  it('sends no part to a URL that was signed long ago, however long it was away', async () => {
    let nowMs = 0;
    const signedAtMs = new Map<string, number>();
    const ages: number[] = [];
    const fetch: typeof globalThis.fetch = async (input, init) => {
      const age = signedAtMs.get(String(input));
      if (age !== undefined) {
        ages.push(nowMs - age);
        nowMs += 120_000;
      }
      const answer = await globalThis.fetch(input, init);
      if (!String(input).endsWith('/sign')) return answer;
      const text = await answer.text();
      for (const { url } of JSON.parse(text).parts) signedAtMs.set(url, nowMs);
      return new Response(text, answer);
    };
    const clock = { now: () => nowMs, sleep: () => pause(1) };
    const slow = createClient({ baseUrl: service.origin, fetch, clock, concurrency: 2 });
    await slow.upload(file(randomBytes(6 * 256 * kib))).ready;
    assert.ok(ages.length >= 6 && Math.max(...ages) <= 120_000, ages.join());
  });

  it('goes on by itself after the service was killed and started again', async () => {
    service.bucket.bytesPerSecond = 800 * kib;
    const bytes = randomBytes(6 * 256 * kib);
    const upload = client.upload(file(bytes));
    await until(() => upload.progress.sentBytes > 256 * kib);
    await service.restart(300);
    await upload.ready;
    assertStored(upload, bytes);
  });

  it('makes one upload although the answer to its announcement was lost', async () => {
    let first = true;
    service.fault = (route) => {
      if (route !== 'createUpload' || !first) return undefined;
      first = false;
      return 502;
    };
    await client.upload(file(randomBytes(10))).ready;
    assert.equal(service.rows.size, 1);
  });

  it('pauses at once, keeps finished parts, and goes on from what the bucket holds', async () => {
    service.bucket.bytesPerSecond = 600 * kib;
    const bytes = randomBytes(6 * 256 * kib);
    const upload = client.upload(file(bytes));
    await until(() => (service.bucket.parts.get(upload.id ?? '')?.size ?? 0) >= 2);
    upload.pause();
    assert.equal(upload.state, 'paused');
    // A request that had left before still arrives.
    await pause(100);
    await until(() => service.bucket.load.now === 0);
    const held = service.bucket.parts.get(upload.id ?? '')?.size ?? 0;
    const putsBefore = service.bucket.puts.length;
    await pause(100);
    assert.equal(service.bucket.puts.length, putsBefore, 'nothing is sent while paused');
    service.bucket.bytesPerSecond = undefined;
    // URLs die during a long pause.
    service.bucket.revokeUrls();
    upload.resume();
    await upload.ready;
    assertStored(upload, bytes);
    assert.equal(service.bucket.puts.length - putsBefore, 6 - held);
  });

  it('resumes an upload of an earlier process, sending only what is missing', async () => {
    service.bucket.bytesPerSecond = 600 * kib;
    const bytes = randomBytes(6 * 256 * kib);
    const begun = client.upload(file(bytes));
    await until(() => (service.bucket.parts.get(begun.id ?? '')?.size ?? 0) >= 2);
    assert.deepEqual(await client.resumable(), [], 'what runs here is not offered');
    begun.pause();
    const later = createClient({ baseUrl: service.origin });
    const [found] = await later.resumable();
    assert.equal(found?.upload.id, begun.id);
    service.bucket.bytesPerSecond = undefined;
    await until(() => service.bucket.load.now === 0);
    const [held, putsBefore] = [service.bucket.parts.get(begun.id ?? '')?.size ?? 0, service.bucket.puts.length];
    const upload = later.upload(file(bytes), { resume: found?.upload.id ?? '' });
    await upload.ready;
    assertStored(upload, bytes);
    assert.equal(service.bucket.puts.length - putsBefore, 6 - held);
  });

  it('refuses to resume with another file', async () => {
    const begun = client.upload(file(randomBytes(10)), { start: true });
    begun.pause();
    await client.upload(file(randomBytes(10)), { resume: 'nowhere' }).stored.then(
      () => assert.fail('there is no such upload'),
      (error) => assert.equal(error.code, 'not-found'),
    );
    service.bucket.fault = () => ({ status: 500 });
    const stuck = client.upload(file(randomBytes(600 * kib)));
    await until(() => stuck.id !== undefined);
    stuck.pause();
    const other = client.upload(file(randomBytes(601 * kib)), { resume: stuck.id ?? '' });
    await assert.rejects(other.stored, { code: 'wrong-file' });
  });

  it('sends again the parts that the bucket turns out not to hold', async () => {
    const bytes = randomBytes(5 * 256 * kib);
    let lost = false;
    service.fault = (route) => {
      if (route === 'completeUpload' && !lost) {
        lost = true;
        for (const parts of service.bucket.parts.values()) parts.delete(2);
      }
      return undefined;
    };
    const upload = client.upload(file(bytes));
    await upload.ready;
    assertStored(upload, bytes);
    assert.equal(service.bucket.puts.filter((put) => put.endsWith(' 2')).length, 2);
  });

  it('sends again a part that the bucket holds in another size', async () => {
    const bytes = randomBytes(4 * 256 * kib);
    let cut = false;
    service.fault = (route) => {
      const [parts] = service.bucket.parts.values();
      if (route !== 'completeUpload' || cut || parts === undefined) return undefined;
      cut = true;
      parts.set(2, Buffer.from('half'));
      return undefined;
    };
    const upload = client.upload(file(bytes));
    await upload.ready;
    assertStored(upload, bytes);
    assert.equal(service.bucket.puts.filter((put) => put.endsWith(' 2')).length, 2);
  });

  it('never takes a vanished multipart upload for success', async () => {
    service.bucket.fault = (put) => (put.endsWith(' 3') ? { status: 404, code: 'NoSuchUpload' } : undefined);
    const upload = client.upload(file(randomBytes(5 * 256 * kib)));
    await assert.rejects(upload.stored, { code: 'out-of-step' });
  });

  it('cancels here and at the service, even before it knows the id', async () => {
    service.bucket.bytesPerSecond = 100 * kib;
    const upload = client.upload(file(randomBytes(600 * kib)));
    await until(() => upload.state === 'sending');
    await upload.cancel();
    assert.equal(upload.state, 'cancelled');
    await assert.rejects(upload.ready, { code: 'cancelled' });
    assert.equal(service.rows.get(upload.id ?? '')?.upload.state, 'aborted');

    const early = client.upload(file(randomBytes(600 * kib)));
    await early.cancel();
    assert.deepEqual(
      [...service.rows.values()].map((row) => row.upload.state),
      ['aborted', 'aborted'],
    );
  });

  it('cancels when its signal aborts', async () => {
    const stop = new AbortController();
    service.bucket.bytesPerSecond = 100 * kib;
    const upload = client.upload(file(randomBytes(600 * kib)), { signal: stop.signal });
    await until(() => upload.state === 'sending');
    stop.abort();
    await assert.rejects(upload.stored, { code: 'cancelled' });
    await until(() => service.rows.get(upload.id ?? '')?.upload.state === 'aborted');
  });

  it('is stored but not ready when the check refuses it, with the reason', async () => {
    service.verdict = () => ({ state: 'rejected', reason: 'A program, not a picture.' });
    const upload = client.upload(file(randomBytes(10)));
    await upload.stored;
    await assert.rejects(upload.ready, { code: 'rejected', message: 'A program, not a picture.' });
    assert.equal(upload.state, 'failed');
  });

  it('fails with the service’s own code, and can be tried again', async () => {
    service.signedIn = false;
    const upload = client.upload(file(randomBytes(10)));
    await assert.rejects(upload.stored, { code: 'unauthenticated', status: 401 });
    service.signedIn = true;
    upload.resume();
    await upload.ready;
  });

  it('says that a file cannot be read any more instead of retrying for ever', async () => {
    const unreadable = {
      name: 'gone.bin',
      size: 10,
      slice: () => ({
        size: 10,
        stream: () => new ReadableStream({ start: (controller) => controller.error(new Error('NotReadableError')) }),
        arrayBuffer: () => Promise.reject(new Error('NotReadableError')),
      }),
    };
    const upload = client.upload(unreadable as unknown as Blob);
    await assert.rejects(upload.stored, { code: 'file-unreadable' });
  });

  it('gives up when nothing has worked for the time set', async () => {
    const impatient = createClient({ baseUrl: service.origin, random: () => 0.5, giveUpAfterMs: 400 });
    service.fault = () => 503;
    await assert.rejects(impatient.upload(file(randomBytes(10))).stored, { code: 'service-unavailable' });
    assert.ok(service.calls.length >= 2, `${service.calls.length} tries`);
  });
});

function statesOf(upload: UploadHandle): string[] {
  const states: string[] = [];
  upload.subscribe(() => {
    const { state } = upload.getSnapshot();
    if (states.at(-1) !== state) states.push(state);
  });
  return states;
}

/** Gives its bytes a piece at a time. */
function slowBlob(bytes: Buffer<ArrayBuffer>, pieceBytes: number, everyMs: number): Blob {
  let at = 0;
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      await pause(everyMs);
      controller.enqueue(bytes.subarray(at, at + pieceBytes));
      at += pieceBytes;
      if (at >= bytes.length) controller.close();
    },
  });
  return Object.assign(new Blob([bytes]), { stream: () => stream });
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function until(condition: () => boolean, limitMs = 5000): Promise<void> {
  for (const endMs = Date.now() + limitMs; !condition(); ) {
    assert.ok(Date.now() < endMs, 'waited too long');
    await pause(5);
  }
}

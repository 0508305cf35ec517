// Rows that move under whoever is about to move them: by another request, another instance, a review that comes early.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { CreateMultipartUploadCommand, S3Client } from '@aws-sdk/client-s3';
import sharp from 'sharp';
import { errorDocument, type Fault, type SeenRequest } from '../../files/fault-proxy.ts';
import { openProofDatabase } from '../../proof/invariants/proof-database.ts';
import type { Scenario } from '../scenario.ts';
import { dayMs, hourMs, minuteMs, type World } from '../world.ts';

const small = Buffer.from('good');
const parted = Buffer.alloc(2048, 'part ');
const promoted = { kind: 'engine', probing: 'forbidden', seals: ['promotion'] } as const;
const unavailable: Fault = { kind: 'answer', status: 503, body: errorDocument('ServiceUnavailable') };
const patient = { bucketRetries: 0, circuitFailures: 1_000_000 };

/** What another instance does: every row moves on. */
async function moveRows(world: World, change = 'fence = fence + 1'): Promise<void> {
  const database = await openProofDatabase(world.options.database);
  try {
    await database.run(`UPDATE files SET ${change}`);
  } finally {
    await database.close();
  }
}

/** The first request that matches is held until the rows have been moved. */
async function movedDuring(
  world: World,
  matches: (seen: SeenRequest) => boolean,
  deed: () => Promise<unknown>,
  change?: string,
): Promise<void> {
  let held = false;
  world.stage.proxy.fault = (seen) => {
    if (held || !matches(seen)) return undefined;
    held = true;
    return { kind: 'hold', until: moveRows(world, change) };
  };
  await faulty(world, deed);
}

async function faulty(world: World, deed: () => Promise<unknown>, fault = world.stage.proxy.fault): Promise<void> {
  world.stage.proxy.fault = fault;
  try {
    await deed();
  } finally {
    world.stage.proxy.fault = () => undefined;
  }
}

const isHead = ({ method }: SeenRequest): boolean => method === 'HEAD';
const isCopy = ({ headers }: SeenRequest): boolean => 'x-amz-copy-source' in headers;

async function sent(world: World, bytes = small, accepts?: readonly ['form']) {
  const upload = await world.announce({ sizeBytes: bytes.length, ...(accepts === undefined ? {} : { accepts }) });
  await world.send(upload, bytes);
  return upload;
}

export const raceScenarios = {
  movedWhileConfirmed: {
    play: async (world) => {
      const upload = await sent(world);
      await movedDuring(world, isHead, () => world.call('completeUpload', { id: upload.id }));
      await movedDuring(
        world,
        ({ method }) => method === 'GET',
        () => world.tick(),
      );
      await world.pass(11 * minuteMs);
      world.promiseBytes(upload.fileId, small);
    },
  },
  movedWhileJoined: {
    play: async (world) => {
      const upload = await sent(world, parted);
      const lists = ({ method, query }: SeenRequest): boolean => method === 'GET' && query.has('uploadId');
      await movedDuring(world, lists, () => world.call('completeUpload', { id: upload.id }));
      world.promiseBytes(upload.fileId, parted);
    },
  },
  movedWhilePromoted: {
    options: () => ({ endpoint: promoted, limits: patient }),
    play: async (world) => {
      const upload = await sent(world);
      await movedDuring(world, isCopy, () => world.call('completeUpload', { id: upload.id }));
      world.promiseBytes(upload.fileId, small);
      // Copied, and nobody heard of it.
      const unheard = await sent(world);
      let copied = false;
      const silent: (seen: SeenRequest) => Fault | undefined = (seen) => {
        if (isCopy(seen)) {
          copied = true;
          return { kind: 'lose-reply' };
        }
        return copied ? unavailable : undefined;
      };
      await faulty(world, () => world.ask('completeUpload', { id: unheard.id }), silent);
      await world.call('completeUpload', { id: unheard.id });
      world.promiseBytes(unheard.fileId, small);
      // Arrived, and gone before it was copied.
      const gone = await sent(world);
      await faulty(
        world,
        () => world.ask('completeUpload', { id: gone.id }),
        (seen) => (isCopy(seen) ? unavailable : undefined),
      );
      const { store } = world.stage.engine;
      const page = { bucket: world.bucket, prefix: 'incoming/', delimiter: '', after: '', limit: 100 };
      for (const { key } of store.listObjects(page).objects) {
        if (key.includes(gone.id)) await store.deleteObject({ bucket: world.bucket, key });
      }
      await world.pass(11 * minuteMs);
      world.promiseState(gone.id, 'uploading', 'expired', 'purging', 'purged');
    },
  },
  movedWhileStripped: {
    options: () => ({ policies: { default: { stripMetadata: true } } }),
    play: async (world) => {
      const plain = sharp({ create: { width: 4, height: 3, channels: 3, background: 'teal' } });
      const jpeg = await plain
        .jpeg()
        .withExif({ IFD0: { Artist: 'somebody' } })
        .toBuffer();
      const upload = await world.announce({ name: 'a.jpg', contentType: 'image/jpeg', sizeBytes: jpeg.length });
      await world.send(upload, jpeg);
      await world.call('completeUpload', { id: upload.id });
      await movedDuring(
        world,
        ({ method }) => method === 'PUT',
        () => world.tick(),
      );
      world.promise('stripped', async () => {
        assert.equal((await world.download(upload.fileId)).includes('somebody'), false);
      });
      const tiff = await plain.tiff().toBuffer();
      const refused = await world.announce({ name: 'a.tiff', contentType: 'image/tiff', sizeBytes: tiff.length });
      await world.send(refused, tiff);
      await world.call('completeUpload', { id: refused.id });
      await world.tick();
      world.promiseState(refused.id, 'rejected', 'purging', 'purged');
    },
  },
  purgedWhilePictured: {
    play: async (world) => {
      const jpeg = await sharp({ create: { width: 40, height: 30, channels: 3, background: 'teal' } })
        .jpeg()
        .toBuffer();
      const upload = await world.announce({ name: 'a.jpg', contentType: 'image/jpeg', sizeBytes: jpeg.length });
      await world.send(upload, jpeg);
      await world.call('completeUpload', { id: upload.id });
      const purge = async (): Promise<void> => {
        await world.call('deleteFile', { id: upload.fileId });
        await world.once('purgeFile', 'not-found', { id: upload.fileId });
      };
      let held = false;
      await faulty(
        world,
        () => world.tick(),
        ({ method, path }) => {
          if (held || method !== 'PUT' || !path.includes('/previews/')) return undefined;
          held = true;
          // Who is asked again after an end asks by himself.
          return { kind: 'hold', until: purge().catch(() => undefined) };
        },
      );
      world.promiseState(upload.id, 'ready', 'purging', 'purged');
    },
  },
  atOnce: {
    racing: true,
    play: async (world) => {
      const five = <Result>(deed: () => Promise<Result>): Promise<Result[]> =>
        Promise.all(Array.from({ length: 5 }, deed));
      // Of one announcement that comes twice, the bucket is asked for one upload too many.
      const body = { name: 'a.txt', contentType: 'text/plain', sizeBytes: parted.length };
      const headers = { 'idempotency-key': randomUUID() };
      const twins = await five(() => world.call('createUpload', { headers, body }));
      assert.equal(new Set(twins.map(({ id }) => id)).size, 1);
      const [twin] = twins;
      assert.ok(twin);
      await world.send(twin, parted);
      await five(() => world.call('completeUpload', { id: twin.id }));
      await world.tick();
      world.promiseBytes(twin.fileId, parted);
      await five(() => world.call('deleteFile', { id: twin.fileId }));
      await five(() => world.call('restoreFile', { id: twin.fileId }));
      const old = await world.announce({ sizeBytes: small.length });
      await world.pass(40 * minuteMs);
      await five(() => world.call('getUpload', { id: old.id }));
      await five(() => world.call('abortUpload', { id: old.id }));
      world.promiseState(old.id, 'aborted', 'purging', 'purged');
    },
  },
  reviewedEarly: {
    options: () => ({ policies: { default: { retentionMs: 100 * dayMs } } }),
    play: async (world) => {
      const ready = await world.upload('ready');
      const trashed = await world.upload('trashed');
      await world.call('deleteFile', { id: trashed.fileId });
      await moveRows(world, `review_at_ms = ${world.stage.clock()}`);
      await world.tick();
      world.promiseBytes(ready.fileId, 'ready');
      world.promise(trashed.fileId, async () => {
        assert.equal((await world.call('getFile', { id: trashed.fileId })).state, 'trashed');
      });
    },
  },
  strayUploads: {
    play: async (world) => {
      const stray = async (): Promise<void> => {
        const page = { bucket: world.bucket, prefix: '', delimiter: '', afterKey: '', afterUploadId: '', limit: 10 };
        const { endpoint, region, credentials, store } = world.stage.engine;
        const systemClockOffset = world.stage.offsetMs;
        const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true, systemClockOffset });
        for (const { key } of store.listUploads(page).uploads) {
          await client.send(new CreateMultipartUploadCommand({ Bucket: world.bucket, Key: key }));
        }
        client.destroy();
      };
      const kept = await sent(world, parted);
      await stray();
      await world.call('completeUpload', { id: kept.id });
      await world.tick();
      world.promiseBytes(kept.fileId, parted);
      const given = await sent(world, parted);
      await stray();
      await world.call('abortUpload', { id: given.id });
      await world.tick();
      world.promiseState(given.id, 'aborted', 'purging', 'purged');
      await world.pass(2 * hourMs);
    },
  },
  neverBegun: {
    options: () => ({ limits: patient }),
    play: async (world) => {
      const headers = { 'idempotency-key': randomUUID() };
      const body = { name: 'a.bin', sizeBytes: parted.length };
      const begins = ({ method, query }: SeenRequest): boolean => method === 'POST' && query.has('uploads');
      await faulty(
        world,
        () => world.ask('createUpload', { headers, body }),
        (seen) => (begins(seen) ? unavailable : undefined),
      );
      const { uploads } = await world.call('listUploads');
      const [upload] = uploads;
      assert.ok(upload);
      await world.refused('parts-missing', 'completeUpload', { id: upload.id });
      world.promiseState(upload.id, 'expired', 'purging', 'purged');
    },
  },
  goneFromTheBucket: {
    options: () => ({ limits: patient }),
    play: async (world) => {
      const { store } = world.stage.engine;
      const upload = await sent(world, parted);
      const page = { bucket: world.bucket, prefix: '', delimiter: '', afterKey: '', afterUploadId: '', limit: 10 };
      for (const { key, uploadId } of store.listUploads(page).uploads) {
        await store.abortUpload({ bucket: world.bucket, key, uploadId });
      }
      await world.refused('wrong-state', 'listParts', { id: upload.id });
      world.promiseState(upload.id, 'aborted', 'purging', 'purged');
      const source = await sent(world);
      await world.call('completeUpload', { id: source.id });
      await world.tick();
      for (const { key } of store.listObjects({ bucket: world.bucket, prefix: '', delimiter: '', after: '', limit: 10 })
        .objects) {
        await store.deleteObject({ bucket: world.bucket, key });
      }
      const copy = await world.call('copyFile', { id: source.fileId, body: { name: 'copy.txt' } });
      await world.tick();
      world.promiseState(copy.id, 'aborted', 'purging', 'purged');
      // A file whose bytes are gone is no state to end in: it is thrown away.
      await world.call('deleteFile', { id: source.fileId });
      await world.once('purgeFile', 'not-found', { id: source.fileId });
      await world.pass(hourMs);
    },
  },
  previewGivenUp: {
    options: () => ({ limits: patient }),
    play: async (world) => {
      const jpeg = await sharp({ create: { width: 40, height: 30, channels: 3, background: 'teal' } })
        .jpeg()
        .toBuffer();
      const upload = await world.announce({ name: 'a.jpg', contentType: 'image/jpeg', sizeBytes: jpeg.length });
      await world.send(upload, jpeg);
      await world.call('completeUpload', { id: upload.id });
      await faulty(
        world,
        async () => {
          for (let tried = 0; tried < 4; tried++) await world.pass(minuteMs);
        },
        ({ method, path }) => (method === 'PUT' && path.includes('/previews/') ? unavailable : undefined),
      );
      world.promiseBytes(upload.fileId, jpeg);
    },
  },
} as const satisfies Readonly<Record<string, Scenario>>;

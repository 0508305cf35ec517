// Ways to send a file, and ways in which sending ends without one.

import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import type { Upload } from '@stowage/contract';
import type { Scenario } from '../scenario.ts';
import { dayMs, hourMs, minuteMs, type World } from '../world.ts';

const mib = 1024 * 1024;
const small = Buffer.from('good');
/** In one part. */
const parted = Buffer.alloc(2048, 'part ');
const form = { accepts: ['form'] } as const;

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64');
}

async function abandon(world: World, upload: Upload): Promise<void> {
  await world.call('abortUpload', { id: upload.id });
  world.promiseState(upload.id, 'aborted', 'purging', 'purged');
  await world.tick();
}

export const uploadScenarios = {
  put: {
    play: async (world) => {
      await world.upload(small, { folder: ['a', 'b'], tags: ['red'], metadata: { by: 'test' } });
      const checksum = { algorithm: 'sha256', value: sha256(small) } as const;
      const upload = await world.announce({ sizeBytes: small.length, checksum });
      await world.call('listUploads');
      await world.send(await world.call('getUpload', { id: upload.id }), small);
      await world.call('getUpload', { id: upload.id, query: { wait: 1, state: 'pending' } });
      const again = { headers: { 'idempotency-key': 'again' }, body: { name: 'twice.txt', sizeBytes: 1 } };
      const [one, two] = [await world.call('createUpload', again), await world.call('createUpload', again)];
      assert.equal(one.id, two.id);
      // Nobody says that it is there.
      await world.pass(11 * minuteMs);
      world.promiseBytes(upload.fileId, small);
    },
  },
  batch: {
    play: async (world) => {
      const { results } = await world.call('createUploads', {
        headers: { 'idempotency-key': randomUUID() },
        body: { uploads: Array.from({ length: 3 }, (_, index) => ({ name: `${index}.txt`, sizeBytes: 4 })) },
      });
      for (const { upload } of results) {
        assert.ok(upload);
        await world.send(upload, small);
        await world.call('completeUpload', { id: upload.id });
        world.promiseBytes(upload.fileId, small);
      }
      await world.tick();
    },
  },
  form: {
    play: async (world) => void (await world.upload(small, form)),
  },
  formByJob: {
    options: () => ({ limits: { maxInlineCopyBytes: 0 } }),
    play: async (world) => void (await world.upload(small, form)),
  },
  /** Promotion where the endpoint may not be asked for conditions: parts too arrive elsewhere. */
  promotedParts: {
    options: () => ({ endpoint: { kind: 'engine', probing: 'forbidden', seals: ['promotion'] } }),
    play: async (world) => {
      await world.upload(parted);
      await world.upload(small);
    },
  },
  promotedPartsByJob: {
    options: () => ({
      endpoint: { kind: 'engine', probing: 'forbidden', seals: ['promotion'] },
      limits: { maxInlineCopyBytes: 0 },
    }),
    play: async (world) => {
      await world.upload(parted);
      // Every part is there, and nobody says so before the end.
      const unsaid = await world.announce({ sizeBytes: parted.length });
      await world.send(unsaid, parted);
      await world.pass(dayMs + minuteMs);
      world.promiseBytes(unsaid.fileId, parted);
    },
  },
  copiedInParts: {
    options: () => ({
      endpoint: { kind: 'engine', probing: 'forbidden', seals: ['promotion'] },
      limits: { maxCopyBytes: 5 * mib, copyPartBytes: 5 * mib, multipartThresholdBytes: 16 * mib },
    }),
    play: async (world) => void (await world.upload(Buffer.alloc(6 * mib, 'parts '))),
  },
  multipart: {
    play: async (world) => {
      const upload = await world.announce({ sizeBytes: parted.length });
      await world.send(upload, parted);
      const { parts } = await world.call('listParts', { id: upload.id });
      assert.equal(parts.length, 1);
      await world.call('completeUpload', { id: upload.id });
      await world.tick();
      world.promiseBytes(upload.fileId, parted);
    },
  },
  multipartWithChecksums: {
    play: async (world) => {
      await world.upload(parted, { checksum: { algorithm: 'sha256' } }, { 1: sha256(parted) });
    },
  },
  /** A whole that the bucket does not compare, so that the service reads it. */
  checksumRead: {
    options: () => ({ endpoint: { kind: 'ceph16', probing: 'forbidden' } }),
    play: async (world) =>
      void (await world.upload(small, { checksum: { algorithm: 'sha256', value: sha256(small) } })),
  },
  partsBeforeTheyAreAll: {
    play: async (world) => {
      const upload = await world.announce({ sizeBytes: parted.length });
      await world.refused('parts-missing', 'completeUpload', { id: upload.id });
      await world.send(upload, parted);
      await world.pass(11 * minuteMs);
      // The client has gone; in the end the service completes by itself.
      await world.pass(dayMs + minuteMs);
      world.promiseBytes(upload.fileId, parted);
    },
  },
  abort: {
    play: async (world) => {
      const one = await world.announce({ sizeBytes: small.length });
      await abandon(world, one);
      const two = await world.announce({ sizeBytes: parted.length });
      await world.send(two, parted);
      await abandon(world, two);
      const three = await world.announce({ sizeBytes: small.length, ...form });
      await world.send(three, small);
      await abandon(world, three);
      // What a URL may yet write is swept when it is over.
      await world.send(one, small);
      await world.pass(2 * hourMs);
      await world.pass(2 * hourMs);
    },
  },
  expiry: {
    play: async (world) => {
      const put = await world.announce({ sizeBytes: small.length });
      const parts = await world.announce({ sizeBytes: parted.length });
      await world.pass(11 * minuteMs);
      await world.pass(dayMs + minuteMs);
      for (const { id } of [put, parts]) world.promiseState(id, 'expired', 'purging', 'purged');
      await world.pass(2 * hourMs);
      await world.pass(2 * hourMs);
    },
  },
  /** Somebody else aborts the bucket's own upload. */
  abortedOutside: {
    play: async (world) => {
      const upload = await world.announce({ sizeBytes: parted.length });
      await world.send(upload, parted);
      const page = { bucket: world.bucket, prefix: '', delimiter: '', afterKey: '', afterUploadId: '', limit: 10 };
      for (const { key, uploadId } of world.stage.engine.store.listUploads(page).uploads) {
        await world.stage.engine.store.abortUpload({ bucket: world.bucket, key, uploadId });
      }
      await world.refused('wrong-state', 'completeUpload', { id: upload.id });
      world.promiseState(upload.id, 'aborted', 'purging', 'purged');
    },
  },
  wrongSize: {
    play: async (world) => {
      // A form of another size is refused by the bucket; one that somebody put there is seen by the service.
      const upload = await world.announce({ sizeBytes: small.length, ...form });
      await world.refused('parts-missing', 'completeUpload', { id: upload.id });
      await world.pass(dayMs + minuteMs);
      world.promiseState(upload.id, 'expired', 'purging', 'purged');
    },
  },
} as const satisfies Readonly<Record<string, Scenario>>;

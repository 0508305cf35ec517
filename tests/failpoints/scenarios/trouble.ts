// The bucket in trouble, and the endpoint tried out: what the service does when it is not answered, and goes on with afterwards.

import assert from 'node:assert/strict';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  PutBucketCorsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { errorDocument, type Fault, type SeenRequest } from '../../files/fault-proxy.ts';
import { startPostgres } from '../../servers/postgres-server.ts';
import type { Scenario } from '../scenario.ts';
import { dayMs, hourMs, minuteMs, type World } from '../world.ts';

const small = Buffer.from('good');
const parted = Buffer.alloc(2048, 'part ');
const unavailable: Fault = { kind: 'answer', status: 503, body: errorDocument('ServiceUnavailable') };

/** Requests of one world that match have this fault, so many times. */
async function during(
  world: World,
  fault: Fault,
  deed: () => Promise<void>,
  {
    matches = () => true,
    times = Number.POSITIVE_INFINITY,
  }: { matches?: (seen: SeenRequest) => boolean; times?: number } = {},
): Promise<void> {
  let left = times;
  world.stage.proxy.fault = (seen) => (matches(seen) && left-- > 0 ? fault : undefined);
  try {
    await deed();
  } finally {
    world.stage.proxy.fault = () => undefined;
  }
}

const joins = ({ method, query }: SeenRequest): boolean => method === 'POST' && query.has('uploadId');
const patient = { bucketRetries: 1, circuitFailures: 1_000_000 };

function clientOf(world: World): S3Client {
  const { endpoint, region, credentials } = world.stage.engine;
  const systemClockOffset = world.stage.offsetMs;
  return new S3Client({ endpoint, region, credentials, forcePathStyle: true, systemClockOffset });
}

async function makeBucket(world: World): Promise<void> {
  const client = clientOf(world);
  const Bucket = world.bucket;
  await client.send(new CreateBucketCommand({ Bucket }));
  const rule = { AllowedMethods: ['GET'], AllowedOrigins: ['https://example.com'] };
  await client.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: [rule] } }));
  client.destroy();
}

export const troubleScenarios = {
  postgres: {
    needs: 'postgres',
    options: async () => {
      const postgres = await startPostgres();
      if (!postgres.found) throw new Error(postgres.reason);
      return { database: { url: await postgres.createDatabase() } };
    },
    play: async (world) => {
      await world.upload(small);
      const upload = await world.upload(parted);
      await world.call('deleteFile', { id: upload.fileId });
      await world.call('restoreFile', { id: upload.fileId });
      await world.pass(11 * minuteMs);
    },
  },
  probed: {
    options: () => ({ endpoint: { probing: 'allowed' }, limits: { profileLifeMs: dayMs } }),
    play: async (world) => {
      await world.with((life) => life.prepared());
      await world.upload(small);
      await world.upload(parted);
      await world.pass(2 * dayMs);
      await world.upload('later', { name: 'later.txt' });
      await world.with((life) => life.probeEndpoint());
    },
  },
  /** In a bucket that was there before and has rules for pages. */
  bucketOfOthers: {
    options: () => ({ endpoint: { probing: 'allowed' } }),
    play: async (world) => {
      await makeBucket(world);
      await world.with((life) => life.prepared());
      await world.with((life) => life.probeEndpoint());
      const upload = await world.upload(small);
      await world.call('deleteFile', { id: upload.fileId });
      await world.once('purgeFile', 'not-found', { id: upload.fileId });
      await world.pass(hourMs);
      await world.pass(hourMs);
      world.promise(
        upload.fileId,
        async () => void (await world.refused('not-found', 'getFile', { id: upload.fileId })),
      );
    },
  },
  compared: {
    options: () => ({ limits: { orphanGraceMs: hourMs } }),
    play: async (world) => {
      const { store } = world.stage.engine;
      const there = await world.upload(small);
      const lost = await world.upload(small, { name: 'lost.txt' });
      const client = clientOf(world);
      const page = { bucket: world.bucket, prefix: '', delimiter: '', after: '', limit: 10 };
      for (const { key } of store.listObjects(page).objects) {
        if (key.includes(lost.id)) await client.send(new DeleteObjectCommand({ Bucket: world.bucket, Key: key }));
      }
      await client.send(new PutObjectCommand({ Bucket: world.bucket, Key: 'foreign.txt', Body: 'foreign' }));
      await world.pass(2 * hourMs);
      const run = await world.once('startReconcile', 'reconcile-running', { body: { dryRun: false } });
      await world.tick();
      const { runs } = await world.call('listReconciles');
      const id = run?.id ?? runs[0]?.id ?? '';
      await world.call('getReconcile', { id });
      const { findings } = await world.call('listReconcileFindings', { id, query: { limit: 1 } });
      assert.ok(findings.length > 0, 'The comparison found nothing.');
      await world.call('stopReconcile', { id });
      await client.send(new DeleteObjectCommand({ Bucket: world.bucket, Key: 'foreign.txt' }));
      client.destroy();
      await world.call('deleteFile', { id: lost.fileId });
      await world.once('purgeFile', 'not-found', { id: lost.fileId });
      world.promiseBytes(there.fileId, small);
      world.promise(lost.fileId, async () => void (await world.refused('not-found', 'getFile', { id: lost.fileId })));
      await world.pass(hourMs);
    },
  },
  /** What lies in the bucket and belongs to nobody any more; a file whose bytes go and come back. */
  mended: {
    options: () => ({ limits: { ...patient, orphanGraceMs: hourMs, reconcileRuns: 1, bucketRetries: 0 } }),
    play: async (world) => {
      const client = clientOf(world);
      const Bucket = world.bucket;
      const keyOf = (id: string): string => {
        const page = { bucket: Bucket, prefix: '', delimiter: '', after: '', limit: 10 };
        return world.stage.engine.store.listObjects(page).objects.find(({ key }) => key.includes(id))?.key ?? '';
      };
      const gone = await world.upload(small, { name: 'gone.txt' });
      const Key = keyOf(gone.id);
      await world.call('deleteFile', { id: gone.fileId });
      await world.once('purgeFile', 'not-found', { id: gone.fileId });
      await world.pass(hourMs);
      await client.send(new PutObjectCommand({ Bucket, Key, Body: 'late' }));
      await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
      const kept = await world.upload(small, { name: 'kept.txt' });
      const place = { Bucket, Key: keyOf(kept.id) };
      await client.send(new DeleteObjectCommand(place));
      await world.pass(2 * hourMs);
      const compare = async (): Promise<string> => {
        const run = await world.once('startReconcile', 'reconcile-running', { body: { dryRun: false } });
        return run?.id ?? (await world.call('listReconciles')).runs[0]?.id ?? '';
      };
      await world.call('stopReconcile', { id: await compare() });
      await compare();
      await during(world, unavailable, () => world.tick());
      await world.pass(hourMs);
      await world.pass(hourMs);
      await client.send(new PutObjectCommand({ ...place, Body: small, ContentType: 'text/plain' }));
      await world.pass(2 * hourMs);
      client.destroy();
      world.promiseBytes(kept.fileId, small);
      world.promise(gone.fileId, async () => {
        await world.refused('not-found', 'getFile', { id: gone.fileId });
        assert.equal(keyOf(gone.id), '');
      });
    },
  },
  outageWhileJudged: {
    options: () => ({ limits: patient }),
    play: async (world) => {
      const upload = await world.announce({ sizeBytes: small.length });
      await world.send(upload, small);
      await world.call('completeUpload', { id: upload.id });
      await during(world, unavailable, () => world.tick());
      await world.pass(10 * minuteMs);
      world.promiseBytes(upload.fileId, small);
    },
  },
  outageWhileReviewed: {
    options: () => ({ limits: patient }),
    play: async (world) => {
      const upload = await world.announce({ sizeBytes: small.length });
      await world.send(upload, small);
      await during(world, unavailable, () => world.pass(11 * minuteMs));
      assert.ok(['pending', 'ready'].includes((await world.call('getUpload', { id: upload.id })).state));
      await world.pass(21 * minuteMs);
      world.promiseBytes(upload.fileId, small);
    },
  },
  joinRefused: {
    options: () => ({ limits: patient }),
    play: async (world) => {
      const upload = await world.announce({ sizeBytes: parted.length });
      await world.send(upload, parted);
      await during(world, unavailable, async () => void (await world.ask('completeUpload', { id: upload.id })), {
        matches: joins,
      });
      await world.call('completeUpload', { id: upload.id });
      world.promiseBytes(upload.fileId, parted);
      await world.tick();
    },
  },
  joinRefusedForGood: {
    options: () => ({ limits: patient }),
    play: async (world) => {
      const upload = await world.announce({ sizeBytes: parted.length });
      await world.send(upload, parted);
      await during(
        world,
        unavailable,
        async () => {
          await world.pass(dayMs + minuteMs);
          await world.pass(dayMs);
          await world.pass(hourMs);
        },
        { matches: joins },
      );
      world.promiseState(upload.id, 'expired', 'purging', 'purged');
    },
  },
  copyRefused: {
    options: () => ({
      endpoint: { kind: 'engine', probing: 'forbidden', seals: ['promotion'] },
      limits: { ...patient, maxCopyBytes: 1, copyPartBytes: 5 * 1024 * 1024 },
    }),
    play: async (world) => {
      const upload = await world.announce({ sizeBytes: small.length });
      await world.send(upload, small);
      await during(world, unavailable, async () => void (await world.ask('completeUpload', { id: upload.id })), {
        matches: joins,
        times: 1,
      });
      await world.call('completeUpload', { id: upload.id });
      await world.tick();
      world.promiseBytes(upload.fileId, small);
      await world.pass(hourMs);
    },
  },
  bytesVanished: {
    play: async (world) => {
      const waitedFor = await world.announce({ sizeBytes: small.length });
      const deleted = await world.announce({ sizeBytes: small.length });
      for (const upload of [waitedFor, deleted]) {
        await world.send(upload, small);
        await world.call('completeUpload', { id: upload.id });
      }
      const { store } = world.stage.engine;
      const page = { bucket: world.bucket, prefix: '', delimiter: '', after: '', limit: 10 };
      for (const { key } of store.listObjects(page).objects) await store.deleteObject({ bucket: world.bucket, key });
      await world.tick();
      await world.once('deleteFile', 'not-found', { id: deleted.fileId });
      // Marked and looked for again, for as long as it takes.
      world.promiseState(waitedFor.id, 'validating');
      world.promiseState(deleted.id, 'purging', 'purged');
    },
  },
  purgeRefused: {
    options: () => ({ limits: patient }),
    play: async (world) => {
      const upload = await world.upload(small);
      await world.call('deleteFile', { id: upload.fileId });
      await during(world, unavailable, () => world.pass(31 * dayMs), { matches: ({ method }) => method === 'DELETE' });
      await world.pass(hourMs);
      world.promise(
        upload.fileId,
        async () => void (await world.refused('not-found', 'getFile', { id: upload.fileId })),
      );
      world.promiseState(upload.id, 'purging', 'purged');
    },
  },
} as const satisfies Readonly<Record<string, Scenario>>;

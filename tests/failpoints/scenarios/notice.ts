// Who is told of what, and who tells: webhooks out, events of the bucket in, figures.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { startSqsServer } from '../../servers/sqs-server.ts';
import type { Scenario } from '../scenario.ts';
import { dayMs, hourMs, minuteMs, type World } from '../world.ts';

const secret = 'a secret of enough characters';
const small = Buffer.from('good');

/** Keys that lie in the bucket. */
function keysOf(world: World): readonly string[] {
  const page = { bucket: world.bucket, prefix: '', delimiter: '', after: '', limit: 1000 };
  return world.stage.engine.store.listObjects(page).objects.map(({ key }) => key);
}

function eventsOf(world: World): string {
  const Records = keysOf(world).map((key) => ({
    eventName: 'ObjectCreated:Put',
    s3: { bucket: { name: world.bucket }, object: { key: encodeURIComponent(key) } },
  }));
  return JSON.stringify({ Records });
}

const queues = new WeakMap<object, Awaited<ReturnType<typeof startSqsServer>>>();

export const noticeScenarios = {
  webhooks: {
    play: async (world) => {
      const { stage } = world;
      const hook = await world.call('createWebhook', { body: { url: stage.receiver } });
      await world.call('listWebhooks');
      await world.call('changeWebhook', { id: hook.id, body: { events: ['file.ready', 'file.trashed'] } });
      await world.call('rotateWebhookSecret', { id: hook.id });
      const file = await world.upload('told');
      await world.pass(5 * minuteMs);
      world.promise('told', async () => {
        const ready = stage.received.filter((body) => body.includes(file.id) && body.includes('file.ready'));
        assert.ok(ready.length > 0, 'Nobody was told that the file is ready.');
      });
      stage.receiverStatus = 500;
      try {
        await world.call('testWebhook', { id: hook.id });
        await world.tick();
      } finally {
        stage.receiverStatus = 204;
      }
      await world.pass(hourMs);
      const { deliveries } = await world.call('listDeliveries', { id: hook.id });
      const [delivery] = deliveries;
      assert.ok(delivery);
      await world.call('replayDelivery', { params: { id: hook.id, deliveryId: delivery.id } });
      await world.tick();
      stage.receiverStatus = 410;
      try {
        await world.call('testWebhook', { id: hook.id });
        await world.pass(minuteMs);
      } finally {
        stage.receiverStatus = 204;
      }
      await world.once('deleteWebhook', 'not-found', { id: hook.id });
    },
  },
  /** Work that takes longer than its lease is kept by renewing it. */
  slowWork: {
    options: () => ({ limits: { jobLeaseMs: 1_000, reviewIntervalMs: 1_000, bucketRetries: 0 } }),
    play: async (world) => {
      const upload = await world.announce({ sizeBytes: small.length });
      await world.send(upload, small);
      const slowly = async (work: () => Promise<unknown>): Promise<void> => {
        let held = 0;
        world.stage.proxy.fault = ({ method }) =>
          method === 'HEAD' && held++ === 0 ? { kind: 'hold', until: sleep(1_500) } : undefined;
        try {
          await work();
        } finally {
          world.stage.proxy.fault = () => undefined;
        }
      };
      // A review first, then the jobs that follow from it.
      await slowly(() => world.pass(hourMs));
      const second = await world.announce({ sizeBytes: small.length, name: 'second.txt' });
      await world.send(second, small);
      await world.call('completeUpload', { id: second.id });
      await slowly(() => world.tick());
      await world.pass(hourMs);
      world.promiseBytes(upload.fileId, small);
      world.promiseBytes(second.fileId, small);
    },
  },
  webhookGivenUp: {
    play: async (world) => {
      const hook = await world.call('createWebhook', { body: { url: world.stage.receiver } });
      world.stage.receiverStatus = 500;
      try {
        await world.call('testWebhook', { id: hook.id });
        for (let round = 0; round < 12; round++) await world.pass(29 * hourMs);
      } finally {
        world.stage.receiverStatus = 204;
      }
      const { deliveries } = await world.call('listDeliveries', { id: hook.id });
      assert.ok(deliveries.some(({ state }) => state === 'dead'));
      await world.pass(31 * dayMs);
    },
  },
  events: {
    options: () => ({ eventsIn: { secret }, limits: { bucketRetries: 0, circuitFailures: 1_000_000 } }),
    play: async (world) => {
      const upload = await world.announce({ sizeBytes: small.length });
      await world.send(upload, small);
      const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };
      const tell = { headers, body: eventsOf(world) };
      assert.equal((await world.request('POST', '/internal/s3-events', tell)).status, 204);
      world.stage.proxy.fault = () => ({ kind: 'lose-request' });
      try {
        await world.tick();
      } finally {
        world.stage.proxy.fault = () => undefined;
      }
      assert.equal((await world.request('POST', '/internal/s3-events', tell)).status, 204);
      await world.tick();
      const { state } = await world.call('getUpload', { id: upload.id });
      assert.equal(state, 'ready');
      world.promiseBytes(upload.fileId, small);
    },
  },
  queue: {
    options: async (stage) => {
      const queue = await startSqsServer({ after: (cleanUp) => stage.after(cleanUp as () => unknown) }); // called without a context
      queues.set(stage, queue);
      const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
      const { queueUrl, endpoint } = queue;
      return { eventsIn: { sqs: { queueUrl, endpoint, region: 'us-east-1', credentials, waitSeconds: 1 } } };
    },
    play: async (world) => {
      const queue = queues.get(world.stage);
      assert.ok(queue);
      const upload = await world.announce({ sizeBytes: small.length });
      await world.send(upload, small);
      queue.fail = 1;
      queue.push(eventsOf(world));
      const deadline = Date.now() + 20_000;
      while (queue.left > 0) {
        assert.ok(Date.now() < deadline, `${queue.left} events are left in the queue.`);
        await sleep(20);
        // Whether it still lives is seen by asking it.
        await world.call('getSession');
      }
      await world.tick();
      assert.equal((await world.call('getUpload', { id: upload.id })).state, 'ready');
      world.promiseBytes(upload.fileId, small);
    },
  },
  figures: {
    play: async (world) => {
      await world.upload('counted');
      // Who asks from another machine, or through a proxy, has to sign in.
      assert.ok([200, 401].includes((await world.request('GET', '/metrics', {}, '')).status));
      assert.equal((await world.request('GET', '/metrics')).status, 200);
      for (const path of [
        '/v1/usage',
        '/v1/usage.csv',
        '/v1/admin/usage',
        '/v1/admin/usage.csv',
        '/v1/admin/usage?tenantId=main',
      ]) {
        await world.request('GET', path);
      }
      assert.equal((await world.request('GET', '/healthz', {}, '')).status, 200);
      assert.equal((await world.request('GET', '/readyz', {}, '')).status, 200);
      await world.request('GET', '/v1/openapi.json', {}, '');
      await world.request('GET', '/v1/nothing', {}, '');
      await world.request('GET', '/nothing', {}, '');
    },
  },
} as const satisfies Readonly<Record<string, Scenario>>;

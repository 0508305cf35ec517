// A disk that takes its time is not the client's fault: a body that is held back for it is not given up.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { startEngine } from '@stowage/engine';
import { type BodyWriter, type ObjectStore, openMemoryStore } from '@stowage/store';

/** The same store, but each write of a body waits. */
function slowed(store: ObjectStore, waitMs: number): ObjectStore {
  const slow = (writer: BodyWriter): BodyWriter => ({
    write: (chunk) => delay(waitMs).then(() => writer.write(chunk)),
    finish: () => writer.finish(),
    discard: () => writer.discard(),
  });
  return new Proxy(store, {
    get(target, name) {
      if (name === 'stageBody')
        return (options: Parameters<ObjectStore['stageBody']>[0]) => slow(target.stageBody(options));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

test('a client is not timed out while the store is what is slow', async () => {
  const store = slowed(openMemoryStore(), 400);
  const engine = await startEngine({ store, limits: { bodyIdleTimeoutMs: 100 } });
  const client = new S3Client({
    endpoint: engine.endpoint,
    region: engine.region,
    credentials: engine.credentials,
    forcePathStyle: true,
    maxAttempts: 1,
  });
  try {
    await client.send(new CreateBucketCommand({ Bucket: 'bucket' }));
    const put = await client.send(new PutObjectCommand({ Bucket: 'bucket', Key: 'key', Body: Buffer.alloc(200_000) }));
    assert.equal(put.$metadata.httpStatusCode, 200);
  } finally {
    client.destroy();
    await engine.close();
    await store.close();
  }
});

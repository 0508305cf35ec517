// What is missing is told at once, all of it, before a port or a file is touched; and no secret is repeated.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { FileServiceOptions } from './file-service-options.ts';
import { openFileService } from './open-file-service.ts';
import { startFileService } from './start-file-service.ts';

/** As JavaScript would call it. */
const untyped = (options: unknown): FileServiceOptions => options as FileServiceOptions;

it('without options, all that is needed is named', async () => {
  for (const open of [openFileService, startFileService]) {
    for (const options of [undefined, {}]) {
      await assert.rejects(open(untyped(options)), (error: unknown) => {
        assert.ok(error instanceof RangeError);
        assert.match(error.message, /\ns3: nothing came; expected \{ endpoint, region, bucket, /);
        assert.match(error.message, /\ndatabase: nothing came; expected \{ path \}/);
        assert.match(error.message, /\nsecret: nothing came; expected a Uint8Array of at least 32 bytes/);
        return true;
      });
    }
  }
});

it('every part that is missing or wrong is named with what came, and secrets are not shown', async () => {
  const options = untyped({
    s3: { endpoint: '127.0.0.1:9000', bucket: '', credentials: { accessKeyId: 'a', secretAccessKey: 7 } },
    database: 'postgres://me:word@host/db',
    secret: new Uint8Array(16),
    publicUrl: 'files.example.com',
  });
  await assert.rejects(startFileService(options), (error: unknown) => {
    assert.ok(error instanceof RangeError);
    assert.deepEqual(error.message.split('\n').slice(1), [
      's3.endpoint: "127.0.0.1:9000" came; expected http:// or https://, host and port.',
      's3.region: nothing came; expected a name, e.g. "us-east-1".',
      's3.bucket: an empty text came; expected a name.',
      's3.credentials.secretAccessKey: a value of type number came; expected its secret.',
      's3.forcePathStyle: nothing came; expected true or false; only Amazon S3 wants false.',
      "database: a value of type string came; expected { path } of SQLite's file, or { url } of PostgreSQL.",
      'secret: a Uint8Array of 16 bytes came; expected a Uint8Array of at least 32 bytes, always the same.',
      'publicUrl: "files.example.com" came; expected e.g. "https://files.example.com".',
    ]);
    return true;
  });
});

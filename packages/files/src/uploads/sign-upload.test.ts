// Signing against a row that changes at the same moment. The database is a real one; the other request comes in where it hurts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { monotonicFactory } from 'ulid';
import { openUrlSigner } from '../bucket/sign-urls.ts';
import { openDatabase } from '../database/open-database.ts';
import { chooseLimits } from '../limits.ts';
import { aFile } from '../testing/a-file.ts';
import { openUploadSigning } from './sign-upload.ts';

const nowMs = 1_700_000_000_000;
const limits = chooseLimits();

test('no part is signed for an upload that is given up in the meantime', async (t) => {
  const newId = monotonicFactory();
  const clock = (): number => nowMs;
  const database = await openDatabase({
    settings: { path: ':memory:' },
    clock,
    newId: () => newId(),
    secret: new Uint8Array(32),
  });
  t.after(() => database.close());
  const { files } = database;
  const file = await files.add(
    aFile({ strategy: 'multipart', sealedBy: 'service-only', multipartUploadId: 'u', partSizeBytes: 8, partCount: 1 }),
  );
  const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' };
  const settings = {
    endpoint: 'http://127.0.0.1:1',
    region: 'us-east-1',
    bucket: 'b',
    credentials,
    forcePathStyle: true,
  };
  const untouched = (): never => assert.fail('The bucket is not asked.');
  const signing = openUploadSigning({
    bucket: { createMultipart: untouched, abortMultipart: untouched } as never, // nothing else of it is used here
    files: {
      ...files,
      change: async (row, changes) => {
        // Between the look at the row and the note that a URL is about to be signed, somebody gives the upload up.
        await files.change(row, { state: 'aborted' });
        return files.change(row, changes);
      },
    },
    signer: openUrlSigner({ settings, clock }),
    limits,
    clock,
    capabilities: untouched,
  });
  await assert.rejects(signing.parts(file, { partNumbers: [1] }), { code: 'wrong-state' });
  assert.equal((await files.find(file.id))?.state, 'aborted');
});

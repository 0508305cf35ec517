import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isDiskFull } from './disk/disk.ts';
import { DiskTrust } from './disk-trust.ts';
import { diskError } from './testing/disk-operation.ts';

const operation = { kind: 'sync', path: '/file' } as const;

describe('disk trust', () => {
  it('is lost once and for good', () => {
    const told: unknown[] = [];
    const trust = new DiskTrust((cause) => told.push(cause));
    trust.require();
    const first = diskError('EIO', operation);
    trust.lose(first);
    trust.lose(diskError('EIO', operation));
    assert.deepEqual(told, [first]);
    assert.throws(() => trust.require(), { cause: first });
  });

  it('does not believe a sync that went well beside one that failed', async () => {
    const trust = new DiskTrust(() => undefined);
    const other = Promise.withResolvers<void>();
    const well = trust.sync(() => other.promise);
    const failure = diskError('EIO', operation);
    await assert.rejects(
      trust.sync(() => Promise.reject(failure)),
      failure,
    );
    other.resolve();
    await assert.rejects(well, { cause: failure });
    let asked = false;
    const later = trust.sync(async () => {
      asked = true;
    });
    await assert.rejects(later, { cause: failure });
    assert.equal(asked, false);
  });

  it('takes a sync without room for lost, and not for something to try again', async () => {
    const trust = new DiskTrust(() => undefined);
    const failing = trust.sync(() => Promise.reject(diskError('ENOSPC', operation)));
    await assert.rejects(failing, (cause) => !isDiskFull(cause));
    assert.throws(() => trust.require());
  });
});

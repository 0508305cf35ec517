// `stowage fsck` and `stowage rebuild` from outside: what they print, and by which exit status a script knows.

import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type CheckReport, openDiskStore } from '@stowage/store';
import { runCommand } from './run-command.ts';

describe('fsck and rebuild', () => {
  let folder = '';
  /** Where `stowage engine --data` keeps its store. */
  let directory = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stowage-fsck-'));
    directory = join(folder, 'engine');
    const store = await openDiskStore({ directory });
    await store.createBucket({ name: 'bucket', owner: 'o', region: 'r' });
    for (const key of ['one', 'two']) {
      const writer = store.stageBody({ maxSizeBytes: 1e6, digests: [] });
      await writer.write(Buffer.from(`the bytes of ${key}`));
      const attributes = { systemMetadata: {}, userMetadata: {}, storageClass: 'STANDARD', owner: 'o' };
      await store.putObject({ bucket: 'bucket', key, body: await writer.finish(), etag: 'e', attributes });
    }
    await store.close();
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('says that a store is whole, by exit status 0', async () => {
    const { status, stdout } = await runCommand(['fsck', '--data', folder]);
    assert.equal(status, 0);
    assert.match(stdout, /^Checked 1 segment \(.*\) and 0 blobs .*: 1 bucket, 2 objects, 0 unfinished uploads\.\n/);
    assert.match(stdout, /Nothing is wrong\.\n$/);
  });

  it('makes a lost index anew', async () => {
    await rm(join(directory, 'index'), { recursive: true });
    assert.equal((await runCommand(['fsck', '--data', folder])).status, 1);
    const { status, stdout } = await runCommand(['rebuild'], { STOWAGE_DATA: folder });
    assert.equal(status, 0);
    assert.match(
      stdout,
      /^The index was made anew from 1 segment of the journal .*: 1 bucket, 2 objects, 0 unfinished/,
    );
    assert.equal((await runCommand(['fsck', '--data', directory])).status, 0, 'the store itself may be named, too');
  });

  it('names the object that is damaged, in words and as JSON, by exit status 1, and says what a repair did', async () => {
    const segment = join(directory, 'journal', '000001.seg');
    const bytes = await readFile(segment);
    const at = bytes.indexOf('the bytes of two');
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(segment, bytes);
    const { status, stdout } = await runCommand(['fsck', '--data', folder]);
    assert.equal(status, 1);
    assert.match(stdout, /Wrong: journal\/000001\.seg at \d+, \d+ bytes: the body of record \d+ fails its checksum/);
    assert.match(stdout, /concerns bucket\/two\n/);
    const json = await runCommand(['fsck', '--data', folder, '--json', '--repair']);
    assert.equal(json.status, 1);
    // What the command prints with --json is a CheckReport.
    const report = JSON.parse(json.stdout) as CheckReport;
    assert.deepEqual(report.counts, { bodyDamage: 1 });
    assert.deepEqual(report.lost, [{ bucket: 'bucket', key: 'two' }]);
    assert.equal(report.actions.length, 1);
    assert.equal((await readdir(join(directory, 'quarantine'))).length, 1);
  });

  it('refuses what it cannot check by another exit status', async () => {
    for (const command of ['fsck', 'rebuild']) {
      const missing = await runCommand([command, '--data', join(folder, 'nowhere')]);
      assert.equal(missing.status, 4);
      assert.match(missing.stderr, /There is no store in .*nowhere: /);
      const store = await openDiskStore({ directory });
      const locked = await runCommand([command, '--data', folder]);
      await store.close();
      assert.equal(locked.status, 4);
      assert.match(locked.stderr, /in use by another stowage process/);
    }
    const rate = await runCommand(['engine', '--scrub-rate', 'fast']);
    assert.equal(rate.status, 2);
    assert.match(rate.stderr, /"fast" is not a rate: give bytes per second/);
  });
});

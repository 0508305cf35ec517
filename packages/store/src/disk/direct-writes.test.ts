import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { patternBytes } from '../contract/store-under-test.ts';
import { nodeDisk } from './node-disk.ts';

/** Memory at whole pages, as the pieces of bodies are. */
function pagedBuffer(sizeBytes: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(sizeBytes, { maxByteLength: sizeBytes }));
}

describe('files for much at once', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stowage-direct-'));
  });
  after(() => rm(directory, { recursive: true }));

  it('hold what was written, whole pages or not, at whole pages or not', async () => {
    const body = pagedBuffer(1024 * 1024);
    body.set(patternBytes(body.length));
    const path = join(directory, 'mixed');
    const file = await nodeDisk.create(path, 'bulk');
    const cuts = [0, 262_144, 524_288, 528_384, 530_000, 700_000, 704_512, 1_000_000, 1_048_576];
    for (const [index, from] of cuts.slice(0, -1).entries())
      await file.write([body.subarray(from, cuts[index + 1])], from);
    await file.sync();
    await file.close();
    assert.ok((await readFile(path)).equals(body));
  });

  it('take several chunks at a time, of which the last is no whole page', async () => {
    const body = pagedBuffer(300_000);
    body.set(patternBytes(body.length, 1));
    const path = join(directory, 'several');
    const file = await nodeDisk.create(path, 'bulk');
    await file.write([body.subarray(0, 131_072), body.subarray(131_072, 262_144), body.subarray(262_144)], 0);
    await file.close();
    assert.ok((await readFile(path)).equals(body));
  });

  it('take memory that lies anywhere', async () => {
    const body = patternBytes(65_536, 2);
    const path = join(directory, 'anywhere');
    const file = await nodeDisk.create(path, 'bulk');
    await file.write([body.subarray(0, 32_768)], 0);
    await file.write([Buffer.concat([Buffer.alloc(3), body]).subarray(3 + 32_768)], 32_768);
    await file.close();
    assert.ok((await readFile(path)).equals(body));
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { testObjectStore } from '../contract/object-store.contract.ts';
import { isDiskFull } from '../disk/disk.ts';
import { openDiskStore } from '../disk-store.ts';
import type { DiskOperation } from './disk-operation.ts';
import { drivenByItself, IoOrder } from './io-order.ts';
import { SeededRandom } from './seeded-random.ts';
import { SimulatedDisk, type SimulatedDiskOptions } from './simulated-disk.ts';
import { openSimulatedIndex } from './simulated-index.ts';

function optionsOf(seed: number): SimulatedDiskOptions {
  const random = new SeededRandom(seed);
  return { random, schedule: drivenByItself(random) };
}

/** Everything on the disk as text, by path. */
function contentsOf(disk: SimulatedDisk): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [path, file] of disk.files()) {
    const bytes = Buffer.alloc(file.sizeBytes);
    file.read(bytes, 0);
    texts[path] = bytes.toString('latin1');
  }
  return texts;
}

/** What power loss may leave of a disk on which `prepare` has run: each outcome once. */
async function outcomes(prepare: (disk: SimulatedDisk) => Promise<void>): Promise<Record<string, string>[]> {
  const found = new Map<string, Record<string, string>>();
  for (let seed = 0; seed < 300; seed += 1) {
    const disk = new SimulatedDisk(optionsOf(seed));
    await prepare(disk);
    const left = contentsOf(disk.powerLoss(optionsOf(seed)));
    found.set(JSON.stringify(left), left);
  }
  return [...found.keys()].sort().map((key) => found.get(key) ?? {});
}

async function writeFile(disk: SimulatedDisk, path: string, text: string, sync = true): Promise<void> {
  const file = await disk.create(path, 'write');
  await file.write([Buffer.from(text)], 0);
  if (sync) await file.sync();
  await file.close();
}

describe('simulated disk', () => {
  it('keeps what was synced, file and name', async () => {
    const left = await outcomes(async (disk) => {
      await disk.createFolder('/d');
      await disk.syncFolder('/');
      await writeFile(disk, '/d/a', 'one');
      await disk.syncFolder('/d');
    });
    assert.deepEqual(left, [{ '/d/a': 'one' }]);
  });

  it('may lose the name of a file whose bytes were synced, and a folder with all that is in it', async () => {
    const left = await outcomes(async (disk) => {
      await disk.createFolder('/d');
      await writeFile(disk, '/d/a', 'one');
      await disk.syncFolder('/d');
      await writeFile(disk, '/b', 'two');
    });
    assert.deepEqual(left, [{ '/b': 'two' }, { '/b': 'two', '/d/a': 'one' }, { '/d/a': 'one' }, {}]);
  });

  it('may keep any part of bytes that were not synced, and zeros where a length came without them', async () => {
    const text = 'x'.repeat(512) + 'y'.repeat(512);
    const left = await outcomes(async (disk) => {
      await writeFile(disk, '/a', text, false);
      await disk.syncFolder('/');
    });
    const zeros = '\0'.repeat(512);
    const texts = new Set(left.map(({ '/a': content = '' }) => content));
    const expected = ['', text, zeros + zeros, 'x'.repeat(512) + zeros, zeros + 'y'.repeat(512)];
    assert.deepEqual(texts, new Set(expected));
  });

  it('has either file under a name that was renamed to, and never none', async () => {
    const left = await outcomes(async (disk) => {
      await writeFile(disk, '/a', 'old');
      await disk.syncFolder('/');
      await writeFile(disk, '/a.next', 'new');
      await disk.rename('/a.next', '/a');
    });
    assert.deepEqual(left, [{ '/a': 'new' }, { '/a': 'old', '/a.next': 'new' }, { '/a': 'old' }]);
  });

  it('may bring a removed file back until its folder is synced', async () => {
    const remove = async (disk: SimulatedDisk): Promise<void> => {
      await writeFile(disk, '/a', 'one');
      await disk.syncFolder('/');
      await disk.remove('/a');
    };
    assert.deepEqual(await outcomes(remove), [{ '/a': 'one' }, {}]);
    const synced = await outcomes(async (disk) => {
      await remove(disk);
      await disk.syncFolder('/');
    });
    assert.deepEqual(synced, [{}]);
  });

  it('may bring bytes back that were cut off without a sync', async () => {
    const left = await outcomes(async (disk) => {
      await writeFile(disk, '/a', 'abcdef');
      await disk.syncFolder('/');
      const file = await disk.open('/a', 'write');
      await file.truncate(3);
    });
    assert.deepEqual(left, [{ '/a': 'abc' }, { '/a': 'abcdef' }]);
  });

  it('makes a durable write durable when it ends, and tears it before', async () => {
    const ended = await outcomes(async (disk) => {
      const file = await disk.create('/a', 'durable');
      await disk.syncFolder('/');
      await file.write([Buffer.from('one')], 0);
    });
    assert.deepEqual(ended, [{ '/a': 'one' }]);
    const random = new SeededRandom(1);
    const order = new IoOrder(random);
    const disk = new SimulatedDisk({ random, schedule: order });
    const creating = disk.create('/a', 'durable');
    order.take()?.perform();
    const file = await creating;
    const naming = disk.syncFolder('/');
    order.take()?.perform();
    await naming;
    void file.write([Buffer.from('one')], 0);
    const texts = new Set<string | undefined>();
    for (let round = 0; round < 100; round += 1) {
      texts.add(contentsOf(disk.powerLoss(optionsOf(round)))['/a']);
      const [write] = order.waiting;
      assert.equal(contentsOf(disk.powerLoss(optionsOf(round), write))['/a'], '', 'what has not begun leaves nothing');
    }
    assert.deepEqual(texts, new Set(['', '\0\0\0', 'one']));
  });

  it('covers by a durable write only its own bytes', async () => {
    const left = await outcomes(async (disk) => {
      await writeFile(disk, '/a', 'x'.repeat(1024));
      await disk.syncFolder('/');
      const plain = await disk.open('/a', 'write');
      const durable = await disk.open('/a', 'durable');
      await plain.write([Buffer.from('1')], 0);
      await durable.write([Buffer.from('2')], 512);
    });
    assert.deepEqual(
      left.map(({ '/a': text = '' }) => `${text[0]}${text[512]}`),
      ['12', 'x2'],
    );
  });

  it('drops what a failed sync was to write, though it can still be read', async () => {
    let fails = true;
    const fault = ({ kind }: DiskOperation): 'EIO' | undefined => (fails && kind === 'sync' ? 'EIO' : undefined);
    const texts = new Set<string | undefined>();
    for (let seed = 0; seed < 50; seed += 1) {
      fails = true;
      const disk = new SimulatedDisk({ ...optionsOf(seed), fault });
      const file = await disk.create('/a', 'write');
      await disk.syncFolder('/');
      await file.write([Buffer.from('one')], 0);
      await assert.rejects(file.sync(), { code: 'EIO' });
      fails = false;
      await file.sync();
      assert.equal(contentsOf(disk)['/a'], 'one');
      texts.add(contentsOf(disk.powerLoss(optionsOf(seed)))['/a']);
    }
    assert.deepEqual(texts, new Set(['', '\0\0\0', 'one']));
  });

  it('writes as much as there is room for, and gives room back', async () => {
    const disk = new SimulatedDisk(optionsOf(1));
    disk.capacityBytes = 3 * 4096;
    await writeFile(disk, '/a', 'x'.repeat(4096));
    const file = await disk.create('/b', 'write');
    await assert.rejects(file.write([Buffer.alloc(3 * 4096)], 0), isDiskFull);
    assert.equal(await file.sizeBytes(), 2 * 4096);
    await assert.rejects(disk.create('/c', 'write'), isDiskFull);
    await disk.remove('/b');
    await assert.rejects(disk.create('/c', 'write'), isDiskFull, 'an open file keeps its room');
    await file.close();
    await writeFile(disk, '/c', 'x'.repeat(4096));
  });

  it('notices when the bytes of a write change while it is under way', async () => {
    const disk = new SimulatedDisk(optionsOf(1));
    const file = await disk.create('/a', 'write');
    const bytes = Buffer.from('one');
    const writing = file.write([bytes], 0);
    bytes[0] = 0;
    await assert.rejects(writing, /changed while it was under way/);
  });

  it('repeats a run by its seed', async () => {
    const run = async (): Promise<string> => {
      const disk = new SimulatedDisk(optionsOf(7));
      await Promise.all(['/a', '/b', '/c'].map((path) => writeFile(disk, path, path.repeat(300), path === '/b')));
      return JSON.stringify(contentsOf(disk.powerLoss(optionsOf(8))));
    };
    assert.equal(await run(), await run());
  });
});

testObjectStore('disk store on a simulated disk', async (clock) => {
  const disk = new SimulatedDisk(optionsOf(1));
  const store = await openDiskStore({ directory: '/data', clock, disk, openIndex: openSimulatedIndex });
  return { store, close: () => store.close() };
});

// What a durable put of 4 KiB costs in the store, beside the least that could do: 64 puts in flight, in one process.
//   store   openDiskStore, durability strict: hash (MD5), journal, index, listing up to date
//   bare    MD5 and an append with fdatasync, grouped in the same way: no index, no checksum, nothing readable by key
//   lmdb    lmdb alone, one durable transaction for each group: the bytes as values
// Rounds are interleaved, because the machine drifts. Usage: node bench/store-put.ts [--seconds 2] [--rounds 3]

import { createHash } from 'node:crypto';
import { closeSync, fdatasync, openSync, write } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDiskStore } from '@stowage/store';
import { open as openLmdb } from 'lmdb';
import { readOptions } from '../scripts/script-options.ts';

const bodySizeBytes = 4096;
const inFlight = 64;

/** One way of putting: `put` resolves when the body is durable. */
interface Contender {
  put(number: number, body: Buffer): Promise<unknown>;
  close(): Promise<void>;
}

const contenders: Readonly<Record<string, (folder: string) => Promise<Contender>>> = {
  async store(folder) {
    const store = await openDiskStore({ directory: folder });
    await store.createBucket({ name: 'bench', owner: 'bench', region: 'eu-central-1' });
    const attributes = {
      systemMetadata: { 'content-type': 'application/octet-stream' },
      userMetadata: {},
      storageClass: 'STANDARD',
      owner: 'bench',
    };
    return {
      async put(number, content) {
        const writer = store.stageBody({ sizeBytes: content.length, maxSizeBytes: content.length, digests: ['MD5'] });
        writer.write(content);
        const body = await writer.finish();
        const etag = Buffer.from(body.digests.get('MD5') ?? []).toString('hex');
        return store.putObject({ bucket: 'bench', key: keyOf(number), body, etag, attributes });
      },
      close: () => store.close(),
    };
  },

  async bare(folder) {
    const file = openSync(join(folder, 'log'), 'a');
    const group = grouped<Buffer>(async (bodies) => {
      const bytes = Buffer.concat(bodies);
      await new Promise<void>((resolve, reject) => {
        write(file, bytes, 0, bytes.length, null, (error) => (error ? reject(error) : resolve()));
      });
      await new Promise<void>((resolve, reject) => fdatasync(file, (error) => (error ? reject(error) : resolve())));
    });
    return {
      put(_number, content) {
        createHash('md5').update(content).digest('hex');
        return group(Buffer.from(content));
      },
      close: async () => closeSync(file),
    };
  },

  async lmdb(folder) {
    const database = openLmdb<Buffer, Buffer>({
      path: folder,
      encoding: 'binary',
      keyEncoding: 'binary',
      overlappingSync: false,
    });
    const group = grouped<readonly [Buffer, Buffer]>(async (rows) => {
      await database.batch(() => {
        for (const [key, value] of rows) database.put(key, value);
      });
    });
    return {
      put(number, content) {
        createHash('md5').update(content).digest('hex');
        return group([Buffer.from(keyOf(number)), Buffer.from(content)]);
      },
      close: () => database.close(),
    };
  },
};

const { values } = readOptions(import.meta, {
  seconds: { type: 'number', default: 2 },
  rounds: { type: 'number', default: 3 },
  only: { type: 'string' },
});
const names = Object.keys(contenders).filter((name) => values.only === undefined || values.only === name);
const results = new Map<string, { readonly perSecond: number; readonly cpuMicros: number }[]>(
  names.map((name) => [name, []]),
);
for (let round = 0; round < values.rounds; round += 1) {
  for (const name of names) results.get(name)?.push(await measure(name, values.seconds));
}
const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0;
const rates = new Map(names.map((name) => [name, median((results.get(name) ?? []).map(({ perSecond }) => perSecond))]));
console.log(
  `4 KiB put, ${inFlight} in flight, durable once acknowledged (median of ${values.rounds} rounds of ${values.seconds} s)`,
);
for (const name of names) {
  const rate = rates.get(name) ?? 0;
  const cpu = median((results.get(name) ?? []).map(({ cpuMicros }) => cpuMicros));
  const ratio = rate / (rates.get('bare') ?? rate);
  console.log(
    `  ${name.padEnd(6)} ${rate.toFixed(0).padStart(7)}/s  ${ratio.toFixed(2)} of bare  ${cpu.toFixed(0)} µs CPU each`,
  );
}

async function measure(name: string, seconds: number): Promise<{ perSecond: number; cpuMicros: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'stowage-bench-'));
  const contender = await contenders[name]?.(folder);
  if (contender === undefined) throw new Error(`There is no contender ${name}.`);
  const body = Buffer.alloc(bodySizeBytes, 'stowage ');
  let done = 0;
  const work = async (until: number): Promise<void> => {
    while (performance.now() < until) {
      done += 1;
      body.writeUInt32BE(done);
      await contender.put(done, body);
    }
  };
  const run = (ms: number): Promise<unknown> => {
    const until = performance.now() + ms;
    return Promise.all(Array.from({ length: inFlight }, () => work(until)));
  };
  await run(300); // warm
  const before = done;
  const cpu = process.cpuUsage();
  const began = performance.now();
  await run(seconds * 1000);
  const elapsedMs = performance.now() - began;
  const used = process.cpuUsage(cpu);
  const count = done - before;
  await contender.close();
  await rm(folder, { recursive: true });
  return { perSecond: (count / elapsedMs) * 1000, cpuMicros: (used.user + used.system) / count };
}

/** Collects what comes while `flush` runs, and gives it to the next one: group commit without a timer. */
function grouped<Item>(flush: (items: Item[]) => Promise<void>): (item: Item) => Promise<void> {
  let waiting: { readonly item: Item; readonly resolve: () => void; readonly reject: (cause: unknown) => void }[] = [];
  let running = false;
  const run = async (): Promise<void> => {
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      try {
        await flush(group.map(({ item }) => item));
        for (const { resolve } of group) resolve();
      } catch (cause) {
        for (const { reject } of group) reject(cause);
      }
    }
    running = false;
  };
  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (running) return;
      running = true;
      queueMicrotask(() => void run());
    });
}

/** Keys as they come in life: not in order. */
function keyOf(number: number): string {
  return `objects/${String((number * 7919) % 1_000_003).padStart(7, '0')}/${number}`;
}

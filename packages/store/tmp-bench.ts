import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { openDiskStore } from './src/index.ts';

const directory = '/tmp/st/d2';
fs.rmSync(directory, { recursive: true, force: true });
const s = await openDiskStore({ directory });
await s.createBucket({ name: 'b', owner: 'o', region: 'r' });
const attributes = {
  systemMetadata: { 'content-type': 'a/b' },
  userMetadata: {},
  storageClass: 'STANDARD',
  owner: 'o',
};
const put = async (key: string, chunks: Buffer[], size: number | undefined) => {
  const w = s.stageBody({ maxSizeBytes: 1e12, digests: ['MD5'], ...(size === undefined ? {} : { sizeBytes: size }) });
  for (const c of chunks) {
    const p = w.write(c);
    if (p) await p;
  }
  const body = await w.finish();
  return s.putObject({
    bucket: 'b',
    key,
    body,
    etag: Buffer.from(body.digests.get('MD5')!).toString('hex'),
    attributes,
  });
};
const N = 20000;
for (let i = 0; i < N; i += 200)
  await Promise.all(
    Array.from({ length: 200 }, (_, j) => put('k/' + String(i + j).padStart(6, '0'), [Buffer.alloc(4096, i)], 4096)),
  );
const time = async (
  name: string,
  n: number,
  f: (i: number) => Promise<unknown> | unknown,
  conc = 16,
  unit = 'ops',
  scale = 1,
) => {
  let i = 0;
  const c = process.cpuUsage(),
    t = performance.now();
  await Promise.all(
    Array.from({ length: conc }, async () => {
      while (i < n) {
        await f(i++);
      }
    }),
  );
  const ms = performance.now() - t,
    u = process.cpuUsage(c);
  console.log(
    name.padEnd(28),
    (((n * scale) / ms) * 1000).toFixed(0),
    unit + '/s',
    ((u.user + u.system) / n).toFixed(1) + 'us cpu/op',
  );
};
const get = async (i: number) => {
  const o = s.openObject({ bucket: 'b', key: 'k/' + String((i * 7919) % N).padStart(6, '0') })!;
  await o.bytes();
  o.close();
};
for (let r = 0; r < 3; r++) {
  await time('get 4KiB', 40000, get);
  await time('head', 100000, (i) => s.headObject({ bucket: 'b', key: 'k/' + String((i * 7919) % N).padStart(6, '0') }));
  await time(
    'list pages of 1000',
    200,
    (i) =>
      s.listObjects({
        bucket: 'b',
        prefix: '',
        delimiter: '',
        after: 'k/' + String((i * 97) % 19000).padStart(6, '0'),
        limit: 1000,
      }),
    1,
    'keys',
    1000,
  );
}
const chunk = Buffer.alloc(65536, 3);
const chunks = Array.from({ length: 1024 }, () => chunk);
for (let r = 0; r < 3; r++) {
  await time('put 64MiB x4', 8, (i) => put('L' + i, chunks, 64 << 20), 4, 'MiB', 64);
  await time(
    'get 64MiB x4',
    8,
    async (i) => {
      const o = s.openObject({ bucket: 'b', key: 'L' + i })!;
      for await (const c of o.chunks());
      o.close();
    },
    4,
    'MiB',
    64,
  );
  await time(
    'range 64KiB of 64MiB',
    4000,
    async (i) => {
      const o = s.openObject({ bucket: 'b', key: 'L' + (i % 8) })!;
      const st = (i * 104729) % (63 << 20);
      await o.bytes({ start: st, end: st + 65535 });
      o.close();
    },
    16,
  );
  await time('put 1MiB inline', 64, (i) => put('M' + i, chunks.slice(0, 16), 1 << 20), 16, 'MiB', 1);
  await time('put 100KiB inline', 640, (i) => put('M' + i, [chunk, chunk.subarray(0, 36864)], 102400), 16, 'ops', 1);
  const h = createHash('md5');
  const t = performance.now();
  for (const c of chunks) h.update(c);
  console.log('md5 alone', ((64 / (performance.now() - t)) * 1000) | 0, 'MiB/s');
}
for (let i = 0; i < 20000; i++) {}
const dirs = 100,
  per = 200;
await s.createBucket({ name: 'd', owner: 'o', region: 'r' });
const putd = async (key: string) => {
  const w = s.stageBody({ maxSizeBytes: 10, digests: [], sizeBytes: 1 });
  w.write(Buffer.of(1));
  const body = await w.finish();
  return s.putObject({ bucket: 'd', key, body, etag: 'e', attributes });
};
for (let d = 0; d < dirs; d++) await Promise.all(Array.from({ length: per }, (_, j) => putd('dir' + d + '/f' + j)));
for (let r = 0; r < 3; r++)
  await time(
    'delimiter page 100 prefixes',
    300,
    () => {
      const l = s.listObjects({ bucket: 'd', prefix: '', delimiter: '/', after: '', limit: 1000 });
      if (l.commonPrefixes.length !== 100) throw 1;
    },
    1,
    'pages',
  );
console.log(process.memoryUsage().rss >> 20, 'MiB rss');
await s.close();
fs.rmSync(directory, { recursive: true });

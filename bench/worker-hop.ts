// What the way between an HTTP worker and the committer costs: a put (of 4 KiB) goes over, its answer comes back, and nothing
// else is done. Each way is run alone (one put at a time: how long is it under way?) and with 64 puts in flight (what does
// it cost each side in processor time?). Decision 008 rests on these figures.
//   thread, one by one     a message for each put, bytes copied or transferred
//   thread, batches        one message for all puts of a turn of the event loop
//   thread, packed         the same, the descriptions as one JSON text, the bodies as one transferred buffer
//   thread, shared         a ring in shared memory, woken by Atomics.waitAsync
//   process, batches       another process instead of a thread, by node's own channel
// Rounds are interleaved. Usage: node bench/worker-hop.ts [--rounds 5] [--puts 20000] [--size 4096]

import { type ChildProcess, fork } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { readOptions } from '../scripts/script-options.ts';

const inFlight = 64;
/** Twice what is ever in flight. */
const ringSizeBytes = 4 * 1024 * 1024;
const { values: flags } = readOptions(import.meta, {
  rounds: { type: 'number', default: 5 },
  puts: { type: 'number', default: 20_000 },
  size: { type: 'number', default: 4096 },
});
const bodySizeBytes = flags.size;

const ways = [
  'thread, one by one, copied',
  'thread, one by one, transferred',
  'thread, batches, copied',
  'thread, batches, transferred',
  'thread, packed',
  'thread, shared',
  'process, batches',
] as const;
type Way = (typeof ways)[number];

interface Put {
  readonly id: number;
  readonly name: string;
  readonly argument: Readonly<Record<string, unknown>>;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

interface Answer {
  readonly id: number;
  readonly result: Readonly<Record<string, unknown>>;
}

/** One side of a way. `send` may be called many times in a turn; `onItems` gets what the other side sent. */
interface End<Sent, Received> {
  send(item: Sent): void;
  onItems(take: (items: readonly Received[]) => void): void;
}

interface Channel {
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  onMessage(take: (message: unknown) => void): void;
}

/** Gathers what is sent in one turn of the event loop. */
function batched<Item>(flush: (items: Item[]) => void): (item: Item) => void {
  let waiting: Item[] = [];
  return (item) => {
    waiting.push(item);
    if (waiting.length > 1) return;
    setImmediate(() => {
      const items = waiting;
      waiting = [];
      flush(items);
    });
  };
}

/** The worker's end: puts go out, answers come in. */
function putEnd(way: Way, channel: Channel, rings: Rings): End<Put, Answer> {
  // What comes in was sent by `answerEnd` of the same way.
  const take = (use: (items: readonly Answer[]) => void) => channel.onMessage((message) => use(message as Answer[]));
  const bufferOf = ({ bytes }: Put): ArrayBuffer => bytes.buffer;
  switch (way) {
    case 'thread, one by one, copied':
      return { send: (put) => channel.post([put]), onItems: take };
    case 'thread, one by one, transferred':
      return { send: (put) => channel.post([put], [bufferOf(put)]), onItems: take };
    case 'thread, batches, copied':
    case 'process, batches':
      return { send: batched((puts) => channel.post(puts)), onItems: take };
    case 'thread, batches, transferred':
      return { send: batched((puts) => channel.post(puts, puts.map(bufferOf))), onItems: take };
    case 'thread, packed':
      return {
        send: batched((puts) => {
          const bytes = Buffer.allocUnsafeSlow(puts.length * bodySizeBytes);
          for (const [at, put] of puts.entries()) bytes.set(put.bytes, at * bodySizeBytes);
          channel.post(
            [JSON.stringify(puts.map(({ id, name, argument }) => ({ id, name, argument }))), bytes],
            [bytes.buffer],
          );
        }),
        onItems: (use) => channel.onMessage((message) => use(JSON.parse(String(message)))),
      };
    case 'thread, shared':
      return {
        send: batched((puts) => {
          for (const put of puts) writeFrame(rings.there, put, put.bytes);
          wake(rings.there);
        }),
        onItems: (use) => void readFrames(rings.back, (frames) => use(frames.map(({ item }) => item as Answer))),
      };
  }
}

/** The committer's end: puts come in, answers go out. */
function answerEnd(way: Way, channel: Channel, rings: Rings): End<Answer, Put> {
  const take = (use: (items: readonly Put[]) => void) => channel.onMessage((message) => use(message as Put[]));
  switch (way) {
    case 'thread, one by one, copied':
    case 'thread, one by one, transferred':
      return { send: (answer) => channel.post([answer]), onItems: take };
    case 'thread, batches, copied':
    case 'thread, batches, transferred':
    case 'process, batches':
      return { send: batched((answers) => channel.post(answers)), onItems: take };
    case 'thread, packed':
      return {
        send: batched((answers) => channel.post(JSON.stringify(answers))),
        onItems: (use) =>
          channel.onMessage((message) => {
            const [text, bytes] = message as readonly [string, Uint8Array<ArrayBuffer>];
            const puts = JSON.parse(text) as Omit<Put, 'bytes'>[];
            use(
              puts.map((put, at) => ({ ...put, bytes: bytes.subarray(at * bodySizeBytes, (at + 1) * bodySizeBytes) })),
            );
          }),
      };
    case 'thread, shared':
      return {
        send: batched((answers) => {
          for (const answer of answers) writeFrame(rings.back, answer, undefined);
          wake(rings.back);
        }),
        onItems: (use) =>
          void readFrames(rings.there, (frames) =>
            use(frames.map(({ item, bytes }) => ({ ...(item as Omit<Put, 'bytes'>), bytes }))),
          ),
      };
  }
}

/** A ring of frames in shared memory. Cells: bytes written so far, bytes read so far, a bell that is rung after writing. */
interface Ring {
  readonly cells: Int32Array<SharedArrayBuffer>;
  readonly bytes: Buffer;
}
interface Rings {
  readonly there: Ring;
  readonly back: Ring;
}
const writtenCell = 0;
const readCell = 1;
const bellCell = 2;
const cellsSizeBytes = 16;

function openRing(memory: SharedArrayBuffer): Ring {
  return {
    cells: new Int32Array(memory, 0, cellsSizeBytes / 4),
    bytes: Buffer.from(memory as unknown as ArrayBuffer, cellsSizeBytes), // a Buffer over shared memory works alike
  };
}

/** The ring is larger than all that is ever in flight here, so nothing waits for room; a frame lies in one piece. */
function writeFrame({ cells, bytes }: Ring, item: object, body: Uint8Array | undefined): void {
  const text = JSON.stringify({ ...item, bytes: undefined });
  const most = 8 + text.length * 3 + (body?.length ?? 0);
  let at = (cells[writtenCell] ?? 0) % ringSizeBytes;
  if (at + most + 8 > ringSizeBytes) {
    bytes.writeInt32LE(-1, at);
    at = 0;
  }
  const length = bytes.write(text, at + 8);
  bytes.writeInt32LE(length, at);
  bytes.writeInt32LE(body?.length ?? 0, at + 4);
  if (body !== undefined) bytes.set(body, at + 8 + length);
  const end = at + 8 + length + (body?.length ?? 0);
  Atomics.store(cells, writtenCell, end + (8 - (end % 8)));
}

function wake({ cells }: Ring): void {
  Atomics.add(cells, bellCell, 1);
  Atomics.notify(cells, bellCell);
}

interface Frame {
  readonly item: unknown;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

async function readFrames({ cells, bytes }: Ring, use: (frames: Frame[]) => void): Promise<void> {
  setInterval(() => undefined, 60_000); // what waits by waitAsync alone does not keep a thread running
  let at = 0;
  for (;;) {
    const bell = Atomics.load(cells, bellCell);
    const written = Atomics.load(cells, writtenCell);
    const frames: Frame[] = [];
    while (at !== written) {
      const length = bytes.readInt32LE(at);
      if (length === -1) {
        at = 0;
        continue;
      }
      const bodyLength = bytes.readInt32LE(at + 4);
      const start = at + 8;
      const body = new Uint8Array(bodyLength);
      body.set(bytes.subarray(start + length, start + length + bodyLength));
      frames.push({ item: JSON.parse(bytes.toString('utf8', start, start + length)), bytes: body });
      const end = start + length + bodyLength;
      at = end + (8 - (end % 8));
    }
    Atomics.store(cells, readCell, at);
    if (frames.length > 0) use(frames);
    const waiting = Atomics.waitAsync(cells, bellCell, bell);
    if (waiting.async) await waiting.value;
  }
}

interface Round {
  /** One put at a time: microseconds from sending to the answer, median. */
  readonly aloneMicros: number;
  /** With 64 in flight: processor time of the worker's side for each put. */
  readonly workerMicros: number;
  readonly perSecond: number;
}

/** Runs in the worker: sends puts and waits for their answers. `end` absent: answers itself, to know what the loop costs. */
async function putMany(end: End<Put, Answer> | undefined, puts: number): Promise<Round> {
  const waiting = new Map<number, (answer: Answer) => void>();
  end?.onItems((answers) => {
    for (const answer of answers) {
      waiting.get(answer.id)?.(answer);
      waiting.delete(answer.id);
    }
  });
  let sent = 0;
  const put = (): Promise<Answer> => {
    sent += 1;
    const item: Put = { id: sent, name: 'putObject', argument: argumentOf(sent), bytes: new Uint8Array(bodySizeBytes) };
    if (end === undefined) return new Promise((resolve) => setImmediate(() => resolve(answerTo(item))));
    return new Promise((resolve) => {
      waiting.set(item.id, resolve);
      end.send(item);
    });
  };
  const lane = async (until: number): Promise<void> => {
    while (sent < until) await put();
  };
  await Promise.all(Array.from({ length: inFlight }, () => lane(puts / 4))); // warm
  const alone: number[] = [];
  for (let count = 0; count < 500; count += 1) {
    const began = performance.now();
    await put();
    alone.push((performance.now() - began) * 1000);
  }
  const cpu = process.threadCpuUsage();
  const began = performance.now();
  const before = sent;
  await Promise.all(Array.from({ length: inFlight }, () => lane(before + puts)));
  const elapsedMs = performance.now() - began;
  const used = process.threadCpuUsage(cpu);
  const count = sent - before;
  return {
    aloneMicros: median(alone),
    workerMicros: (used.user + used.system) / count,
    perSecond: (count / elapsedMs) * 1000,
  };
}

/** What an engine says of an object beside its bytes. */
function argumentOf(number: number): Put['argument'] {
  return {
    bucket: 'bench',
    key: `objects/${String(number % 5000).padStart(6, '0')}`,
    etag: '9a0364b9e99bb480dd25e1f0284c8555',
    sizeBytes: bodySizeBytes,
    attributes: {
      systemMetadata: { 'content-type': 'application/octet-stream' },
      userMetadata: {},
      storageClass: 'STANDARD',
      owner: '000000000000',
    },
    checksum: { algorithm: 'CRC32', type: 'FULL_OBJECT', value: 'AAAAAA==' },
  };
}

function answerTo({ id, argument, bytes }: Put): Answer {
  if (bytes.length !== bodySizeBytes) throw new Error(`A body of ${bytes.length} bytes has come.`);
  return { id, result: { ...argument, versionId: 'null', sequence: id, lastModifiedMs: 1_795_000_000_000 } };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

// ---- The other side: a thread or a process that is told its way, puts, and says what they cost it.

interface Orders {
  readonly way: Way | 'none';
  readonly puts: number;
  readonly there: SharedArrayBuffer;
  readonly back: SharedArrayBuffer;
}

async function obey(orders: Omit<Orders, 'there' | 'back'>, channel: Channel, rings: Rings): Promise<Round> {
  return putMany(orders.way === 'none' ? undefined : putEnd(orders.way, channel, rings), orders.puts);
}

async function beWorker(): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('The worker has no port to its parent.');
  const orders = workerData as Orders; // measure() gave them
  const items = orders.way === 'none' ? undefined : orders;
  const channel: Channel = {
    post: (message, transfer = []) => port.postMessage(message, transfer),
    onMessage: (take) => port.on('message', take),
  };
  const rings = { there: openRing(orders.there), back: openRing(orders.back) };
  const round = await obey(items ?? orders, channel, rings);
  port.postMessage({ round });
}

function beProcess(): void {
  const noRing = openRing(new SharedArrayBuffer(cellsSizeBytes));
  process.once('message', (orders: Orders) => {
    const channel: Channel = {
      post: (message) => void process.send?.(message),
      onMessage: (take) => process.on('message', take),
    };
    void obey(orders, channel, { there: noRing, back: noRing }).then((round) => process.send?.({ round }));
  });
}

/** One round of one way. `committerMicros`: processor time of this thread for each put, waiting included, idle excluded. */
async function measure(way: Way | 'none', puts: number): Promise<Round & { readonly committerMicros: number }> {
  const there = new SharedArrayBuffer(cellsSizeBytes + ringSizeBytes);
  const back = new SharedArrayBuffer(cellsSizeBytes + ringSizeBytes);
  const rings = { there: openRing(there), back: openRing(back) };
  const entry = fileURLToPath(import.meta.url);
  const other =
    way === 'process, batches'
      ? fork(entry, process.argv.slice(2), { serialization: 'advanced', env: { ...process.env, HOP: 'process' } })
      : new Worker(entry, { argv: process.argv.slice(2), workerData: { way, puts, there, back } satisfies Orders });
  const done = Promise.withResolvers<Round>();
  let take: (message: unknown) => void = () => undefined;
  let cpu = process.threadCpuUsage();
  let handled = 0;
  let total = 0;
  const onMessage = (message: unknown): void => {
    if (typeof message === 'object' && message !== null && 'round' in message) done.resolve(message.round as Round);
    else take(message);
  };
  if (other instanceof Worker) other.on('message', onMessage);
  else other.on('message', onMessage);
  other.on('error', done.reject);
  if (way !== 'none') {
    const end = answerEnd(way, { post: (message) => send(other, message), onMessage: (use) => (take = use) }, rings);
    end.onItems((items) => {
      for (const item of items) end.send(answerTo(item));
      handled += items.length;
      total += items.length;
      // The warm-up and the puts that go alone are not counted.
      if (total <= puts / 4 + 500 + inFlight) {
        cpu = process.threadCpuUsage();
        handled = 0;
      }
    });
  }
  if (!(other instanceof Worker)) other.send({ way, puts });
  const round = await done.promise;
  const used = process.threadCpuUsage(cpu);
  if (other instanceof Worker) await other.terminate();
  else other.kill();
  return { ...round, committerMicros: way === 'none' ? 0 : (used.user + used.system) / handled };
}

function send(other: Worker | ChildProcess, message: unknown): void {
  if (other instanceof Worker) other.postMessage(message);
  else other.send(message as object);
}

async function main(): Promise<void> {
  const fits = bodySizeBytes * inFlight * 2 < ringSizeBytes;
  const all = ['none' as const, ...ways.filter((way) => fits || way !== 'thread, shared')];
  const results = new Map<string, (Round & { readonly committerMicros: number })[]>(all.map((way) => [way, []]));
  for (let round = 0; round < flags.rounds; round += 1) {
    for (const way of all) results.get(way)?.push(await measure(way, flags.puts));
  }
  const of = (way: string, figure: 'aloneMicros' | 'workerMicros' | 'committerMicros' | 'perSecond'): number =>
    median((results.get(way) ?? []).map((result) => result[figure]));
  const loopMicros = of('none', 'workerMicros');
  console.log(
    `A put of ${bodySizeBytes} bytes to the committer and its answer back (medians of ${flags.rounds} rounds, µs)`,
  );
  console.log(`The loop that makes the puts costs ${loopMicros.toFixed(1)} of itself, which is taken off.\n`);
  console.log(`${''.padEnd(34)}alone  worker CPU  committer CPU  puts/s`);
  for (const way of all.slice(1)) {
    const cells = [
      of(way, 'aloneMicros').toFixed(0).padStart(5),
      (of(way, 'workerMicros') - loopMicros).toFixed(1).padStart(10),
      of(way, 'committerMicros').toFixed(1).padStart(13),
      of(way, 'perSecond').toFixed(0).padStart(8),
    ];
    console.log(`${way.padEnd(34)}${cells.join('  ')}`);
  }
}

if (!isMainThread) await beWorker();
else if (process.env.HOP === 'process') beProcess();
else await main();

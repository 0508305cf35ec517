// kill -9 of a real engine with 16 writers at it over HTTP: small and large objects, parts, deletes. After each round the engine is
// started again on the same folder: whatever it had acknowledged must be there, whole, and nothing in part.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ServerProcess, startServer } from '../../../scripts/serving/start-server.ts';
import { HttpBucket } from '../http-bucket.ts';
import { bytesOf } from '../power-loss/contents.ts';

const writers = 16;
/** Few, so that writers overwrite their own objects; each key belongs to one writer. */
const keysPerWriter = 7;
const largeParts = 4;
/** What S3 asks of every part but the last; made of pieces, as bodies are limited. */
const minPartBytes = 5 * 1024 * 1024;
const pieceBytes = 500_000;
/** A round goes on until so many writes were acknowledged in it, and then for some time more. */
const leastAcknowledged = writers;
const longestWarmUpMs = 20_000;
const roundSpreadMs = 1000;
const readsAtOnce = 8;

/** What a write leaves: absent for a delete. */
type Content = { readonly number: number; readonly kind: 'small' | 'large' | 'parts' | 'manyParts' } | undefined;

interface Expected {
  acknowledged: Content;
  /** Sent and not answered: it may have happened, wholly, or not. */
  underWay: { readonly content: Content } | undefined;
}

interface KillOptions {
  readonly rounds: number;
  /** Threads of the engine that take requests. Default: one and two in turn, where the platform can share a port. */
  readonly workers?: number;
  readonly tell: (line: string) => void;
}

interface KillRounds {
  readonly rounds: number;
  readonly acknowledged: number;
  /** Writes that were under way at a kill, and of those what happened all the same. */
  readonly underWay: number;
  readonly happened: number;
  readonly faults: readonly string[];
}

export async function runKillRounds({ rounds, workers, tell }: KillOptions): Promise<KillRounds> {
  const root = await mkdtemp(join(tmpdir(), 'stowage-kill-'));
  const run = new KillRun(join(root, 'data'), workers);
  try {
    for (let round = 0; round < rounds; round += 1) {
      await run.round(round);
      const { acknowledged, faults } = run;
      tell(`Round ${round + 1}: ${acknowledged} writes acknowledged so far, ${faults.length} faults.`);
    }
    await run.lastLook();
    return { rounds, ...run.figures };
  } finally {
    await run.stop();
    await rm(root, { recursive: true, force: true });
  }
}

export function renderKillRounds({ rounds, acknowledged, underWay, happened, faults }: KillRounds): string {
  const verdict = faults.length === 0 ? '✔ 0 lost, 0 half.' : `✖ ${faults.join('\n  ')}`;
  return `${rounds} rounds of kill -9 under ${writers} writers: ${acknowledged} acknowledged writes; ${underWay} under way, ${happened} of which happened. ${verdict}`;
}

class KillRun {
  readonly faults: string[] = [];
  readonly #directory: string;
  readonly #workers: number | undefined;
  readonly #expected = new Map<string, Expected>();
  #server: ServerProcess | undefined;
  #count = 0;
  acknowledged = 0;
  #underWay = 0;
  #happened = 0;

  constructor(directory: string, workers: number | undefined) {
    this.#directory = directory;
    this.#workers = workers;
  }

  get figures(): Omit<KillRounds, 'rounds'> {
    const { acknowledged, faults } = this;
    return { acknowledged, faults, underWay: this.#underWay, happened: this.#happened };
  }

  async round(round: number): Promise<void> {
    const { bucket, server } = await this.#start(round);
    await this.#look(bucket);
    let killed = false;
    const writing = Array.from({ length: writers }, (_, writer) => this.#write(bucket, writer, () => killed));
    const before = this.acknowledged;
    const warmUntilMs = performance.now() + longestWarmUpMs;
    while (this.acknowledged < before + leastAcknowledged && performance.now() < warmUntilMs) await sleep(20);
    await sleep((round * 197) % roundSpreadMs);
    killed = true;
    server.child.kill('SIGKILL');
    await server.ended;
    await Promise.all(writing);
  }

  async lastLook(): Promise<void> {
    const { bucket } = await this.#start(0);
    await this.#look(bucket);
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
  }

  async #start(round: number): Promise<{ bucket: HttpBucket; server: ServerProcess }> {
    await this.#server?.stop();
    const workers = this.#workers ?? (round % 2 === 1 && process.platform === 'linux' ? 2 : 1);
    const threads = workers > 1 ? ['--workers', String(workers)] : [];
    const server = await startServer({ args: ['engine', '--port', '0', '--data', this.#directory, ...threads] });
    this.#server = server;
    const { endpoint, credentials } = server;
    const bucket = new HttpBucket({ endpoint, credentials, name: 'bucket' });
    await bucket.create(); // it may be there already
    return { bucket, server };
  }

  async #write(bucket: HttpBucket, writer: number, isKilled: () => boolean): Promise<void> {
    for (let count = 0; !isKilled(); count += 1) {
      const key = `${writer}/${count % keysPerWriter}`;
      const content = this.#nextContent(writer, count);
      const expected = this.#expected.get(key) ?? { acknowledged: undefined, underWay: undefined };
      this.#expected.set(key, expected);
      expected.underWay = { content };
      try {
        const answer = await send(bucket, key, content);
        if (answer.status >= 300) throw new Error(`${key} was refused: ${answer.status} ${answer.code}`);
        expected.acknowledged = content;
        expected.underWay = undefined;
        this.acknowledged += 1;
      } catch (cause) {
        if (isKilled()) return;
        this.faults.push(`A writer failed before the kill: ${String(cause)}`);
        return;
      }
    }
  }

  #nextContent(writer: number, count: number): Content {
    this.#count += 1;
    const number = this.#count;
    const turn = (writer + count) % 20;
    if (turn < 12) return { number, kind: 'small' };
    if (turn < 14) return { number, kind: 'large' };
    if (turn < 16) return undefined;
    return { number, kind: turn < 19 ? 'parts' : 'manyParts' };
  }

  /** Holds everything against what was acknowledged; what it shows is then what there is. */
  async #look(bucket: HttpBucket): Promise<void> {
    const listed = new Set(await bucket.keys());
    const waiting = this.#expected.entries();
    const lane = async (): Promise<void> => {
      for (const [key, expected] of waiting) await this.#lookAt(bucket, key, { expected, isListed: listed.has(key) });
    };
    await Promise.all(Array.from({ length: readsAtOnce }, lane));
    for (const key of listed) if (!this.#expected.has(key)) this.faults.push(`${key} was never written.`);
  }

  async #lookAt(
    bucket: HttpBucket,
    key: string,
    { expected, isListed }: { readonly expected: Expected; readonly isListed: boolean },
  ): Promise<void> {
    const answer = await bucket.get(key);
    const isThere = answer.status === 200;
    if (!isThere && answer.status !== 404) this.faults.push(`${key} answers ${answer.status} ${answer.code}.`);
    if (isThere !== isListed) this.faults.push(`${key} is ${isThere ? '' : 'not '}there, and the listing disagrees.`);
    const shows = (content: Content): boolean =>
      content === undefined ? !isThere : isThere && answer.body.equals(Buffer.concat(partsOf(content)));
    const { acknowledged, underWay } = expected;
    if (underWay !== undefined) {
      this.#underWay += 1;
      if (shows(underWay.content)) {
        this.#happened += 1;
        expected.acknowledged = underWay.content;
      }
      expected.underWay = undefined;
    }
    if (shows(expected.acknowledged)) return;
    const was = acknowledged === undefined ? 'nothing' : `${acknowledged.kind} ${acknowledged.number}`;
    this.faults.push(`${key} holds ${answer.body.length} bytes (${answer.status}): ${was} was acknowledged.`);
  }
}

async function send(bucket: HttpBucket, key: string, content: Content): ReturnType<HttpBucket['put']> {
  if (content === undefined) return bucket.delete(key);
  const parts = partsOf(content);
  const isUpload = content.kind === 'parts' || content.kind === 'manyParts';
  return isUpload ? bucket.upload(key, parts) : bucket.put(key, Buffer.concat(parts));
}

/** The parts of an upload, or the pieces of a body. */
function partsOf({ number, kind }: Exclude<Content, undefined>): Buffer[] {
  const small = bytesOf([{ number, sizeBytes: (number * 7919) % 20_000 }]);
  switch (kind) {
    case 'small':
      return [small];
    case 'large':
      return [pieces(number, largeParts * pieceBytes), small];
    case 'parts':
      return [pieces(number, pieceBytes)];
    case 'manyParts':
      return [pieces(number, minPartBytes), small];
  }
}

function pieces(number: number, sizeBytes: number): Buffer {
  const count = Math.ceil(sizeBytes / pieceBytes);
  const bodies = Array.from({ length: count }, (_, index) => ({ number: number * 100 + index, sizeBytes: pieceBytes }));
  return bytesOf(bodies).subarray(0, sizeBytes);
}

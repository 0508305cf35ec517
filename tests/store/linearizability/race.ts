// One race: several clients, each with a connection of its own, at a few keys of one bucket, all at once. What they do comes
// from a seed; when it happens does not, so a history is recorded and judged, not predicted.
//   start    all put with If-None-Match: * at one key: exactly one may win
//   middle   each does what it likes: conditional and plain puts and deletes, reads, listings
//   end      all put or delete with If-Match of the version that stands there: exactly one may win

import { createHash } from 'node:crypto';
import { Agent, request } from 'node:http';
import { SigningKeys, signRequest } from '@stowage/s3';
import { SeededRandom } from '../../../packages/store/src/testing/seeded-random.ts';
import type { Recorded } from './checker.ts';
import type { RaceCondition, RaceOperation, WriteOutcome } from './race-model.ts';

export interface RaceTarget {
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

interface RaceOptions {
  readonly seed: number;
  /** It must be there. */
  readonly bucket: string;
  /** Default 6. */
  readonly clients?: number;
  /** Operations of each client in the middle. Default 8. */
  readonly steps?: number;
}

export interface RaceHistory {
  readonly keys: number;
  readonly history: readonly Recorded<RaceOperation>[];
  /** How many won where exactly one may: at the start, and at the end. */
  readonly winners: readonly number[];
}

const keyCount = 3;

/** Runs one race. @throws Error for an answer that no operation of it may get. */
export async function runRace(target: RaceTarget, options: RaceOptions): Promise<RaceHistory> {
  const { seed, bucket, clients = 6, steps = 8 } = options;
  const random = new SeededRandom(seed);
  const field = new RaceField(target, bucket, `race-${seed}`);
  const racers = Array.from({ length: clients }, (_, number) => new Racer(field, number, random.fork()));
  try {
    // Connections first, so that the start is one.
    await Promise.all(racers.map((racer) => racer.read(2)));
    const started = await Promise.all(racers.map((racer) => racer.put(0, { ifNoneMatch: '*' })));
    await Promise.all(racers.map((racer) => racer.run(steps)));
    const current = (await racers[0]?.read(0)) ?? '';
    const deletes = random.chance(0.3) && current !== '';
    const condition: RaceCondition = current === '' ? { ifNoneMatch: '*' } : { ifMatch: current };
    const ended = await Promise.all(
      racers.map((racer) => (deletes ? racer.delete(0, condition) : racer.put(0, condition))),
    );
    await racers[0]?.list();
    const count = (outcomes: readonly WriteOutcome[]): number =>
      outcomes.filter((outcome) => outcome === 'done').length;
    return { keys: keyCount, history: field.history, winners: [count(started), count(ended)] };
  } finally {
    for (const racer of racers) racer.close();
  }
}

/** What the racers of one race share. */
class RaceField {
  readonly target: RaceTarget;
  readonly history: Recorded<RaceOperation>[] = [];
  /** The last version of each key that anybody has seen: what conditions are made of, so that they often nearly hold. */
  readonly seen: string[] = Array.from({ length: keyCount }, () => '');
  readonly #bucket: string;
  readonly #prefix: string;

  constructor(target: RaceTarget, bucket: string, prefix: string) {
    this.target = target;
    this.#bucket = bucket;
    this.#prefix = prefix;
  }

  pathOf(key: number): string {
    return `/${this.#bucket}/${this.#prefix}/${key}`;
  }

  get listing(): { readonly path: string; readonly query: readonly (readonly [string, string])[] } {
    return {
      path: `/${this.#bucket}`,
      query: [
        ['list-type', '2'],
        ['prefix', `${this.#prefix}/`],
      ],
    };
  }

  /** The ETags in a listing, by key. */
  readListing(document: string): string[] {
    const etags = Array.from({ length: keyCount }, () => '');
    for (const [, key = '', rest = ''] of document.matchAll(/<Contents><Key>[^<]*\/(\d+)<\/Key>(.*?)<\/Contents>/gs)) {
      etags[Number(key)] = /<ETag>(?:&quot;|")?([0-9a-f]{32})/.exec(rest)?.[1] ?? 'no ETag';
    }
    return etags;
  }
}

class Racer {
  readonly #field: RaceField;
  readonly #number: number;
  readonly #random: SeededRandom;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #signingKeys = new SigningKeys();
  #writes = 0;

  constructor(field: RaceField, number: number, random: SeededRandom) {
    this.#field = field;
    this.#number = number;
    this.#random = random;
  }

  async run(steps: number): Promise<void> {
    for (let step = 0; step < steps; step += 1) {
      const key = this.#random.below(keyCount);
      switch (this.#random.pickWeighted({ put: 2, swap: 4, create: 3, remove: 2, drop: 1, read: 4, list: 2 })) {
        case 'put':
          await this.put(key, undefined);
          break;
        case 'swap':
          await this.put(key, this.#ifMatch(key));
          break;
        case 'create':
          await this.put(key, { ifNoneMatch: '*' });
          break;
        case 'remove':
          await this.delete(key, this.#ifMatch(key));
          break;
        case 'drop':
          await this.delete(key, undefined);
          break;
        case 'read':
          await this.read(key);
          break;
        case 'list':
          await this.list();
          break;
      }
    }
  }

  async put(key: number, condition: RaceCondition): Promise<WriteOutcome> {
    this.#writes += 1;
    const body = `${this.#field.pathOf(key)} ${this.#number}.${this.#writes}`;
    const etag = createHash('md5').update(body).digest('hex');
    const sent = { method: 'PUT', path: this.#field.pathOf(key), headers: headersOf(condition), body };
    return this.#record(sent, ({ status, headers }) => {
      const outcome = outcomeOf(status, 200);
      const shown = unquoted(headers.etag);
      if (outcome === 'done' && shown !== etag) throw new Error(`A put of ${etag} was answered with ${shown}.`);
      if (outcome === 'done') this.#field.seen[key] = etag;
      return [{ kind: 'put', client: this.#number, key, etag, condition, outcome }, outcome];
    });
  }

  async delete(key: number, condition: RaceCondition): Promise<WriteOutcome> {
    const sent = { method: 'DELETE', path: this.#field.pathOf(key), headers: headersOf(condition) };
    return this.#record(sent, ({ status }) => {
      const outcome = outcomeOf(status, 204);
      return [{ kind: 'delete', client: this.#number, key, condition, outcome }, outcome];
    });
  }

  /** Answers the ETag that stands at the key. */
  async read(key: number): Promise<string> {
    const method = this.#random.chance(0.3) ? 'HEAD' : 'GET';
    return this.#record({ method, path: this.#field.pathOf(key) }, ({ status, headers, body }) => {
      if (status !== 200 && status !== 404) throw new Error(`A ${method} was answered with ${status}: ${body}`);
      const etag = status === 404 ? '' : unquoted(headers.etag);
      const held = method === 'GET' && status === 200 ? createHash('md5').update(body).digest('hex') : etag;
      if (held !== etag) throw new Error(`The ETag ${etag} came with the bytes of ${held}.`);
      if (etag !== '') this.#field.seen[key] = etag;
      return [{ kind: 'read', client: this.#number, key, etag }, etag];
    });
  }

  async list(): Promise<void> {
    await this.#record({ method: 'GET', ...this.#field.listing }, ({ status, body }) => {
      if (status !== 200) throw new Error(`A listing was answered with ${status}: ${body}`);
      return [{ kind: 'list', client: this.#number, etags: this.#field.readListing(body) }, undefined];
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  /** A condition that held when somebody last looked; before that, one that cannot hold. */
  #ifMatch(key: number): RaceCondition {
    return { ifMatch: this.#field.seen[key] || createHash('md5').digest('hex') };
  }

  async #record<Result>(sent: Sent, read: (answer: Answer) => readonly [RaceOperation, Result]): Promise<Result> {
    const invokedAt = performance.now();
    const answer = await this.#send(sent);
    const respondedAt = performance.now();
    const [operation, result] = read(answer);
    this.#field.history.push({ operation, invokedAt, respondedAt });
    return result;
  }

  #send({ method, path, query = [], headers = {}, body }: Sent): Promise<Answer> {
    const { endpoint, credentials } = this.#field.target;
    const signed = signRequest({
      method,
      endpoint,
      path,
      query,
      headers,
      credentials,
      region: 'us-east-1',
      nowMs: Date.now(),
      signingKeys: this.#signingKeys,
    });
    return new Promise((resolve, reject) => {
      const outgoing = request(signed.url, { method, headers: signed.headers, agent: this.#agent }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: String(Buffer.concat(chunks)) });
        });
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }
}

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly query?: readonly (readonly [string, string])[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Answer {
  readonly status: number;
  readonly headers: { readonly etag?: string | undefined };
  readonly body: string;
}

function headersOf(condition: RaceCondition): Readonly<Record<string, string>> {
  if (condition === undefined) return {};
  return 'ifMatch' in condition ? { 'if-match': `"${condition.ifMatch}"` } : { 'if-none-match': '*' };
}

function outcomeOf(status: number, success: number): WriteOutcome {
  if (status === success) return 'done';
  if (status === 412) return 'refused';
  if (status === 404) return 'missing';
  throw new Error(`A conditional write was answered with ${status}.`);
}

function unquoted(etag: string | undefined): string {
  return (etag ?? '').replaceAll('"', '');
}

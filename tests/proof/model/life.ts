// One sequence of commands, lived through by one tenant: each step is predicted by the model, done by the real service, and the rows
// are held against the prediction. In the end all work settles, the eleven invariants are proven, and after every deadline nothing
// is left but what is ready.

import { createHash } from 'node:crypto';
import type { Doors } from '../invariants/examination.ts';
import { History } from '../invariants/history.ts';
import { checkInvariants, renderViolation } from '../invariants.ts';
import type { Caller, ProofWorld } from '../proof-world.ts';
import { openDoors } from '../service-doors.ts';
import { type BoundCommand, bind, type Request } from './bound-command.ts';
import type { Command, Step } from './commands.ts';
import { adoptExplained, type Done, describe, expectation, explain } from './compare.ts';
import type { Coverage } from './coverage.ts';
import { arriving, bytesOf, clockSpreadMs, emptyModel, type Model, type ModelFile } from './model-state.ts';
import { type Observation, observe } from './observe.ts';
import { type ClientMemory, perform } from './perform.ts';
import { joined } from './predict.ts';
import { mayWait, predictWork } from './predict-work.ts';

const dayMs = 24 * 60 * 60 * 1000;
/** Longer than anything is kept that is not kept for good; so often that what follows from one deadline meets the next. */
const restRoundMs = 31 * dayMs;
const maxRestRounds = 5;

interface LifeOptions {
  readonly world: ProofWorld;
  /** Somebody of another tenant. */
  readonly stranger: Caller;
  readonly coverage: Coverage;
  /** Whether the service is asked on every way for what nobody may have: as costly as all the rest. */
  readonly triesDoors: boolean;
  /** How far each instance's clock is before that of the bucket. */
  readonly offsetsMs: readonly number[];
}

interface TickOptions {
  /** Default `all`. */
  readonly who?: 'all' | 'first';
  /** Something else went on at the same time: only the invariants and the end say whether it was right. */
  readonly isLoose?: boolean;
  /** What went on. */
  readonly beside?: Done;
}

export class Life {
  readonly #options: LifeOptions;
  readonly #caller: Caller;
  readonly #model: Model;
  readonly #history = new History();
  readonly #memory: ClientMemory = { requests: new Map(), firstRequests: new Map(), handedOut: [], made: [] };
  #number = 0;

  private constructor(options: LifeOptions, caller: Caller) {
    this.#options = options;
    this.#caller = caller;
    this.#model = emptyModel(options.world.nowMs);
  }

  static async begin(options: LifeOptions): Promise<Life> {
    const { world } = options;
    world.setOffsets(options.offsetsMs);
    const caller = await world.addTenant();
    // It is told of everything, in rows: nobody is called.
    const { id } = await world.call('createWebhook', caller, { body: { url: 'https://hooks.example.com/proof' } });
    await world.call('changeWebhook', caller, { params: { id }, body: { enabled: false } });
    return new Life(options, caller);
  }

  async take(step: Step): Promise<void> {
    this.#readClocks();
    if (step.kind === 'race') return this.#race(step.both);
    const command = this.#bind(step.kind === 'raceWork' ? step.command : step);
    if (command === undefined) return;
    if (step.kind === 'raceWork') return this.#raceWork(command);
    await this.#do(command);
  }

  /** Lets everything come to rest, and proves it. */
  async end(): Promise<void> {
    const { world } = this.#options;
    await this.#turnScanner(true);
    await this.#tick();
    await this.#prove('after the sequence', this.#options.triesDoors);
    await this.#download();
    for (let round = 0; round < maxRestRounds && !this.#isAtRest(); round++) {
      world.advance(restRoundMs);
      await this.#tick({ who: 'first' });
    }
    await this.#prove('at rest', false);
    await this.#checkRest();
  }

  #readClocks(): void {
    const { nowMs, clocksMs } = this.#options.world;
    this.#model.nowMs = nowMs;
    this.#model.clocksMs = clocksMs;
  }

  #isAtRest(): boolean {
    return [...this.#model.files.values()].every(
      ({ state, jobs }) => (state === 'ready' || state === 'purged') && Object.keys(jobs).length === 0,
    );
  }

  #bind(command: Command): BoundCommand | undefined {
    return bind(this.#model, command, () => ++this.#number);
  }

  async #do(command: BoundCommand): Promise<void> {
    const { world, coverage } = this.#options;
    switch (command.kind) {
      case 'tick':
        coverage.count('tick');
        return this.#tick();
      case 'wait':
        coverage.count('wait');
        world.advance(command.durationMs);
        return;
      case 'scanner':
        coverage.count(command.isUp ? 'scanner up' : 'scanner down');
        return this.#turnScanner(command.isUp);
      case 'restart':
        coverage.count('restart');
        return world.restart(command.instance % world.instances, command.offsetMs);
      case 'quota':
        coverage.count(command.quotaBytes === null ? 'quota none' : 'quota small');
        this.#model.quotaBytes = command.quotaBytes;
        return world.setQuota(this.#caller, command.quotaBytes);
      default:
        return this.#judge([await this.#perform(command)]);
    }
  }

  async #perform(request: Request): Promise<Done> {
    const answer = await perform(this.#options.world, this.#caller, this.#memory, request);
    return { request, answer };
  }

  async #race([first, second]: readonly [Command, Command]): Promise<void> {
    const one = this.#bind(first);
    const isTwin = first.kind === second.kind && first.way === second.way && first.target === second.target;
    // A twin sends the very same, and the same Idempotency-Key.
    const other = isTwin && one !== undefined ? { ...one, instance: second.instance } : this.#bind(second);
    if (one === undefined || other === undefined) return;
    if (!isRequest(one) || !isRequest(other)) throw new Error(`${one.kind} cannot race ${other.kind}.`);
    await this.#judge(await Promise.all([this.#perform(one), this.#perform(other)]));
  }

  /** Holds answers and rows against the model, and goes on from the rows. */
  async #judge(done: readonly Done[]): Promise<void> {
    const { world, coverage } = this.#options;
    const race = done.length > 1;
    for (const { request, answer } of done) coverage.count(`${race ? 'race ' : ''}${request.kind} ${answer.status}`);
    const seen = await observe(world.database, this.#caller.tenantId);
    const explained = explain(this.#model, done, seen, this.#memory.firstRequests);
    if (explained.length === 0) {
      const words = done.map((each) => expectation(this.#model, each, seen, this.#memory.firstRequests));
      throw new Error(`${race ? 'Two at once, in no order explained' : 'Not as predicted'}: ${words.join(' | ')}`);
    }
    adoptExplained(this.#model, explained);
    this.#adopt(seen);
  }

  async #raceWork(command: BoundCommand): Promise<void> {
    const { world, coverage } = this.#options;
    if (!isRequest(command)) throw new Error(`${command.kind} cannot race the service's own work.`);
    const [{ answer }] = await Promise.all([this.#perform(command), world.tick()]);
    coverage.count(`raceWork ${command.kind}`);
    if (answer.status >= 500 && answer.status !== 503)
      throw new Error(`${describe(command)} answered ${answer.status}: ${answer.detail}`);
    await this.#tick({ isLoose: true, beside: { request: command, answer } });
  }

  async #turnScanner(isUp: boolean): Promise<void> {
    this.#options.world.scanner.isUp = isUp;
    this.#model.isScannerUp = isUp;
  }

  async #tick({ who = 'all', isLoose = false, beside }: TickOptions = {}): Promise<void> {
    const { world } = this.#options;
    this.#readClocks();
    const allowed = predictWork(this.#model, who === 'all' ? world.clocksMs : world.clocksMs.slice(0, 1));
    await world.tick(who);
    let seen = await observe(world.database, this.#caller.tenantId);
    if (who === 'all' && world.instances > 1 && hasWork(seen, Math.max(...world.clocksMs))) {
      // What one instance began while the other was looking.
      await world.tick();
      seen = await observe(world.database, this.#caller.tenantId);
    }
    for (const [id, after] of seen.files) {
      const before = this.#model.files.get(id);
      if (isLoose) continue;
      if (before === undefined) throw new Error(`The service made file ${id} by itself.`);
      const states = allowed.get(id) ?? new Set();
      if (states.has(after.state)) continue;
      if ((world.instances > 1 || !this.#model.isScannerUp) && mayWait(after, before, seen.files)) continue;
      throw new Error(
        `Work took file ${id} (${after.strategy}, ${after.category}, ${after.role}) from ${before.state} to ${after.state}; right would be ${[...states].join(' or ')}. Jobs before ${JSON.stringify(before.jobs)}, after ${JSON.stringify(after.jobs)}, review at ${before.reviewAtMs}, now ${this.#model.nowMs}, by the clocks ${world.clocksMs.join(' and ')}.`,
      );
    }
    if (beside !== undefined) this.#noteLoosely(beside, seen);
    for (const [id, after] of seen.files) this.#noteWork(this.#model.files.get(id), after);
    this.#adopt(seen);
  }

  /** What a client knows of its own request, whatever the service was doing meanwhile. */
  #noteLoosely({ request, answer }: Done, seen: Observation): void {
    if (request.kind === 'send' || request.kind === 'sendAgain') {
      if (answer.status !== 200) return;
      const bytes = bytesOf(this.#model, request.file);
      if (request.file.strategy === 'multipart')
        bytes.parts.set(request.partNumber, [...(bytes.parts.get(request.partNumber) ?? []), request.content]);
      else
        bytes.arrived =
          request.file.sealedBy === 'if-none-match' ? [request.content] : [...bytes.arrived, request.content];
    }
    if (request.kind === 'abortOutside') {
      const bytes = bytesOf(this.#model, request.file);
      const row = seen.files.get(request.file.id);
      if (row !== undefined && arriving.has(row.state)) {
        bytes.isLost = true;
        bytes.parts.clear();
      }
    }
    if (request.kind === 'openShare' && answer.status === 302) {
      const share = this.#model.shares.find(({ id }) => id === request.share.id);
      if (share !== undefined) share.downloads += 1;
    }
    if (request.kind === 'revokeShare') {
      const share = this.#model.shares.find(({ id }) => id === request.share.id);
      if (share !== undefined) share.isRevoked = true;
    }
  }

  /** What the bucket holds now that the service has worked. */
  #noteWork(before: ModelFile | undefined, after: ModelFile): void {
    const bytes = bytesOf(this.#model, after);
    if (before === undefined || arriving.has(before.state)) {
      if (after.state === 'aborted' || after.state === 'expired') bytes.isDiscardPending = true;
      else if (!arriving.has(after.state) && bytes.content.length === 0) bytes.content = this.#arrivedAs(after);
    }
    if (bytes.isDiscardPending && after.jobs.discard === undefined) {
      bytes.isDiscardPending = false;
      bytes.arrived = [];
      bytes.parts.clear();
    }
    if (after.state === 'purged') bytes.arrived = [];
  }

  #arrivedAs(file: ModelFile): readonly string[] {
    if (file.strategy === 'copy') return bytesOf(this.#model, { id: file.copiedFrom ?? '' }).content;
    return file.strategy === 'multipart' ? joined(this.#model, file) : bytesOf(this.#model, file).arrived;
  }

  #adopt(seen: Observation): void {
    this.#model.files.clear();
    for (const [id, file] of seen.files) this.#model.files.set(id, file);
    this.#model.folders = seen.folders;
    for (const share of this.#memory.made.splice(0)) {
      const path = new URL(share.url, 'http://files.test').pathname;
      const { id, maxDownloads = 0, target } = share;
      this.#model.shares.push({ id, path, maxDownloads, lineId: target.id, downloads: 0, isRevoked: false });
    }
  }

  async #prove(when: string, triesDoors: boolean): Promise<void> {
    const { world } = this.#options;
    // What is due is due by the clock that is first; nothing is by any other that is not by it.
    const latestMs = Math.max(...world.clocksMs);
    const violations = await checkInvariants({
      database: world.database,
      bucket: world.bucket,
      secret: world.secret,
      nowMs: latestMs,
      clockSpreadMs,
      tenantId: this.#caller.tenantId,
      settled: [...this.#model.files.values()].every(({ jobs }) =>
        Object.values(jobs).every((dueAtMs) => dueAtMs > latestMs),
      ),
      history: this.#history,
      witnesses: {
        verdictOn: world.scanner.verdictOn,
        handedOut: this.#memory.handedOut,
        ...(triesDoors ? { doors: this.#doors() } : {}),
      },
    });
    if (violations.length > 0) throw new Error(`${when}: ${violations.map(renderViolation).join('\n')}`);
  }

  #doors(): Doors {
    const shares = new Map<string, string[]>();
    for (const { lineId, path } of this.#model.shares) shares.set(lineId, [...(shares.get(lineId) ?? []), path]);
    return openDoors({ world: this.#options.world, owner: this.#caller, stranger: this.#options.stranger, shares });
  }

  /** One file that is ready gives the bytes that were sent. */
  async #download(): Promise<void> {
    const { world } = this.#options;
    const file = [...this.#model.files.values()].find(({ state, role }) => state === 'ready' && role === 'current');
    if (file === undefined) return;
    const answer = await world.respond('getContent', this.#caller, { params: { id: file.lineId } });
    const bytes = Buffer.from(await (await fetch(answer.headers.get('location') ?? '')).arrayBuffer());
    const { content } = bytesOf(this.#model, file);
    if (!content.some((sent) => Buffer.from(sent, 'latin1').equals(bytes))) {
      const found = createHash('sha256').update(bytes).digest('hex');
      throw new Error(`File ${file.id} serves ${bytes.length} bytes (${found}), which nobody sent for it.`);
    }
  }

  /** Every deadline is over: nothing is left but what is ready, and the bucket holds just that. */
  async #checkRest(): Promise<void> {
    const { world } = this.#options;
    const files = [...this.#model.files.values()];
    const unfinished = files.filter(({ state }) => state !== 'ready' && state !== 'purged');
    if (unfinished.length > 0)
      throw new Error(
        `At rest: ${unfinished.map(({ id, state, jobs }) => `${id} is ${state}, jobs ${JSON.stringify(jobs)}`).join(', ')}.`,
      );
    const ready = new Set(files.filter(({ state }) => state === 'ready').map(({ objectKey }) => objectKey));
    for (const zone of ['files', 'incoming', 'previews']) {
      const prefix = `${zone}/${this.#caller.tenantId}/`;
      for (const { key } of await world.bucket.versions(prefix))
        if (!ready.has(key)) throw new Error(`At rest the bucket holds ${key}, which is no ready file's.`);
      for (const { key } of await world.bucket.uploads(prefix)) throw new Error(`At rest an upload of ${key} is left.`);
    }
  }
}

function hasWork({ files }: Observation, nowMs: number): boolean {
  return [...files.values()].some(
    ({ jobs, reviewAtMs }) =>
      (reviewAtMs !== null && reviewAtMs <= nowMs) || Object.values(jobs).some((dueAtMs) => dueAtMs <= nowMs),
  );
}

function isRequest(command: BoundCommand): command is Request {
  return !['tick', 'wait', 'restart', 'scanner', 'quota'].includes(command.kind);
}

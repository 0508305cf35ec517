// Random lives: files are announced, sent, completed, given up, deleted and restored in any order, URLs are used again, time
// jumps, the service is closed and opened. A small model says what each step may answer; after every step the invariants of
// design §6 are checked on the rows and the bucket themselves, and in the end everything must have come to rest.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { FileState, SignedRequest } from '@stowage/contract';
import fc from 'fast-check';
import { bucket, dayMs, minuteMs, ServiceFixture, type StoredRow, sendBytes } from './service-fixture.ts';

const stepKinds = [
  ['create', 4],
  ['send', 6],
  ['resend', 2],
  ['complete', 5],
  ['abort', 1],
  ['trash', 3],
  ['restore', 2],
  ['race', 1],
  ['abortOutside', 1],
  ['wait', 4],
  ['tick', 6],
  ['restart', 1],
] as const;
type StepKind = (typeof stepKinds)[number][0];

interface Step {
  readonly kind: StepKind;
  /** Which of the files there are; taken modulo their number. */
  readonly file: number;
  /** How the step goes, where it can go in several ways. */
  readonly way: number;
}

const steps = fc.array(
  fc.record<Step>({
    kind: fc.oneof(...stepKinds.map(([kind, weight]) => ({ arbitrary: fc.constant(kind), weight }))),
    file: fc.nat(3),
    way: fc.nat(5),
  }),
  { minLength: 5, maxLength: 40, size: 'max' },
);

const waits = [minuteMs, 11 * minuteMs, 20 * minuteMs, dayMs - minuteMs, dayMs + minuteMs, 31 * dayMs] as const;

/** What the model knows of a file. */
interface ModelFile {
  readonly id: string;
  readonly expiresAtMs: number;
  /** The PUT that was handed out first. */
  readonly request: SignedRequest | undefined;
  /** The bytes the bucket took: for a PUT the first ones, for a part the last ones before it was joined. */
  content: string | undefined;
  /** Somebody aborted it in the bucket. */
  orphaned: boolean;
}

const sizeBytes = 8;
const programStart = '\x7fELF';
const arriving: readonly FileState[] = ['pending', 'uploading', 'completing'];
const ended: readonly FileState[] = ['aborted', 'expired', 'purging', 'purged'];

test('no order of steps breaks an invariant, and everything comes to rest', { timeout: 60_000 }, async (t) => {
  const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
  t.diagnostic(`SEED=${seed}`);
  const property = fc.asyncProperty(steps, (sequence) => live(t, sequence));
  await fc.assert(property, { seed, numRuns: 8, endOnFailure: process.env.SEED === undefined });
});

async function live(t: TestContext, sequence: readonly Step[]): Promise<void> {
  const world = await ServiceFixture.open(t, {
    limits: { multipartThresholdBytes: 4, sessionLifeMs: 10_000 * dayMs },
  });
  const life = new Life(world);
  for (const step of sequence) {
    await life.take(step);
    life.checkInvariants(step);
  }
  await life.rest();
}

class Life {
  readonly #world: ServiceFixture;
  readonly #files: ModelFile[] = [];
  #sent = 0;

  constructor(world: ServiceFixture) {
    this.#world = world;
  }

  async take({ kind, file: index, way }: Step): Promise<void> {
    const world = this.#world;
    const file = this.#files[index % Math.max(1, this.#files.length)];
    if (kind === 'create') return this.#create(way);
    if (kind === 'wait') return world.advance(waits[way] ?? 0);
    if (kind === 'tick') return this.#tick();
    if (kind === 'restart') return world.restart();
    if (file === undefined) return;
    const { state } = world.row(file.id);
    const onFile: Record<Exclude<StepKind, 'create' | 'wait' | 'tick' | 'restart'>, () => Promise<void>> = {
      send: () => this.#send(file),
      resend: () => this.#resend(file),
      complete: () => this.#complete(file, state),
      abort: () => this.#expect('abortUpload', file, arriving.includes(state) || ended.includes(state) ? 204 : 409),
      trash: () => this.#trash(file, state),
      restore: () => this.#restore(file, state),
      race: () => this.#race(file),
      abortOutside: () => this.#abortOutside(file),
    };
    await onFile[kind]();
  }

  async #create(way: number): Promise<void> {
    if (this.#files.length >= 4) return;
    // Four bytes go by PUT, eight in one part.
    const upload = await this.#world.announce({ sizeBytes: way % 2 === 0 ? sizeBytes / 2 : sizeBytes });
    const { id, expiresAt, request } = upload;
    this.#files.push({ id, expiresAtMs: Date.parse(expiresAt), request, content: undefined, orphaned: false });
  }

  /** As a client does: by what the service signs now. */
  async #send(file: ModelFile): Promise<void> {
    const world = this.#world;
    const upload = await world.call('getUpload', { id: file.id });
    if (upload.strategy === 'put') {
      if (upload.request !== undefined) await this.#put(file, upload.request);
      return;
    }
    const signing = await world.respond('signParts', { id: file.id, body: { partNumbers: [1] } });
    const open = (upload.state === 'pending' || upload.state === 'uploading') && world.nowMs < file.expiresAtMs;
    assert.equal(signing.status, open ? 200 : 409);
    if (!open) return;
    const { parts } = (await signing.json()) as { parts: SignedRequest[] };
    const content = this.#newContent(sizeBytes);
    assert.ok(parts[0]);
    const response = await sendBytes(parts[0], content);
    assert.equal(response.status, file.orphaned ? 404 : 200);
    if (!file.orphaned) file.content = content.toString();
  }

  /** By the URL that was handed out first, whatever has happened since. */
  async #resend(file: ModelFile): Promise<void> {
    if (file.request !== undefined) await this.#put(file, file.request);
  }

  async #put(file: ModelFile, request: SignedRequest): Promise<void> {
    const { objectKey } = this.#world.row(file.id);
    const taken = this.#world.keys().includes(objectKey);
    const content = this.#newContent(sizeBytes / 2);
    const { status } = await sendBytes(request, content);
    const expired = this.#world.nowMs >= Date.parse(request.expiresAt);
    assert.equal(status, expired ? 403 : taken ? 412 : 200, `${this.#world.row(file.id).state}`);
    if (status === 200) file.content = content.toString();
  }

  async #complete(file: ModelFile, state: FileState): Promise<void> {
    const { status } = await this.#world.respond('completeUpload', { id: file.id });
    const now = this.#world.row(file.id).state;
    if (ended.includes(state)) assert.equal(status, 409);
    else if (!arriving.includes(state)) assert.equal(status, 200);
    else if (file.content !== undefined && !file.orphaned) assert.deepEqual([status, now], [200, 'uploaded']);
    else if (file.orphaned) assert.deepEqual([status, now], [409, 'aborted']);
    else assert.deepEqual([status, now], [409, state]);
  }

  async #trash(file: ModelFile, state: FileState): Promise<void> {
    const gone = state === 'purging' || state === 'purged';
    const { status } = await this.#world.respond('deleteFile', { id: file.id });
    const deletable = state === 'ready' || state === 'trashed' || state === 'rejected';
    assert.equal(status, gone ? 404 : deletable ? 204 : 409, state);
  }

  async #restore(file: ModelFile, state: FileState): Promise<void> {
    const gone = state === 'purging' || state === 'purged';
    await this.#expect('restoreFile', file, gone ? 404 : state === 'ready' || state === 'trashed' ? 200 : 409);
  }

  /** Everything at once. Whoever wins, the invariants hold. */
  async #race({ id }: ModelFile): Promise<void> {
    const world = this.#world;
    const answers = await Promise.all([
      world.respond('completeUpload', { id }),
      world.respond('abortUpload', { id }),
      world.respond('deleteFile', { id }),
      world.tick(),
      world.respond('completeUpload', { id }),
      world.respond('restoreFile', { id }),
    ]);
    for (const answer of answers) assert.ok(answer === undefined || answer.status < 500, String(answer?.status));
  }

  async #abortOutside(file: ModelFile): Promise<void> {
    const { multipartUploadId: uploadId, objectKey: key, state } = this.#world.row(file.id);
    if (uploadId === null || !arriving.includes(state) || file.orphaned) return;
    await this.#world.engine.store.abortUpload({ bucket, key, uploadId });
    file.orphaned = true;
  }

  async #tick(): Promise<void> {
    await this.#world.tick();
    // Work that is due leaves nothing in between behind it.
    for (const { id, state } of this.#world.rows()) {
      assert.ok(!['uploaded', 'validating', 'scanning', 'completing'].includes(state), `${id} is left ${state}`);
    }
    for (const file of this.#files) {
      const row = this.#world.row(file.id);
      const due = this.#world.nowMs >= file.expiresAtMs;
      assert.ok(!due || !arriving.includes(row.state), `${file.id} is ${row.state} after its deadline`);
      if (row.state === 'expired') assert.ok(due, `${file.id} expired before its deadline`);
    }
  }

  async #expect(route: 'abortUpload' | 'restoreFile', { id }: ModelFile, status: number): Promise<void> {
    const response = await this.#world.respond(route, { id });
    assert.equal(response.status, status, await response.text());
  }

  /** Bytes that were not sent before; each sixth time the beginning of a program, which is not the text that was announced. */
  #newContent(length: number): Buffer {
    this.#sent++;
    if (this.#sent % 6 === 0) return Buffer.from(programStart.padEnd(length, ' '));
    return Buffer.from(String(this.#sent).padStart(length, '0'));
  }

  /** What must be so at any moment. */
  checkInvariants({ kind }: Step): void {
    const world = this.#world;
    const rows = world.rows();
    const keys = world.keys();
    assert.equal(new Set(rows.map(({ objectKey }) => objectKey)).size, rows.length);
    for (const key of keys) {
      assert.ok(
        rows.some(({ objectKey }) => objectKey === key),
        `${kind}: the bucket holds ${key}, and no row does.`,
      );
    }
    for (const row of rows) this.#checkRow(row, keys, kind);
  }

  #checkRow(row: StoredRow, keys: readonly string[], step: StepKind): void {
    const { id, state, objectKey: key } = row;
    const place = `after ${step}, ${id} is ${state}`;
    const file = this.#files.find((candidate) => candidate.id === id);
    const object = this.#world.engine.store.headObject({ bucket, key });
    if (state === 'ready' || state === 'trashed') {
      assert.notEqual(file?.content?.slice(0, 4), programStart, place);
      assert.ok(object !== undefined && file?.content !== undefined, place);
      assert.equal(object.sizeBytes, row.sizeBytes, place);
      assert.equal(`"${object.etag.replaceAll('"', '')}"`, row.objectEtag, place);
    }
    if (state === 'purged') assert.equal(keys.includes(key), false, place);
    const atRest = state === 'ready' || state === 'purged';
    assert.equal(row.reviewAtMs === null, atRest, `${place} with review at ${row.reviewAtMs}`);
  }

  /** Ready files serve what was sent; after every deadline nothing but them is left. */
  async rest(): Promise<void> {
    const world = this.#world;
    await this.#tick();
    for (const { id, content } of this.#files) {
      if (world.row(id).state === 'ready') assert.equal((await world.download(id)).toString(), content);
      else
        assert.equal(
          (await world.respond('getContent', { id })).status,
          world.row(id).state.startsWith('purg') ? 404 : 409,
        );
    }
    for (let round = 0; round < 3; round++) {
      world.advance(31 * dayMs);
      await this.#tick();
    }
    const rows = world.rows();
    for (const { state } of rows) assert.ok(state === 'ready' || state === 'purged', `At rest a file is ${state}.`);
    const ready = rows.filter(({ state }) => state === 'ready').map(({ objectKey }) => objectKey);
    assert.deepEqual([...world.keys()].sort(), ready.sort());
    assert.deepEqual(world.openUploads(), []);
    for (const { id, content } of this.#files) {
      if (world.row(id).state === 'ready') assert.equal((await world.download(id)).toString(), content);
    }
  }
}

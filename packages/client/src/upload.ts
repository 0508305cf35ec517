// One upload in the user's hand: its phases, its controls, its two promises (ARCHITECTURE.md, "The life of an upload").
// It owns no protocol: send-bytes.ts moves the bytes, upload-session.ts speaks with the service. Each start or resume is a
// leg, which begins with what the server says; pausing ends the leg and keeps what the bucket has acknowledged.

import { type CreateUploadRequest, type FileState, fileStates, type Upload } from '@stowage/contract';
import { asClientError, ClientError } from './client-error.ts';
import { createRateMeter } from './rate-meter.ts';
import type { FileHandle, ResumeStore } from './resume-store.ts';
import { type SendingParts, sendBytes } from './send-bytes.ts';
import type { ServiceConnection } from './service-connection.ts';
import { createSnapshotSource, type SnapshotSource } from './snapshot-source.ts';
import type { UploadClaims } from './upload-claim.ts';
import { openUploadSession, type UploadSession } from './upload-session.ts';
import type { UploadSource } from './upload-source.ts';

export type UploadPhase =
  /** Made, not begun. */
  | 'queued'
  /** Being announced to the service. */
  | 'starting'
  | 'sending'
  | 'paused'
  /** All bytes are sent; the service is confirming them with the bucket. */
  | 'confirming'
  /** The bytes are safe, and being checked. */
  | 'checking'
  | 'ready'
  | 'failed'
  | 'cancelled';

export interface UploadProgress {
  readonly sentBytes: number;
  readonly totalBytes: number;
  /** Over the last seconds; absent when nothing moves or it is too early to say. */
  readonly bytesPerSecond?: number;
  readonly secondsLeft?: number;
}

export interface UploadSnapshot {
  /** Absent until the service has made the upload. It is the file's id too. */
  readonly id?: string;
  readonly name: string;
  readonly folder: readonly string[];
  readonly contentType: string;
  readonly state: UploadPhase;
  readonly progress: UploadProgress;
  /** Why it failed. */
  readonly error?: ClientError;
  /** What is being waited out at this moment: the upload goes on by itself. */
  readonly trouble?: ClientError;
}

export interface UploadHandle extends SnapshotSource<UploadSnapshot> {
  readonly id: string | undefined;
  readonly state: UploadPhase;
  readonly progress: UploadProgress;
  /** Resolves when the bytes are safe in the bucket. Rejects with a ClientError. */
  readonly stored: Promise<Upload>;
  /** Resolves when the file is checked and usable. Rejects with a ClientError: `rejected`, `quarantined`, `cancelled`… */
  readonly ready: Promise<Upload>;
  /** Begins a queued upload. Does nothing otherwise. */
  start(): void;
  /** Stops sending; finished parts stay. Does nothing once all bytes are sent. */
  pause(): void;
  /** Goes on after a pause, and tries again after a failure. */
  resume(): void;
  /** Makes a paused upload a queued one, to be started when its turn comes. */
  requeue(): void;
  /** Gives the upload up, here and at the service. Does nothing once the bytes are stored. Resolves when the service knows. */
  cancel(): Promise<void>;
}

export interface UploadParts extends SendingParts {
  readonly service: ServiceConnection;
  readonly resumeStore: ResumeStore;
  readonly claims: UploadClaims;
}

export interface UploadSpec {
  readonly source: UploadSource;
  readonly folder: readonly string[];
  /** Of an upload that was begun earlier. */
  readonly resume: string | undefined;
  readonly handle: FileHandle | undefined;
}

interface LegReport {
  /** Throws when the leg has been ended. */
  enter(next: UploadPhase): void;
  onTrouble(fault: ClientError | undefined): void;
  onSent(sentBytes: number): void;
}

interface Leg {
  readonly session: UploadSession;
  readonly signal: AbortSignal;
  readonly report: LegReport;
}

/** How often a leg may find that the bucket does not hold what was sent, before that is an error. */
const maxLegRounds = 4;
/** How long the service is told of a cancellation; it forgets an unfinished upload by itself after a while. */
const cancelPatienceMs = 20_000;
const controllable: ReadonlySet<UploadPhase> = new Set(['queued', 'starting', 'sending', 'paused', 'failed']);

class Paused extends Error {
  override readonly name = 'Paused';
}

export function createUpload(parts: UploadParts, spec: UploadSpec): UploadHandle {
  const { source } = spec;
  const contentType = source.type === undefined || source.type === '' ? 'application/octet-stream' : source.type;
  const meter = createRateMeter();
  let id = spec.resume;
  let phase: UploadPhase = 'queued';
  let sentBytes = 0;
  let error: ClientError | undefined;
  let trouble: ClientError | undefined;
  let leg: AbortController | undefined;
  let idempotencyKey = randomKey();
  let asked = false;
  let letGo: (() => void) | undefined;
  let stored = deferred<Upload>();
  let ready = deferred<Upload>();

  const source$ = createSnapshotSource<UploadSnapshot>(() => ({
    ...(id === undefined ? {} : { id }),
    name: source.name,
    folder: spec.folder,
    contentType,
    state: phase,
    progress: progress(),
    ...(error === undefined ? {} : { error }),
    ...(trouble === undefined ? {} : { trouble }),
  }));

  function progress(): UploadProgress {
    const rate = phase === 'sending' ? meter.bytesPerSecond(parts.clock.now()) : undefined;
    if (rate === undefined) return { sentBytes, totalBytes: source.size };
    const leftBytes = source.size - sentBytes;
    // Below a byte a second there is no telling.
    const left = rate >= 1 ? { secondsLeft: leftBytes / rate } : {};
    return { sentBytes, totalBytes: source.size, bytesPerSecond: rate, ...left };
  }

  function enter(next: UploadPhase): void {
    phase = next;
    source$.publish();
  }

  /** What a leg may say, for as long as it has not been ended: its requests outlive it by a moment. */
  function reportOf(signal: AbortSignal): LegReport {
    return {
      enter(next) {
        signal.throwIfAborted();
        enter(next);
      },
      onTrouble(fault) {
        if (signal.aborted) return;
        trouble = fault;
        source$.publish();
      },
      onSent(bytes) {
        if (signal.aborted) return;
        if (bytes > sentBytes) trouble = undefined;
        sentBytes = bytes;
        meter.note(bytes, parts.clock.now());
        source$.publishSoon();
      },
    };
  }

  /** Makes the upload, or reads the one that was begun. */
  async function announce(session: UploadSession): Promise<Upload> {
    if (id !== undefined) {
      const known = await session.read(id);
      if (known.sizeBytes !== source.size || known.name !== source.name) {
        throw new ClientError('wrong-file', {
          message: `“${known.name}” (${known.sizeBytes} bytes) is wanted; “${source.name}” has ${source.size} bytes.`,
        });
      }
      return known;
    }
    asked = true;
    const made = await session.create(describe(source, contentType, spec.folder), idempotencyKey);
    id = made.id;
    await parts.resumeStore.remember({
      uploadId: made.id,
      ...(source.lastModified === undefined ? {} : { lastModified: source.lastModified }),
      ...(spec.handle === undefined ? {} : { handle: spec.handle }),
    });
    return made;
  }

  /** Sends and confirms until the service says that the bytes are safe. */
  async function sendUntilStored(leg: Leg, announced: Upload): Promise<Upload> {
    const { session, signal, report } = leg;
    let upload = announced;
    for (let round = 1; !isStored(upload.state); round += 1) {
      if (round > maxLegRounds) throw new ClientError('out-of-step');
      try {
        if (upload.state !== 'completing') {
          report.enter('sending');
          await sendBytes({ ...parts, ...leg, ...report, upload, source }).catch(unlessOutOfStep);
        }
        report.enter('confirming');
        upload = await session.complete(upload.id);
      } catch (fault) {
        if (signal.aborted || !isSettledByService(asClientError(fault))) throw fault;
        upload = await session.read(upload.id);
      }
      // The bucket may take its time to join the parts.
      while (upload.state === 'completing') upload = await session.watch(upload);
    }
    return upload;
  }

  async function run(signal: AbortSignal): Promise<void> {
    const report = reportOf(signal);
    const session = openUploadSession({ ...parts, signal, onTrouble: report.onTrouble });
    report.enter('starting');
    let upload = await announce(session);
    letGo ??= parts.claims.claim(upload.id);
    upload = await sendUntilStored({ session, signal, report }, upload);
    report.enter('checking');
    report.onSent(source.size);
    await parts.resumeStore.forget(upload.id);
    stored.resolve(upload);
    while (stillChecked(upload.state)) upload = await session.watch(upload);
    assertUsable(upload);
    report.enter('ready');
    ready.resolve(upload);
    release();
  }

  /** Other tabs may offer the upload again. */
  function release(): void {
    letGo?.();
    letGo = undefined;
  }

  function start(): void {
    if (error !== undefined) {
      // What was awaited has failed already; those who ask from now on wait for the new attempt.
      if (phase === 'failed') ready = deferred();
      if (!stored.settledWell) stored = deferred();
      if (error.code === 'upload-gone' || error.code === 'not-found') {
        release();
        id = undefined;
        idempotencyKey = randomKey();
      }
      error = undefined;
    }
    meter.reset();
    const controller = new AbortController();
    leg = controller;
    run(controller.signal)
      .catch((cause: unknown) => {
        if (controller.signal.aborted) return;
        error = asClientError(cause);
        stored.reject(error);
        ready.reject(error);
        enter('failed');
      })
      .finally(() => {
        if (leg !== controller) return;
        leg = undefined;
        trouble = undefined;
        source$.publish();
      });
  }

  function endLeg(next: UploadPhase, reason: Error): void {
    trouble = undefined;
    enter(next);
    leg?.abort(reason);
  }

  return {
    get id() {
      return id;
    },
    get state() {
      return phase;
    },
    get progress() {
      return progress();
    },
    get stored() {
      return stored.promise;
    },
    get ready() {
      return ready.promise;
    },
    getSnapshot: source$.getSnapshot,
    subscribe: source$.subscribe,
    start() {
      if (phase === 'queued') start();
    },
    pause() {
      if (phase === 'queued' || phase === 'starting' || phase === 'sending') endLeg('paused', new Paused());
    },
    resume() {
      if (phase === 'paused' || phase === 'failed') start();
    },
    requeue() {
      if (phase === 'paused') enter('queued');
    },
    async cancel() {
      if (!controllable.has(phase) || stored.settledWell) return;
      const fault = new ClientError('cancelled');
      endLeg('cancelled', fault);
      release();
      stored.reject(fault);
      ready.reject(fault);
      if (id === undefined && !asked) return;
      const session = openUploadSession({
        ...parts,
        signal: AbortSignal.timeout(cancelPatienceMs),
        onTrouble: () => undefined,
      });
      // The announcement may have arrived although its answer did not: asking again with the same key tells the id.
      id ??= (await session.create(describe(source, contentType, spec.folder), idempotencyKey)).id;
      await parts.resumeStore.forget(id);
      await session.abort(id);
    },
  };
}

function describe(source: UploadSource, contentType: string, folder: readonly string[]): CreateUploadRequest {
  return {
    name: source.name,
    sizeBytes: source.size,
    contentType,
    ...(folder.length === 0 ? {} : { folder }),
    ...(source.lastModified === undefined ? {} : { modifiedAt: new Date(source.lastModified).toISOString() }),
  };
}

/** Past the point where bytes can be lost. Throws when the upload has ended otherwise. */
function isStored(state: FileState): boolean {
  if (state === 'pending' || state === 'uploading' || state === 'completing') return false;
  if (state === 'aborted' || state === 'expired') throw new ClientError('upload-gone');
  return true;
}

function stillChecked(state: FileState): boolean {
  return state === 'uploaded' || state === 'validating' || state === 'scanning';
}

function assertUsable({ state, reason }: Upload): void {
  if (fileStates[state].downloadable) return;
  const code = state === 'rejected' || state === 'quarantined' || state === 'scan-failed' ? state : 'upload-gone';
  throw new ClientError(code, reason === undefined ? {} : { message: reason });
}

/** A bucket that says the bytes are there already, or the upload is not: the service finds out when it confirms. */
function unlessOutOfStep(fault: unknown): void {
  if (asClientError(fault).code !== 'out-of-step') throw fault;
}

/** Faults after which the service knows better than we do where the upload stands. */
function isSettledByService({ code }: ClientError): boolean {
  return code === 'parts-missing' || code === 'wrong-state';
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly settledWell: boolean;
  resolve(value: T): void;
  reject(reason: ClientError): void;
}

function deferred<T>(): Deferred<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  let settledWell = false;
  // Whoever watches snapshots need not await: an unawaited failure is no unhandled one.
  promise.catch(() => undefined);
  return {
    promise,
    get settledWell() {
      return settledWell;
    },
    resolve(value) {
      settledWell = true;
      resolve(value);
    },
    reject,
  };
}

/** randomUUID is missing on pages that are not served over HTTPS or from this machine. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

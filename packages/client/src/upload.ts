// One upload in the user's hand: what is shown of it, its controls, its two promises (ARCHITECTURE.md, "The life of an
// upload"). It owns no protocol: each start or resume runs a leg (upload-leg.ts); pausing ends the leg, and what the bucket
// has acknowledged stays.

import type { Upload } from '@stowage/contract';
import { asClientError, ClientError } from './client-error.ts';
import { createRateMeter } from './rate-meter.ts';
import { createSnapshotSource, type PublishedSource, type SnapshotSource } from './snapshot-source.ts';
import type { UploadClaims } from './upload-claim.ts';
import { describe, type LegReport, runLeg, type UploadParts, type UploadSpec } from './upload-leg.ts';
import { openUploadSession } from './upload-session.ts';

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

interface CreateUploadOptions {
  readonly parts: UploadParts & { readonly claims: UploadClaims };
  readonly spec: UploadSpec;
  /** Id of an upload that was begun earlier. */
  readonly resume: string | undefined;
}

/** How long the service is told of a cancellation; it forgets an unfinished upload by itself after a while. */
const cancelPatienceMs = 20_000;
/** Before all bytes are sent. */
const stoppable: ReadonlySet<UploadPhase> = new Set(['queued', 'starting', 'sending']);
const cancellable: ReadonlySet<UploadPhase> = new Set([...stoppable, 'paused', 'failed']);

class Paused extends Error {
  override readonly name = 'Paused';
}

export function createUpload(options: CreateUploadOptions): UploadHandle {
  return new LiveUpload(options);
}

class LiveUpload implements UploadHandle {
  readonly getSnapshot: () => UploadSnapshot;
  readonly subscribe: (listener: (snapshot: UploadSnapshot) => void) => () => void;
  readonly #parts: CreateUploadOptions['parts'];
  readonly #spec: UploadSpec;
  readonly #shown: PublishedSource<UploadSnapshot>;
  readonly #meter = createRateMeter();
  #id: string | undefined;
  #phase: UploadPhase = 'queued';
  #sentBytes = 0;
  #error: ClientError | undefined;
  #trouble: ClientError | undefined;
  #leg: AbortController | undefined;
  #idempotencyKey = randomKey();
  /** A leg ran, so that the service may know of the upload. */
  #wasBegun = false;
  #stored = deferred<Upload>();
  #ready = deferred<Upload>();
  /** Lets other tabs offer the upload again. */
  #letGo: (() => void) | undefined;

  constructor({ parts, spec, resume }: CreateUploadOptions) {
    this.#parts = parts;
    this.#spec = spec;
    this.#id = resume;
    this.#shown = createSnapshotSource(() => this.#describe());
    this.getSnapshot = this.#shown.getSnapshot;
    this.subscribe = this.#shown.subscribe;
  }

  get id(): string | undefined {
    return this.#id;
  }

  get state(): UploadPhase {
    return this.#phase;
  }

  get stored(): Promise<Upload> {
    return this.#stored.promise;
  }

  get ready(): Promise<Upload> {
    return this.#ready.promise;
  }

  get progress(): UploadProgress {
    const progress = { sentBytes: this.#sentBytes, totalBytes: this.#spec.source.size };
    const rate = this.#phase === 'sending' ? this.#meter.bytesPerSecond(this.#parts.clock.now()) : undefined;
    if (rate === undefined) return progress;
    // Below a byte a second there is no telling.
    const left = rate >= 1 ? { secondsLeft: (progress.totalBytes - progress.sentBytes) / rate } : {};
    return { ...progress, bytesPerSecond: rate, ...left };
  }

  start(): void {
    if (this.#phase === 'queued') this.#begin();
  }

  pause(): void {
    if (stoppable.has(this.#phase)) this.#stop('paused', new Paused());
  }

  resume(): void {
    if (this.#phase === 'paused' || this.#phase === 'failed') this.#begin();
  }

  requeue(): void {
    if (this.#phase === 'paused') this.#enter('queued');
  }

  async cancel(): Promise<void> {
    if (!cancellable.has(this.#phase) || this.#stored.isResolved) return;
    const fault = new ClientError('cancelled');
    this.#stop('cancelled', fault);
    this.#release();
    this.#stored.reject(fault);
    this.#ready.reject(fault);
    if (this.#id === undefined && !this.#wasBegun) return;
    const signal = AbortSignal.timeout(cancelPatienceMs);
    const session = openUploadSession({ ...this.#parts, signal, onTrouble: () => undefined });
    // The announcement may have arrived although its answer did not: asking again with the same key tells the id.
    this.#id ??= (await session.create(describe(this.#spec), this.#idempotencyKey)).id;
    await this.#parts.resumeStore.forget(this.#id);
    await session.abort(this.#id);
  }

  #begin(): void {
    if (this.#error !== undefined) this.#renew(this.#error);
    this.#meter.reset();
    const controller = new AbortController();
    this.#leg = controller;
    this.#wasBegun = true;
    runLeg({
      parts: this.#parts,
      spec: this.#spec,
      id: this.#id,
      idempotencyKey: this.#idempotencyKey,
      signal: controller.signal,
      report: this.#reportOf(controller.signal),
    })
      .then(
        (upload) => {
          this.#ready.resolve(upload);
          this.#release();
        },
        (cause: unknown) => {
          if (!controller.signal.aborted) this.#fail(asClientError(cause));
        },
      )
      .finally(() => {
        if (this.#leg !== controller) return;
        this.#leg = undefined;
        this.#trouble = undefined;
        this.#shown.publish();
      });
  }

  /** What a leg may say, for as long as it has not been ended: its requests outlive it by a moment. */
  #reportOf(signal: AbortSignal): LegReport {
    return {
      enter: (next) => {
        signal.throwIfAborted();
        this.#enter(next);
      },
      onTrouble: (fault) => {
        if (signal.aborted) return;
        this.#trouble = fault;
        this.#shown.publish();
      },
      onSent: (bytes) => {
        if (signal.aborted) return;
        if (bytes > this.#sentBytes) this.#trouble = undefined;
        this.#sentBytes = bytes;
        this.#meter.note(bytes, this.#parts.clock.now());
        this.#shown.publishSoon();
      },
      onAnnounced: ({ id }) => {
        this.#id = id;
        this.#letGo ??= this.#parts.claims.claim(id);
      },
      onStored: (upload) => this.#stored.resolve(upload),
    };
  }

  /** After a failure: what was awaited has failed already; those who ask from now on wait for the new attempt. */
  #renew({ code }: ClientError): void {
    this.#ready = deferred();
    if (!this.#stored.isResolved) this.#stored = deferred();
    this.#error = undefined;
    if (code !== 'upload-gone' && code !== 'not-found') return;
    // That upload is no more: another is begun.
    this.#release();
    this.#id = undefined;
    this.#idempotencyKey = randomKey();
  }

  #fail(error: ClientError): void {
    this.#error = error;
    this.#stored.reject(error);
    this.#ready.reject(error);
    this.#enter('failed');
  }

  #stop(next: 'paused' | 'cancelled', reason: Error): void {
    this.#trouble = undefined;
    this.#enter(next);
    this.#leg?.abort(reason);
  }

  #enter(next: UploadPhase): void {
    this.#phase = next;
    this.#shown.publish();
  }

  #release(): void {
    this.#letGo?.();
    this.#letGo = undefined;
  }

  #describe(): UploadSnapshot {
    const { source, folder, contentType } = this.#spec;
    return {
      ...(this.#id === undefined ? {} : { id: this.#id }),
      name: source.name,
      folder,
      contentType,
      state: this.#phase,
      progress: this.progress,
      ...(this.#error === undefined ? {} : { error: this.#error }),
      ...(this.#trouble === undefined ? {} : { trouble: this.#trouble }),
    };
  }
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly isResolved: boolean;
  resolve(value: T): void;
  reject(reason: ClientError): void;
}

function deferred<T>(): Deferred<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  let isResolved = false;
  // Whoever watches snapshots need not await: an unawaited failure is no unhandled one.
  promise.catch(() => undefined);
  return {
    promise,
    get isResolved() {
      return isResolved;
    },
    resolve(value) {
      isResolved = true;
      resolve(value);
    },
    reject,
  };
}

/** randomUUID is missing on pages that are not served over HTTPS or from this machine. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

// Sends the parts that the bucket lacks, several at once, each with a URL signed just before (design §6). Which parts, and
// their size, are the server's word; this room only moves them. A URL older than a minute is not used, so that no clock has
// to agree with another; one that is refused is signed anew a few times.

import type { SignedPart } from '@stowage/contract';
import type { Retrier } from './backoff.ts';
import { judgeAnswer } from './bucket-answer.ts';
import { ClientError } from './client-error.ts';
import type { Clock } from './clock.ts';
import type { Lanes } from './lanes.ts';
import { requestBody } from './request-body.ts';
import type { Transport } from './transport.ts';
import { assertReadable, type UploadSource } from './upload-source.ts';

export interface PartRange {
  readonly partNumber: number;
  readonly startByte: number;
  readonly endByte: number;
}

interface PartQueueOptions {
  readonly parts: readonly PartRange[];
  readonly source: UploadSource;
  readonly transport: Transport;
  readonly lanes: Lanes;
  readonly retrier: Retrier;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** One attempt to have parts signed. */
  readonly sign: (partNumbers: readonly number[], signal: AbortSignal) => Promise<readonly SignedPart[]>;
  /** Bytes of a part that have left; falls back to 0 when it has to be sent again. */
  readonly onPartProgress: (partNumber: number, sentBytes: number) => void;
  readonly onTrouble: (fault: ClientError | undefined) => void;
}

const urlUsableMs = 60_000;
const maxSigningsPerPart = 4;

/** Resolves when the bucket has acknowledged every part. On failure the parts under way are aborted, and none is half counted. */
export async function sendParts(options: PartQueueOptions): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const pending = [...options.parts];
  const signer = createSigner(options, signal, () => pending.slice(0, options.lanes.limit));
  const underWay: Promise<void>[] = [];
  try {
    while (pending.length > 0) {
      const release = await options.lanes.acquire(signal);
      const part = pending.shift();
      if (part === undefined) {
        release();
        break;
      }
      const sending = sendPart(part, options, signer, signal).finally(release);
      sending.catch((error: unknown) => failed.abort(error));
      underWay.push(sending);
    }
    await Promise.all(underWay);
  } finally {
    // Nothing may still report progress once the queue has ended.
    await Promise.allSettled(underWay);
  }
}

async function sendPart(
  part: PartRange,
  options: PartQueueOptions,
  signer: PartSigner,
  signal: AbortSignal,
): Promise<void> {
  const { source, transport, lanes, retrier, onPartProgress, onTrouble } = options;
  let signings = 1;
  await retrier.retry(
    async () => {
      const request = await signer.take(part);
      const { headers, body, leadingBytes } = requestBody(request, await source.slice(part.startByte, part.endByte));
      let countedBytes = 0;
      const onProgress = (sentBytes: number): void => {
        lanes.sent(Math.max(0, sentBytes - countedBytes));
        countedBytes = sentBytes;
        const fileBytes = Math.max(0, sentBytes - leadingBytes);
        onPartProgress(part.partNumber, Math.min(fileBytes, part.endByte - part.startByte));
      };
      try {
        const verdict = judgeAnswer(await transport.send({ ...request, headers }, body, { signal, onProgress }));
        if (verdict.kind === 'stored') {
          onPartProgress(part.partNumber, part.endByte - part.startByte);
          return;
        }
        if (verdict.kind === 'ask-service') throw new ClientError('out-of-step', { cause: verdict.fault });
        if (verdict.kind === 'sign-again' && signings < maxSigningsPerPart) {
          signings += 1;
          throw new ClientError('storage-refused', {
            cause: verdict.fault,
            retryable: true,
            message: verdict.fault.message,
          });
        }
        throw verdict.fault;
      } catch (error) {
        onPartProgress(part.partNumber, 0);
        if (error instanceof ClientError && error.retryable) lanes.fault();
        if (error instanceof ClientError && error.code === 'network' && !signal.aborted) await assertReadable(source);
        throw error;
      }
    },
    { signal, onTrouble },
  );
}

interface PartSigner {
  /** A fresh request for this part, to be used once and at once. */
  take(part: PartRange): Promise<SignedPart>;
}

/** Signs a few parts ahead, in one request; each URL is handed out once. */
function createSigner(options: PartQueueOptions, signal: AbortSignal, ahead: () => readonly PartRange[]): PartSigner {
  const ready = new Map<number, { readonly request: SignedPart; readonly signedAtMs: number }>();
  let signing: Promise<void> | undefined;

  async function signBatch(part: PartRange): Promise<void> {
    const numbers = new Set([part.partNumber, ...ahead().map(({ partNumber }) => partNumber)]);
    const signedAtMs = options.clock.now();
    const requests = await options.retrier.retry(() => options.sign([...numbers], signal), {
      signal,
      onTrouble: options.onTrouble,
    });
    for (const request of requests) ready.set(request.partNumber, { request, signedAtMs });
    if (!ready.has(part.partNumber)) {
      throw new ClientError('unexpected-answer', {
        message: `Part ${part.partNumber} was not among the signed parts.`,
      });
    }
  }

  return {
    async take(part) {
      for (;;) {
        const held = ready.get(part.partNumber);
        if (held !== undefined) {
          ready.delete(part.partNumber);
          if (options.clock.now() - held.signedAtMs < urlUsableMs) return held.request;
        }
        // Whoever comes second waits for the batch under way, then looks again.
        if (signing !== undefined) await signing;
        else {
          signing = signBatch(part).finally(() => {
            signing = undefined;
          });
          await signing;
        }
      }
    },
  };
}

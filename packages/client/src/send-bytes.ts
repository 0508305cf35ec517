// One leg of an upload: from what the bucket holds now to all of it. The server's word is read afresh at the start of each
// leg (part size, held parts, signed request), so pausing, a reload and a crash on either side are one and the same case.

import type { SignedPart, SignedRequest, Upload, UploadedPart } from '@stowage/contract';
import type { Retrier } from './backoff.ts';
import { ClientError } from './client-error.ts';
import type { Clock } from './clock.ts';
import type { Lanes } from './lanes.ts';
import { type PartRange, sendParts } from './part-queue.ts';
import type { Transport } from './transport.ts';
import type { UploadSession } from './upload-session.ts';
import type { UploadSource } from './upload-source.ts';

/** What every upload of one client has in common. */
export interface SendingParts {
  readonly transport: Transport;
  readonly lanes: Lanes;
  readonly retrier: Retrier;
  readonly clock: Clock;
}

interface LegOptions extends SendingParts {
  readonly upload: Upload;
  readonly source: UploadSource;
  readonly session: UploadSession;
  readonly signal: AbortSignal;
  /** Bytes sent of the whole file: held by the bucket, and under way. */
  readonly onSent: (sentBytes: number) => void;
  readonly onTrouble: (fault: ClientError | undefined) => void;
}

/** Resolves when every byte was acknowledged by the bucket; whether they are safe is then asked of the service. */
export async function sendBytes(leg: LegOptions): Promise<void> {
  if (leg.upload.strategy === 'multipart') await sendMissingParts(leg);
  else await sendWhole(leg);
}

async function sendMissingParts(leg: LegOptions): Promise<void> {
  const { upload, session, onSent } = leg;
  const held = await session.heldParts(upload.id);
  const ranges = partRanges(upload);
  const sentOf = new Map<number, number>();
  for (const range of ranges) if (holds(held, range)) sentOf.set(range.partNumber, lengthOf(range));
  const report = (): void => {
    let sentBytes = 0;
    for (const bytes of sentOf.values()) sentBytes += bytes;
    onSent(sentBytes);
  };
  report();
  await sendParts({
    ...leg,
    parts: ranges.filter(({ partNumber }) => !sentOf.has(partNumber)),
    sign: (partNumbers, signal) => session.sign(upload.id, partNumbers, signal),
    onPartProgress: (partNumber, sentBytes) => {
      sentOf.set(partNumber, sentBytes);
      report();
    },
  });
}

/** A single PUT or form is a queue of one part, whose request comes with the upload itself. */
async function sendWhole(leg: LegOptions): Promise<void> {
  const { upload, session, onSent } = leg;
  let first: SignedRequest | undefined = upload.request;
  const sign = async (): Promise<readonly SignedPart[]> => {
    const request = first ?? (await session.read(upload.id)).request;
    first = undefined;
    // Without a request the upload is past the point of taking bytes.
    if (request === undefined) throw new ClientError('out-of-step');
    return [{ ...request, partNumber: 1 }];
  };
  await sendParts({
    ...leg,
    parts: [{ partNumber: 1, startByte: 0, endByte: upload.sizeBytes }],
    sign,
    onPartProgress: (_partNumber, sentBytes) => onSent(sentBytes),
  });
}

function partRanges({ sizeBytes, partSizeBytes, partCount }: Upload): readonly PartRange[] {
  if (partSizeBytes === undefined || partCount === undefined || Math.ceil(sizeBytes / partSizeBytes) !== partCount) {
    throw new ClientError('unexpected-answer', {
      message: `The service wants ${sizeBytes} bytes in ${partCount} parts of ${partSizeBytes} bytes, which does not add up.`,
    });
  }
  return Array.from({ length: partCount }, (_, index) => ({
    partNumber: index + 1,
    startByte: index * partSizeBytes,
    endByte: Math.min(sizeBytes, (index + 1) * partSizeBytes),
  }));
}

/** A part of another size is not the part: it is sent again and takes its place. */
function holds(held: readonly UploadedPart[], range: PartRange): boolean {
  return held.some((part) => part.partNumber === range.partNumber && part.sizeBytes === lengthOf(range));
}

function lengthOf({ startByte, endByte }: PartRange): number {
  return endByte - startByte;
}

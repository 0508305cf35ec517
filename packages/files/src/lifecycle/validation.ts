// Takes a file from `uploaded` to rest: its true size, the sameness of its bytes, what they are, and what the scanner says.
// Each step rests on the row alone, so that it is safe to repeat from any point.

import { contentFindings } from '@stowage/contract';
import type { Bucket } from '../bucket/bucket.ts';
import { type ByteSource, BytesGoneError } from '../content/byte-source.ts';
import { outcomeOf } from '../content/content-rules.ts';
import { type ContentLimits, type ContentVerdict, judgeContent } from '../content/judge-content.ts';
import type { FileTable } from '../database/database.ts';
import { arrivalKey, type FileRecord, objectOf } from '../file-record.ts';
import { allowsType, type ChosenPolicy } from '../policies.ts';
import { compareAnnounced } from '../uploads/announced-checksum.ts';
import type { FileEvent } from './file-lifecycle.ts';
import { type MissingBytesOptions, markMissing, whatBecameOf } from './missing-bytes.ts';
import type { FileMover } from './move-file.ts';
import { type ScanFileOptions, scanFile } from './scan-file.ts';
import { type StripFileOptions, stripFile } from './strip-file.ts';

interface ValidationOptions extends ScanFileOptions {
  readonly bucket: Bucket;
  readonly files: FileTable;
  readonly mover: FileMover;
  readonly keys: StripFileOptions['keys'];
  readonly imageBytes: StripFileOptions['imageBytes'];
  readonly limits: ScanFileOptions['limits'] &
    StripFileOptions['limits'] &
    ContentLimits &
    MissingBytesOptions['limits'];
}

/** Steps from `uploaded` to rest, and as many again for rows that another process moved meanwhile. */
const maxSteps = 8;
const changedAfterwards = 'The bytes in the bucket changed after they were uploaded.';
const changedMeanwhile = 'The bytes in the bucket changed while they were being checked.';

/** Throws `storage-unavailable` when the bucket does not answer: the file stays where it is, to be validated later. */
export async function validateFile(file: FileRecord, options: ValidationOptions): Promise<void> {
  let current = file;
  for (let step = 0; step < maxSteps; step++) {
    if (current.missingSinceMs !== null && isJudged(current)) {
      if ((await options.bucket.head(objectOf(current))) === undefined) return markMissing(current, options);
      const back = await options.files.change(current, { missingSinceMs: null });
      if (back === undefined) return;
      current = back;
    }
    const event = await nextEvent(current, options);
    if (event === undefined) return;
    if (event === 'missing') return markMissing(current, options);
    if (event.kind === 'validated' && options.policies.of(current.category).stripMetadata) {
      const stripping = await stripFile(current, event.contentType, options);
      if (stripping.result === 'changed') {
        if (stripping.file === undefined) return;
        current = stripping.file;
        continue;
      }
      if (stripping.result === 'unread') {
        if ((await whatBecameOf(current, options)) === 'missing') return markMissing(current, options);
        await options.mover.move(current, rejected(changedMeanwhile));
        return;
      }
      if (stripping.result === 'impossible') {
        await options.mover.move(current, rejected(stripping.reason));
        return;
      }
    }
    const moved = (await options.mover.move(current, event)) ?? (await options.files.find(current.id));
    if (moved === undefined) return;
    current = moved;
  }
}

async function nextEvent(file: FileRecord, options: ValidationOptions): Promise<FileEvent | 'missing' | undefined> {
  const { bucket, policies } = options;
  switch (file.state) {
    case 'uploaded':
      await abortStrays(file, bucket);
      return { kind: 'validation-started' };
    case 'validating':
      return inspect(file, policies.of(file.category), options);
    case 'scanning':
      return scanFile(file, options);
    default:
      return undefined;
  }
}

/** Whether somebody is to judge the bytes yet: a file that is at rest is looked after elsewhere. */
function isJudged({ state }: FileRecord): boolean {
  return state === 'uploaded' || state === 'validating' || state === 'scanning';
}

/** A crash between two steps of an upload can leave a second upload of the same key in the bucket; it is paid for. */
async function abortStrays(file: FileRecord, bucket: Bucket): Promise<void> {
  if (file.strategy !== 'multipart') return;
  for (const { key, uploadId } of await bucket.listMultipart(arrivalKey(file)))
    await bucket.abortMultipart(key, uploadId);
}

async function inspect(
  file: FileRecord,
  policy: ChosenPolicy,
  { bucket, limits }: Pick<ValidationOptions, 'bucket' | 'limits'>,
): Promise<FileEvent | 'missing'> {
  const facts = await bucket.head(objectOf(file));
  if (facts === undefined) {
    return (await whatBecameOf(file, { bucket })) === 'missing' ? 'missing' : rejected(changedAfterwards);
  }
  if (file.objectEtag === null) return rejected('It was never seen that the bytes arrived.');
  if (facts.etag !== file.objectEtag) return rejected(changedAfterwards);
  if (facts.sizeBytes !== file.sizeBytes) {
    return rejected(`The bucket holds ${facts.sizeBytes} bytes, but ${file.sizeBytes} were announced.`);
  }
  const difference = await compareAnnounced(file, facts, bucket);
  if (difference !== undefined) return rejected(difference);
  try {
    const verdict = await judgeContent(file, sourceOf(file, bucket, file.objectEtag), limits);
    return follow(verdict, policy);
  } catch (error) {
    if (!(error instanceof BytesGoneError)) throw error;
    return (await whatBecameOf(file, { bucket })) === 'missing' ? 'missing' : rejected(changedMeanwhile);
  }
}

/** What the table of findings, the policy's choices and the policy's types make of a verdict. */
function follow({ contentType, findings, excerpt }: ContentVerdict, policy: ChosenPolicy): FileEvent {
  const refused = findings.filter(({ finding }) => outcomeOf(finding, policy.content) === 'reject');
  if (refused.length > 0 || contentType === undefined) return rejected(refused.map(({ detail }) => detail).join(' '));
  if (!allowsType(policy, contentType)) {
    return rejected(`The bytes are ${contentType}; ${policy.category} takes ${(policy.types ?? []).join(', ')}.`);
  }
  const marks = contentFindings.filter((name) => findings.some(({ finding }) => finding === name));
  return { kind: 'validated', contentType, marks, excerpt };
}

function sourceOf(file: FileRecord, bucket: Bucket, etag: string): ByteSource {
  return {
    sizeBytes: file.sizeBytes,
    read: async ({ fromByte, sizeBytes }) => {
      const firstBytes = Math.min(sizeBytes, file.sizeBytes - fromByte);
      // A range of nothing is refused.
      if (firstBytes <= 0) return new Uint8Array();
      const body = await bucket.read(objectOf(file), { etag, fromByte, firstBytes });
      if (body === undefined) throw new BytesGoneError('The object is gone, or another.');
      const chunks: Uint8Array[] = [];
      let readBytes = 0;
      for await (const chunk of body) {
        chunks.push(chunk);
        readBytes += chunk.byteLength;
        // An endpoint that ignores Range would send everything.
        if (readBytes >= firstBytes) break;
      }
      return Buffer.concat(chunks).subarray(0, firstBytes);
    },
  };
}

function rejected(reason: string): FileEvent {
  return { kind: 'rejected', reason };
}

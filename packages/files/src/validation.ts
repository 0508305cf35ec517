// Takes a file from `uploaded` to rest: its true size, the sameness of its bytes, what they are, and what the scanner says.
// Each step rests on the row alone, so that it is safe to repeat from any point.

import { compareAnnounced } from './announced-checksum.ts';
import type { Bucket } from './bucket/bucket.ts';
import { judgeContent, sniffedBytes } from './content-rules.ts';
import type { FileTable } from './database/database.ts';
import type { FileEvent } from './file-lifecycle.ts';
import { arrivalKey, type FileRecord, objectOf } from './file-record.ts';
import type { FileMover } from './move-file.ts';
import { allowsType, type ChosenPolicy } from './policies.ts';
import { type ScanFileOptions, scanFile } from './scan-file.ts';

interface ValidationOptions extends ScanFileOptions {
  readonly bucket: Bucket;
  readonly files: FileTable;
  readonly mover: FileMover;
}

/** Steps from `uploaded` to rest, and as many again for rows that another process moved meanwhile. */
const maxSteps = 8;

/** Throws `storage-unavailable` when the bucket does not answer: the file stays where it is, to be validated later. */
export async function validateFile(file: FileRecord, options: ValidationOptions): Promise<void> {
  let current = file;
  for (let step = 0; step < maxSteps; step++) {
    const event = await nextEvent(current, options);
    if (event === undefined) return;
    const moved = (await options.mover.move(current, event)) ?? (await options.files.find(current.id));
    if (moved === undefined) return;
    current = moved;
  }
}

async function nextEvent(file: FileRecord, options: ValidationOptions): Promise<FileEvent | undefined> {
  const { bucket, policies } = options;
  switch (file.state) {
    case 'uploaded':
      await abortStrays(file, bucket);
      return { kind: 'validation-started' };
    case 'validating':
      return inspect(file, bucket, policies.of(file.category));
    case 'scanning':
      return scanFile(file, options);
    default:
      return undefined;
  }
}

/** A crash between two steps of an upload can leave a second upload of the same key in the bucket; it is paid for. */
async function abortStrays(file: FileRecord, bucket: Bucket): Promise<void> {
  if (file.strategy !== 'multipart') return;
  for (const { key, uploadId } of await bucket.listMultipart(arrivalKey(file)))
    await bucket.abortMultipart(key, uploadId);
}

async function inspect(file: FileRecord, bucket: Bucket, policy: ChosenPolicy): Promise<FileEvent> {
  const facts = await bucket.head(objectOf(file));
  if (facts === undefined || file.objectEtag === null) return rejected('The bytes are no longer in the bucket.');
  if (facts.etag !== file.objectEtag) return rejected('The bytes in the bucket changed after they were uploaded.');
  if (facts.sizeBytes !== file.sizeBytes) {
    return rejected(`The bucket holds ${facts.sizeBytes} bytes, but ${file.sizeBytes} were announced.`);
  }
  const difference = await compareAnnounced(file, facts, bucket);
  if (difference !== undefined) return rejected(difference);
  const firstBytes = await readFirst(file, bucket, file.objectEtag);
  if (firstBytes === undefined) return rejected('The bytes in the bucket changed while they were being checked.');
  const verdict = await judgeContent(file, firstBytes);
  if (!verdict.accepted) return rejected(verdict.reason);
  if (!allowsType(policy, verdict.contentType)) {
    return rejected(
      `The bytes are ${verdict.contentType}; ${policy.category} takes ${(policy.types ?? []).join(', ')}.`,
    );
  }
  return { kind: 'validated', contentType: verdict.contentType };
}

async function readFirst(file: FileRecord, bucket: Bucket, etag: string): Promise<Uint8Array | undefined> {
  // An empty object has no first byte, and a range of it is refused.
  if (file.sizeBytes === 0) return new Uint8Array();
  const body = await bucket.read(objectOf(file), { etag, firstBytes: Math.min(sniffedBytes, file.sizeBytes) });
  if (body === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    sizeBytes += chunk.byteLength;
    // An endpoint that ignores Range would send everything.
    if (sizeBytes >= sniffedBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, sniffedBytes);
}

function rejected(reason: string): FileEvent {
  return { kind: 'rejected', reason };
}

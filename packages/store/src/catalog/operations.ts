// Every way of changing a store, as one table: a name and a factory that makes the operation from plain data. A call is
// a name, an argument and perhaps bytes, so it can be handed to a committer in another thread (workers/); there the table
// turns it into what is judged at the commit.
// To add one: write its factory beside the others of its kind, name it here, and call it from catalog-store.ts.

import type { StagedContent } from '../blobs/staged-content.ts';
import { createBucket, deleteBucket, putBucketConfiguration } from './buckets.ts';
import { completeUpload } from './completion.ts';
import { createCursor, moveCursor, removeCursor } from './cursors.ts';
import { copyObject, deleteObject, putObject } from './objects.ts';
import type { Operation } from './operation.ts';
import { abortUpload, createUpload, putPart } from './uploads.ts';

/** Arguments are plain data: what `structuredClone` takes, and no Buffer, which it would give back as a Uint8Array. */
const operations = {
  createBucket,
  deleteBucket,
  putBucketConfiguration,
  putObject,
  copyObject,
  deleteObject,
  createUpload,
  putPart,
  completeUpload,
  abortUpload,
  createCursor,
  moveCursor,
  removeCursor,
} as const satisfies Readonly<Record<string, (argument: never, content: never) => Operation<unknown>>>;

export type OperationName = keyof typeof operations;

/** One call of an operation, ready to travel. `content` is taken over by the commit, and given up when it is refused. */
export interface OperationCall<Name extends OperationName = OperationName> {
  readonly name: Name;
  readonly argument: Parameters<(typeof operations)[Name]>[0];
  readonly content?: Parameters<(typeof operations)[Name]>[1];
}

/** What an operation answers. */
export type OperationResult<Name extends OperationName> =
  ReturnType<(typeof operations)[Name]> extends Operation<infer Result> ? Result : never;

export interface Committer {
  /**
   * Resolves once the operation is durable and visible.
   * @throws what its `judge` throws; StoreError `ReadOnly`, `DiskFull`, `Closed`, `Overloaded`.
   */
  commit<Name extends OperationName>(call: OperationCall<Name>): Promise<OperationResult<Name>>;
}

/** The operation that a call means. */
export function operationOf<Name extends OperationName>(call: OperationCall<Name>): Operation<OperationResult<Name>> {
  // Proof of the cast: argument and content are those of the row that `name` selects, and the result is its own. The
  // compiler cannot follow that through a union of rows.
  const factory = operations[call.name] as unknown as (
    argument: unknown,
    content: StagedContent | undefined,
  ) => Operation<OperationResult<Name>>;
  return factory(call.argument, call.content);
}

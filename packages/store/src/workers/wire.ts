// What the committer's thread and a worker say to each other: plain data, several items to a message. Bytes that own their
// memory are transferred, others copied: a view of a pool would take the whole pool along.

import type { StagedContent } from '../blobs/staged-content.ts';
import type { OperationCall } from '../catalog/operations.ts';
import type { StoreDamage } from '../object-store.ts';
import { StoreError, type StoreErrorCode, storeErrors } from '../store-error.ts';

/** From a worker. */
export type WorkerMessage =
  | { readonly kind: 'calls'; readonly calls: readonly SentCall[] }
  /** All readers have left that had entered before `drain` came. */
  | { readonly kind: 'drained'; readonly ticket: number }
  /** A write or a sync of a blob has failed for another reason than lack of room (invariant 5). */
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'damaged'; readonly damage: StoreDamage }
  /** A blob was refused because the disk is full: is it still? */
  | { readonly kind: 'roomWanted' };

/** To a worker. */
export type CommitterMessage =
  | { readonly kind: 'answers'; readonly answers: readonly SentAnswer[] }
  | { readonly kind: 'drain'; readonly ticket: number }
  /** Files that are about to be removed: they are not to be kept open. */
  | { readonly kind: 'forget'; readonly blobIds: readonly Uint8Array[]; readonly segments: readonly number[] };

/** An operation's call under way. */
export interface SentCall {
  readonly id: number;
  readonly name: OperationCall['name'];
  readonly argument: OperationCall['argument'];
  readonly content: SentContent | undefined;
}

type SentContent =
  | { readonly kind: 'inline'; readonly bytes: Uint8Array; readonly checksums: Uint8Array }
  | { readonly kind: 'blob'; readonly blobId: Uint8Array };

export type SentAnswer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly refusal: SentError };

interface SentError {
  readonly name: string;
  readonly message: string;
  /** Of a StoreError. */
  readonly code?: StoreErrorCode;
  readonly details?: Readonly<Record<string, string>>;
}

/** Adds the memory that moves with the message to `transfer`. */
export function packContent(content: StagedContent | undefined, transfer: ArrayBuffer[]): SentContent | undefined {
  if (content === undefined) return undefined;
  if (content.kind === 'blob') return { kind: 'blob', blobId: new Uint8Array(content.blobId) };
  const { bytes, checksums } = content;
  const ownsItsMemory = bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength;
  const sent = ownsItsMemory ? bytes : new Uint8Array(bytes);
  if (sent.byteLength > 0 && sent.buffer instanceof ArrayBuffer) transfer.push(sent.buffer);
  return { kind: 'inline', bytes: sent, checksums: new Uint8Array(checksums) };
}

export function unpackContent(content: SentContent | undefined): StagedContent | undefined {
  if (content === undefined) return undefined;
  if (content.kind === 'blob') return { kind: 'blob', blobId: bufferOver(content.blobId) };
  return { kind: 'inline', bytes: bufferOver(content.bytes), checksums: bufferOver(content.checksums) };
}

/** A Buffer arrives as a Uint8Array. */
export function bufferOver(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** What was thrown, so that it can be thrown again elsewhere. */
export function packError(thrown: unknown): SentError {
  if (!(thrown instanceof Error)) return { name: 'Error', message: String(thrown) };
  const { name, message } = thrown;
  return thrown instanceof StoreError
    ? { name, message, code: thrown.code, details: thrown.details }
    : { name, message };
}

export function unpackError({ name, message, code, details = {} }: SentError): Error {
  if (code !== undefined && code in storeErrors) return new StoreError(code, { message, details });
  if (name === 'RangeError') return new RangeError(message);
  if (name === 'TypeError') return new TypeError(message);
  return new Error(message);
}

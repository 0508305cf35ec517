// Every limit of the engine, by name, with its default: nothing a client sends is unbounded.
// S3's own figures are from "Amazon S3 multipart upload limits", "Working with object metadata" and "Object key names";
// the others are ours and say why. A caller of startEngine may change any of them; small ones make tests quick.

import { readFileSync } from 'node:fs';

const kib = 1024;
const mib = 1024 * kib;
const gib = 1024 * mib;
const tib = 1024 * gib;

export interface EngineLimits {
  /**
   * Connections at a time, of all workers together; at the limit, one that has not signed a request is closed for each new one,
   * the longest unused first, and without such, new ones are dropped. Default 10,000, but no more than half of the files that
   * the process may have open (`ulimit -n`): the other half is for the store.
   */
  readonly connections: number;
  /** Connections that the system has made and that wait to be taken up. Default 4,096, which is Linux' own most (`net.core.somaxconn`). */
  readonly connectionBacklog: number;
  /** The request line and all headers together. Default 32 KiB; AWS takes 8 KiB of headers. */
  readonly headerBytes: number;
  /** Header lines. Default 200. */
  readonly headerCount: number;
  /** The request target as sent, percent-encoded. Default 16 KiB: a 1,024-byte key, three characters a byte, and a presigned query fit well. */
  readonly urlBytes: number;
  /** From connecting, or from a request's first byte, to the end of its headers. Default 20 s. */
  readonly headersTimeoutMs: number;
  /** A body from which no byte comes for so long is given up: `RequestTimeout`. Default 20 s. */
  readonly bodyIdleTimeoutMs: number;
  /** A body that comes more slowly than this over a whole window is given up: `RequestTimeout`. Default 1 KiB a second, what a telephone modem did; 0 for any. */
  readonly bodyMinBytesPerSecond: number;
  /** Over how much of the client's time the rate is taken; time in which the disk was waited for is not the client's. Default 60 s. */
  readonly bodyRateWindowMs: number;
  /** A client that takes no byte of its answer for so long is cut off. Default 120 s. */
  readonly answerIdleTimeoutMs: number;
  /**
   * A client that takes less of its answer than this over a whole window is cut off: bytes that were replaced meanwhile cannot
   * be removed until it has gone. Default 4 KiB a second; 0 for any.
   */
  readonly answerMinBytesPerSecond: number;
  /** Over how long the rate is taken, while the client is waited for. Default 5 minutes, so that a pause costs nothing. */
  readonly answerRateWindowMs: number;
  /** An unused connection is closed after it. Default 65 s, above the usual 60 s of load balancers in front. */
  readonly keepAliveTimeoutMs: number;
  /** A refused body up to this size is read and dropped, so that its connection can be used again. Default 1 MiB. */
  readonly drainBytes: number;
  /** A larger one is read for so long at most before its connection closes, so that the client sees the answer. Default 2 s. */
  readonly lingerMs: number;
  /** How long `close()` lets running requests finish. Default 10 s. */
  readonly closeGraceMs: number;

  /** An XML document in a request. Default 1 MiB. */
  readonly documentBytes: number;
  /** The document of DeleteObjects: a thousand keys of 1,024 bytes and their tags. Default 2 MiB. */
  readonly deleteDocumentBytes: number;
  /** The document of CompleteMultipartUpload: ten thousand parts with their checksums are 3 MB. Default 8 MiB. */
  readonly completeDocumentBytes: number;
  /** The fields of a POST form before the file. Default 20 KiB. */
  readonly formFieldsBytes: number;
  /** A body in one request: PutObject, UploadPart, PostObject. Default 5 GiB. */
  readonly bodyBytes: number;
  /** The source of CopyObject, and a range of UploadPartCopy. Default 5 GiB. */
  readonly copyBytes: number;
  /** An object made of parts. Default 5 TiB. */
  readonly objectBytes: number;
  /** Every part but the last. Default 5 MiB. */
  readonly minPartBytes: number;
  /** Keys, uploads or parts on one page of a listing. Default 1,000. */
  readonly pageKeys: number;
  /** Buckets on one page of ListBuckets. Default 10,000. */
  readonly pageBuckets: number;
}

export const defaultLimits: EngineLimits = {
  connections: Math.min(10_000, Math.floor(maxOpenFiles() / 2)),
  connectionBacklog: 4096,
  headerBytes: 32 * kib,
  headerCount: 200,
  urlBytes: 16 * kib,
  headersTimeoutMs: 20_000,
  bodyIdleTimeoutMs: 20_000,
  bodyMinBytesPerSecond: kib,
  bodyRateWindowMs: 60_000,
  answerIdleTimeoutMs: 120_000,
  answerMinBytesPerSecond: 4 * kib,
  answerRateWindowMs: 300_000,
  keepAliveTimeoutMs: 65_000,
  drainBytes: mib,
  lingerMs: 2_000,
  closeGraceMs: 10_000,
  documentBytes: mib,
  deleteDocumentBytes: 2 * mib,
  completeDocumentBytes: 8 * mib,
  formFieldsBytes: 20 * kib,
  bodyBytes: 5 * gib,
  copyBytes: 5 * gib,
  objectBytes: 5 * tib,
  minPartBytes: 5 * mib,
  pageKeys: 1_000,
  pageBuckets: 10_000,
};

/** How many files this process may have open: what Linux says of it; elsewhere it is taken for more than enough. */
function maxOpenFiles(): number {
  try {
    const match = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'));
    return match === null ? Number.POSITIVE_INFINITY : Number(match[1]);
  } catch {
    return Number.POSITIVE_INFINITY; // not Linux
  }
}

// What a load process is told to do, and what it answers. All of it crosses a process boundary as plain values.

import type { SigningCredentials } from '@stowage/s3';
import type { PayloadSlice } from './payloads.ts';

export interface PlannedRequest {
  readonly method: 'GET' | 'PUT' | 'HEAD' | 'DELETE';
  /** Path and query, signed already. */
  readonly target: string;
  /** Which of the plan's payloads goes along. Default: no body. */
  readonly sends?: PayloadSlice;
  /** For the header `Range`. */
  readonly range?: string;
  /** Any other is a failure. */
  readonly statuses: readonly number[];
  /** Length of the answer's body; any other is a failure. Default: not looked at. */
  readonly sizeBytes?: number;
  /** What the answer's body must be; compared byte by byte for a sample of the requests. */
  readonly receives?: PayloadSlice;
  /** The ETag without quotes; compared for a sample of the requests. */
  readonly etag?: string;
  /** How often this text may stand in the answer; counted for a sample of the requests. */
  readonly contains?: { readonly text: string; readonly atLeast: number; readonly atMost: number };
}

interface LoadPlanFrame {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  /** How long requests are begun; those under way then are finished and counted. */
  readonly durationMs: number;
  /** Of the bodies that are sent. */
  readonly payloadBytes: number;
}

/** Every connection sends the next request of the list when its last answer is complete; nothing is pipelined. */
export interface RequestsPlan extends LoadPlanFrame {
  readonly kind: 'requests';
  readonly requests: readonly PlannedRequest[];
  /** At the end of the list: begin again, or end. */
  readonly repeat: boolean;
}

/** Whole multipart uploads, one after the other; the parts of one go over all connections. */
export interface MultipartPlan extends LoadPlanFrame {
  readonly kind: 'multipart';
  readonly endpoint: string;
  readonly credentials: SigningCredentials;
  /** Path of the object, not encoded. */
  readonly path: string;
  readonly partCount: number;
}

export type LoadPlan = RequestsPlan | MultipartPlan;

export interface LoadResult {
  /** Complete answers; of multipart, complete uploads. */
  readonly operations: number;
  readonly failures: number;
  /** The first failure, as the server put it; empty without one. */
  readonly firstFailure: string;
  readonly elapsedMs: number;
  /** Of object bytes sent and received. */
  readonly bytes: number;
  /** Counts by bucket of a LatencyHistogram. */
  readonly latencies: readonly (readonly [bucket: number, count: number])[];
  /** What `contains` asks for: how many answers were looked at, and how often it stood in them. */
  readonly counted: { readonly answers: number; readonly items: number };
  /** Of multipart: how long each call that completes an upload took. */
  readonly completeMs: readonly number[];
  /** What making the load has cost. */
  readonly loadCpuSeconds: number;
}

// What a load process is told to do, and what it answers. Both are plain values that cross a process boundary.

export interface Workload {
  readonly method: 'GET' | 'PUT';
  readonly host: string;
  readonly port: number;
  /** Request targets, signed already: path and query. Taken in turn, over and over. */
  readonly targets: readonly string[];
  /** Of one object. */
  readonly sizeBytes: number;
  readonly connections: number;
  /** How long requests are begun; those under way then are finished and counted. */
  readonly durationMs: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly failures: number;
  /** The first failure, as the server put it. */
  readonly firstFailure: string;
  readonly elapsedMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

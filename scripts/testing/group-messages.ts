// What the process that runs a group of tests (group-process.ts) tells the one that started it (run-group.ts).

/** The command-line argument of the group's process, as JSON. */
export interface GroupOrder {
  readonly files: readonly string[];
  readonly testTimeoutMs: number;
  /** A test that is over and a process that is not: after this much quiet, handles were left open. */
  readonly quietMs: number;
  readonly namePattern: string | undefined;
}

export interface TestReport {
  readonly name: string;
  /** Names of the enclosing suites and the test itself. */
  readonly path: readonly string[];
  /** The file in which `test()` was called: for a contract suite, the suite's file. */
  readonly file: string;
  readonly kind: 'test' | 'suite';
  readonly result: 'passed' | 'failed' | 'cancelled' | 'skipped' | 'todo';
  readonly durationMs: number;
  /** For a skip. */
  readonly reason?: string;
  /** For a failure: the error with its stack. */
  readonly error?: string;
}

export type GroupMessage =
  | { readonly type: 'alive' }
  | { readonly type: 'loading'; readonly file: string }
  | { readonly type: 'started'; readonly name: string; readonly file: string }
  | { readonly type: 'report'; readonly report: TestReport }
  | { readonly type: 'diagnostic'; readonly message: string; readonly file: string }
  | { readonly type: 'left-open'; readonly resources: readonly string[] }
  | { readonly type: 'done' };

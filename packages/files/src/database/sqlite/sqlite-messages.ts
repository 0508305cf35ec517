// What the threads that hold SQLite's connections are asked, and answer.

export interface SqliteStatement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

export interface SqliteAnswer {
  readonly rows: readonly Record<string, unknown>[];
  /** Rows that a writing statement changed. */
  readonly changes: number;
}

/** What a thread is started with. */
export interface SqliteThreadSettings {
  readonly path: string;
  readonly readOnly: boolean;
  /** Whether no other process may have the database so, as long as this connection is open. */
  readonly alone: boolean;
}

export interface SqliteRequest extends SqliteStatement {
  readonly id: number;
}

export type SqliteReply =
  /** Said once, first of all. */
  | 'open'
  | ({ readonly id: number } & SqliteAnswer)
  /** SQLite's message and result code (sqlite.org/rescode.html), where it has one. */
  | { readonly id: number; readonly message: string; readonly errcode: number | undefined };

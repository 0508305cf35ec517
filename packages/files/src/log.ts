// What the file service says about itself. The caller decides where it goes and how it looks; without one, nothing is said.
// Never logged: tokens, API keys, cookies, signed URLs, file names.

/** Takes one event: a short fixed message, and what varies as fields. */
export interface FilesLog {
  /** What matters only to who follows single files. Default: it is dropped. */
  debug?(message: string, fields: LogFields): void;
  info(message: string, fields: LogFields): void;
  warn(message: string, fields: LogFields): void;
  error(message: string, fields: LogFields): void;
}

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Drops everything. */
export const silentLog: FilesLog = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** A caught value as fields of a log line. */
export function errorFields(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: String(error) };
  const cause = error.cause instanceof Error ? `${error.cause.name}: ${error.cause.message}` : undefined;
  return { error: `${error.name}: ${error.message}`, cause, stack: error.stack };
}

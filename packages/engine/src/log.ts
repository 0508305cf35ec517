// What the engine says about itself. The caller decides where it goes and how it looks; without one, nothing is said.
// Never logged: secrets, signatures, query strings of signed requests.

/** Takes one event: a short fixed message, and what varies as fields. */
export interface EngineLog {
  /** What is nobody's fault and matters only to who follows single requests. Default: it is dropped. */
  debug?(message: string, fields: LogFields): void;
  info(message: string, fields: LogFields): void;
  warn(message: string, fields: LogFields): void;
  error(message: string, fields: LogFields): void;
  /** Which requests it is told of: all, or only those answered with a server error. Default: all. */
  readonly requests?: 'all' | 'failed';
}

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

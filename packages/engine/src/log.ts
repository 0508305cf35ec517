// What the engine says about itself. The caller decides where it goes and how it looks; without one, nothing is said.
// Never logged: secrets, signatures, query strings of signed requests.

/** Takes one event: a short fixed message, and what varies as fields. */
export interface EngineLog {
  info(message: string, fields: LogFields): void;
  warn(message: string, fields: LogFields): void;
  error(message: string, fields: LogFields): void;
}

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

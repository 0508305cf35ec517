// Where the logs of engine and file service go: lines on standard error, as JSON (pino) or for the eye. Standard output is
// left to what a command was asked for. Requests are `debug` unless they failed on our side, so that a summary stays in
// view; they are told by their request id. Secrets, signatures and query strings never come here: the writers leave them out.

import process from 'node:process';
import { styleText } from 'node:util';
import type { Logger } from 'pino';
import type { LogFormat, LogLevel } from './option-values.ts';

type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

/** What engine and file service are given. */
export interface Log {
  debug(message: string, fields: Fields): void;
  info(message: string, fields: Fields): void;
  warn(message: string, fields: Fields): void;
  error(message: string, fields: Fields): void;
  /** Which requests are to be told of: they come as `info`. */
  readonly requests: 'all' | 'failed';
}

interface LogSettings {
  readonly format: LogFormat;
  readonly level: LogLevel;
  /** Colours, in the pretty format. */
  readonly colour: boolean;
}

/** Makes the logs of the parts of one process. */
export async function openLogging(settings: LogSettings): Promise<(part: string) => Log> {
  const { pino, stdTimeFunctions } = await import('pino');
  const options = {
    level: settings.level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const root =
    settings.format === 'json'
      ? pino(options, pino.destination({ dest: process.stderr.fd, sync: true }))
      : pino(options, { write: (line: string) => void process.stderr.write(prettyLine(line, settings.colour)) });
  return (part) => partLog(root.child({ part }));
}

function partLog(logger: Logger): Log {
  const showsRequests = logger.isLevelEnabled('debug');
  return {
    debug: (message, fields) => logger.debug(fields, message),
    info(message, fields) {
      if (message !== 'request') return logger.info(fields, message);
      if (Number(fields.status) >= 500 && !expectedStatuses.has(Number(fields.status)))
        return logger.error(fields, message);
      if (showsRequests) logger.debug(fields, message);
    },
    warn: (message, fields) => logger.warn(fields, message),
    error: (message, fields) => logger.error(fields, message),
    requests: showsRequests ? 'all' : 'failed',
  };
}

/** Answers that say nothing is wrong here: an operation that is not built (501), and too much asked at once (503). */
const expectedStatuses: ReadonlySet<number> = new Set([501, 503]);

const levelStyles: Readonly<Record<string, 'dim' | 'cyan' | 'yellow' | 'red'>> = {
  debug: 'dim',
  info: 'cyan',
  warn: 'yellow',
  error: 'red',
};

/** `14:03:07.123 warn  engine  message  name=value …`, from one line of JSON that pino made. */
export function prettyLine(line: string, colour: boolean): string {
  // Proof of the cast: the line is what pino wrote of our own fields, one JSON object.
  const { time, level, part, msg, stack, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const style = (name: 'dim' | 'cyan' | 'yellow' | 'red', text: string): string =>
    colour ? styleText(name, text, { validateStream: false }) : text;
  const clock = String(time).slice(11, 23);
  const name = String(level);
  const told = Object.entries(fields).map(([key, value]) => style('dim', `${key}=`) + printable(String(value)));
  const head = `${style('dim', clock)} ${style(levelStyles[name] ?? 'dim', name.padEnd(5))} ${String(part).padEnd(7)} ${printable(String(msg))}`;
  const trace = typeof stack === 'string' ? `\n${style('dim', stack)}` : '';
  return `${[head, ...told].join('  ')}${trace}\n`;
}

/** A key or a header may hold anything: control characters must not reach the terminal as such. */
function printable(text: string): string {
  const shown = text.replace(/\p{C}/gu, (character) => JSON.stringify(character).slice(1, -1));
  const escaped = shown.replace(/\p{C}/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
  return /[\s"]/.test(escaped) ? `"${escaped}"` : escaped;
}

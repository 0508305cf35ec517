// The only place where the environment is read. Every STOWAGE_ variable that stands for an option is listed here; an
// option on the command line wins over it. All wrong values are reported at once, so that they are mended in one go.
// Spec: docs of `stowage --help`. Secrets are never repeated in a message.

import { InvalidArgumentError } from 'commander';
import { CommandError } from './command-error.ts';
import {
  type DurabilityChoice,
  type LogFormat,
  type LogLevel,
  logFormats,
  logLevels,
  parseChoice,
  parseDurability,
  parseHost,
  parsePath,
  parsePort,
} from './option-values.ts';

/** What the environment says; absent where it says nothing. */
export interface Environment {
  /** The root account's key; both parts or neither. */
  readonly rootKey?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly data?: string;
  readonly host?: string;
  readonly port?: number;
  readonly durability?: DurabilityChoice;
  readonly logFormat?: LogFormat;
  readonly logLevel?: LogLevel;
  /** NO_COLOR (no-color.org): any value but an empty one asks for plain text. */
  readonly plain: boolean;
}

/** What `--help` says of each variable. */
export const environmentHelp: Readonly<Record<string, string>> = {
  STOWAGE_ACCESS_KEY_ID: "the root account's access key, with STOWAGE_SECRET_ACCESS_KEY",
  STOWAGE_SECRET_ACCESS_KEY: 'its secret; without the two, a key is made once and kept in the data folder',
  STOWAGE_DATA: 'as --data',
  STOWAGE_HOST: 'as --host',
  STOWAGE_PORT: 'as --port',
  STOWAGE_DURABILITY: 'as --durability',
  STOWAGE_LOG_FORMAT: 'as --log-format',
  STOWAGE_LOG_LEVEL: 'as --log-level',
};

const accessKeyPattern = /^[\w.-]{3,128}$/;
const secretMinLength = 8;
const secretMaxLength = 128;

/** @throws CommandError `usage` with a line for every wrong value. */
export function readEnvironment(variables: Readonly<Record<string, string | undefined>>): Environment {
  const wrong: string[] = [];
  // An empty variable counts as absent: that is how a compose file or a unit unsets one.
  const read = <Value>(name: string, parse: (text: string) => Value): Value | undefined => {
    const text = variables[name];
    if (text === undefined || text === '') return undefined;
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error;
      wrong.push(`${name}: ${error.message}`);
      return undefined;
    }
  };
  const values = {
    data: read('STOWAGE_DATA', parsePath),
    host: read('STOWAGE_HOST', parseHost),
    port: read('STOWAGE_PORT', parsePort),
    durability: read('STOWAGE_DURABILITY', parseDurability),
    logFormat: read('STOWAGE_LOG_FORMAT', parseChoice(logFormats)),
    logLevel: read('STOWAGE_LOG_LEVEL', parseChoice(logLevels)),
    rootKey: readRootKey(read),
  };
  if (values.rootKey === 'incomplete') {
    wrong.push('STOWAGE_ACCESS_KEY_ID and STOWAGE_SECRET_ACCESS_KEY: only one is set. Set both, or neither.');
  }
  if (wrong.length > 0) {
    throw new CommandError(
      'usage',
      `The environment holds what cannot be used:\n${wrong.map((line) => `  ${line}`).join('\n')}`,
    );
  }
  const present = Object.entries(values).filter(([, value]) => value !== undefined);
  // Every entry is the value that its own parser made, or was left out; 'incomplete' was refused above.
  return {
    ...(Object.fromEntries(present) as Omit<Environment, 'plain'>),
    plain: (variables.NO_COLOR ?? '') !== '',
  };
}

type ReadVariable = <Value>(name: string, parse: (text: string) => Value) => Value | undefined;

function readRootKey(read: ReadVariable): Environment['rootKey'] | 'incomplete' {
  let given = 0;
  const accessKeyId = read('STOWAGE_ACCESS_KEY_ID', (text) => {
    given += 1;
    if (accessKeyPattern.test(text)) return text;
    throw new InvalidArgumentError('an access key is 3 to 128 letters, digits, underscores, dots or hyphens.');
  });
  const secretAccessKey = read('STOWAGE_SECRET_ACCESS_KEY', (text) => {
    given += 1;
    if (text.length >= secretMinLength && text.length <= secretMaxLength && /^[\x21-\x7e]+$/.test(text)) return text;
    throw new InvalidArgumentError(
      `a secret is ${secretMinLength} to ${secretMaxLength} visible ASCII characters (it has ${text.length} characters).`,
    );
  });
  if (given === 1) return 'incomplete';
  return accessKeyId === undefined || secretAccessKey === undefined ? undefined : { accessKeyId, secretAccessKey };
}

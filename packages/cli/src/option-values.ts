// From the text of an option, or of the environment variable that stands for it, to a value. Each parser throws an
// InvalidArgumentError that says what came and what was expected; commander and environment.ts add where it came from.

import { InvalidArgumentError } from 'commander';

/** `strict`, `interval`, `interval=50` (milliseconds) or `memory`, as the store takes it. */
export type DurabilityChoice =
  | { readonly level: 'strict' }
  | { readonly level: 'interval'; readonly intervalMs: number }
  | { readonly level: 'memory' };

export const logFormats = ['json', 'pretty'] as const;
export type LogFormat = (typeof logFormats)[number];

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export const bucketDefaults = ['aws', 'legacy'] as const;
export type BucketDefaults = (typeof bucketDefaults)[number];

const defaultIntervalMs = 100;
const maxIntervalMs = 60_000;
const maxWorkers = 64;

/** 0 to 65535; 0 lets the system choose a free one. */
export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port >= 0 && port <= 65_535) return port;
  throw new InvalidArgumentError(`"${text}" is not a port: give a number from 1 to 65535, or 0 for any free one.`);
}

/** A host name or an address to listen at. */
export function parseHost(text: string): string {
  if (text !== '' && !/[\s/@?#]/.test(text) && !/^https?:/i.test(text)) return text;
  throw new InvalidArgumentError(`"${text}" is not a host: give a name or an address such as 127.0.0.1 or 0.0.0.0.`);
}

export function parseDurability(text: string): DurabilityChoice {
  if (text === 'strict' || text === 'memory') return { level: text };
  const interval = /^interval(?:=(\d{1,5})(?:ms)?)?$/.exec(text);
  if (interval !== null) {
    const intervalMs = interval[1] === undefined ? defaultIntervalMs : Number(interval[1]);
    if (intervalMs >= 1 && intervalMs <= maxIntervalMs) return { level: 'interval', intervalMs };
  }
  throw new InvalidArgumentError(
    `"${text}" is not a durability: give strict, interval, interval=MS (1 to ${maxIntervalMs}) or memory.`,
  );
}

/** The domain that virtual-host style names buckets under: `bucket.<domain>`. */
export function parseDomain(text: string): string {
  const domain = text.toLowerCase();
  if (domain.length <= 190 && /^(?!-)[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(domain)) return domain;
  throw new InvalidArgumentError(`"${text}" is not a domain name: give one such as s3.example.com, without a port.`);
}

/** One of a fixed list of words. */
export function parseChoice<Choice extends string>(choices: readonly Choice[]): (text: string) => Choice {
  return (text) => {
    const chosen = choices.find((choice) => choice === text);
    if (chosen !== undefined) return chosen;
    throw new InvalidArgumentError(`"${text}" is none of ${choices.join(', ')}.`);
  };
}

/** How many threads answer requests. */
export function parseWorkers(text: string): number {
  const workers = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (workers >= 1 && workers <= maxWorkers) return workers;
  throw new InvalidArgumentError(`"${text}" is not a number of workers: give 1 to ${maxWorkers}.`);
}

const rateUnits: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/** Bytes per second, `8M` and the like; 0 turns off what it limits. */
export function parseRate(text: string): number {
  const match = /^(\d{1,9})([KMG]?)$/.exec(text.toUpperCase());
  const unit = rateUnits[match?.[2] ?? 'none'];
  if (match !== null && unit !== undefined) return Number(match[1]) * unit;
  throw new InvalidArgumentError(
    `"${text}" is not a rate: give bytes per second, such as 500K, 8M or 1G, or 0 for none at all.`,
  );
}

/** The length of a lifecycle day. Lifecycle rules are not built, so that no value could have an effect. */
export function refuseLifecycleDay(): never {
  throw new InvalidArgumentError('lifecycle rules are not built in this version, so that a day has no length to set.');
}

/** A file or folder. */
export function parsePath(text: string): string {
  if (text !== '' && !text.includes('\0')) return text;
  throw new InvalidArgumentError('it is empty: give the path of a file or folder.');
}

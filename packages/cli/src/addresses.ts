// Addresses to listen at: whether they are free, which one is free instead, and how other machines reach them. A port is
// tried before anything slow is begun, so that a taken one is told at once; the servers' own errors are told the same way.

import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { CommandError } from './command-error.ts';
import { errorCode } from './durable-file.ts';

/** How many ports after the taken one are tried for a suggestion. */
const suggestionsTried = 20;

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  /** What listens there, and the option that moves it. */
  readonly purpose: string;
  readonly option: string;
}

/**
 * `command`: how it was started, for advice that can be typed as it stands: it names every port, as what holds one may well hold the
 * others too. @throws CommandError when one of the addresses cannot be listened at.
 */
export async function assertFree(addresses: readonly ListenAddress[], command: string): Promise<void> {
  for (const address of addresses) {
    if (address.port === 0) continue;
    const refusal = await tryListening(address.host, address.port);
    if (refusal === undefined) continue;
    if (addresses.length === 1 || errorCode(refusal) !== 'EADDRINUSE') throw await explainListenError(refusal, address);
    throw inUse(refusal, address, await adviceFor(addresses, command));
  }
}

/** Every option with a port that is free. */
async function adviceFor(addresses: readonly ListenAddress[], command: string): Promise<string> {
  const options: string[] = [];
  const chosen = new Set<number>();
  for (const { host, port, option } of addresses) {
    const free = port === 0 ? 0 : await findFreePort(host, port, chosen);
    if (free === undefined) return `other ports: ${addresses.map((address) => address.option).join(', ')}`;
    chosen.add(free);
    options.push(`${option} ${free}`);
  }
  return `free ones: ${command} ${options.join(' ')}`;
}

function inUse(cause: unknown, { host, port, purpose }: ListenAddress, instead: string): CommandError {
  const message = `Port ${port} on ${host} is in use by another program; ${purpose} needs it.\nStop that program, or choose ${instead}`;
  return new CommandError('port', message, { cause });
}

/** What an error of listening means for the person who started us; any other error is given back as it is. */
export async function explainListenError(error: unknown, address: ListenAddress): Promise<unknown> {
  const { host, port, purpose, option } = address;
  switch (errorCode(error)) {
    case 'EADDRINUSE': {
      const free = await findFreePort(host, port + 1);
      return inUse(error, address, free === undefined ? 'another port' : `a free one: ${option} ${free}`);
    }
    case 'EACCES':
      return new CommandError(
        'port',
        `Port ${port} is not allowed to this user; ${purpose} needs one of 1024 or above (${option}).`,
        { cause: error },
      );
    case 'ENOTSUP':
      return new CommandError(
        'usage',
        'Several workers share a port, which this system cannot do: leave --workers out.',
        {
          cause: error,
        },
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new CommandError('usage', `${host} is no address of this machine: choose another --host.`, {
        cause: error,
      });
    default:
      return error;
  }
}

/** Whether only programs of this machine can reach a host. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** Any address of this machine: `0.0.0.0` and its kin are no address that a client could use. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** How other machines reach a host that is listened at: for a wildcard, this machine's first outside address. */
export function reachableHost(host: string): string {
  if (!isWildcard(host)) return host;
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { family, internal, address } of addresses ?? []) if (family === 'IPv4' && !internal) return address;
  }
  return '127.0.0.1';
}

/** A host and port as they stand in a URL. */
export function urlAuthority(host: string, port: number | string): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** The first free one from `first` on that is not `spoken` for. */
async function findFreePort(
  host: string,
  first: number,
  spoken: ReadonlySet<number> = new Set(),
): Promise<number | undefined> {
  for (let port = first; port <= Math.min(first + suggestionsTried, 65_535); port += 1) {
    if (!spoken.has(port) && (await tryListening(host, port)) === undefined) return port;
  }
  return undefined;
}

async function tryListening(host: string, port: number): Promise<unknown> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', resolve);
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}

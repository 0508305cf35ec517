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

/** @throws CommandError when the address cannot be listened at. */
export async function assertFree(address: ListenAddress): Promise<void> {
  if (address.port === 0) return;
  const refusal = await tryListening(address.host, address.port);
  if (refusal !== undefined) throw await explainListenError(refusal, address);
}

/** What an error of listening means for the person who started us; any other error is given back as it is. */
export async function explainListenError(error: unknown, address: ListenAddress): Promise<unknown> {
  const { host, port, purpose, option } = address;
  switch (errorCode(error)) {
    case 'EADDRINUSE': {
      const free = await findFreePort(host, port);
      const instead = free === undefined ? 'another port' : `a free one: ${option} ${free}`;
      const message = `Port ${port} on ${host} is in use by another program; ${purpose} needs it.\nStop that program, or choose ${instead}`;
      return new CommandError('port', message, { cause: error });
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

async function findFreePort(host: string, taken: number): Promise<number | undefined> {
  for (let port = taken + 1; port <= Math.min(taken + suggestionsTried, 65_535); port += 1) {
    if ((await tryListening(host, port)) === undefined) return port;
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

// The addresses behind a host's name: what the machine's own table says (hosts(5)), else what name servers say. They are asked without
// `dns.lookup`, which holds a thread of the few that all of the process shares until it gives up: names whose servers are silent would keep
// everybody else from theirs. Names are asked for as they are written; search domains are not tried.

import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';

export interface NameSources {
  /** Default: the machine's. */
  readonly hostsPath?: string;
  /** With their ports. Default: the machine's. */
  readonly servers?: readonly string[];
}

interface FindOptions {
  /** When it is over, so is the search. */
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly sources?: NameSources | undefined;
}

const machineHostsPath = process.platform === 'win32' ? 'C:\\Windows\\System32\\drivers\\etc\\hosts' : '/etc/hosts';
/** resolv.conf(5), MAXNS: one that is silent leaves time for the others. */
const maxServers = 3;
/** A name has no address of this kind, or there is no such name: https://nodejs.org/api/dns.html#error-codes. */
const saysNone = new Set(['ENODATA', 'ENOTFOUND']);

/** All of them, those of IPv4 first; none when there are none. Throws when nobody says, or the time is over. */
export async function findAddresses(
  host: string,
  { signal, timeoutMs, sources = {} }: FindOptions,
): Promise<readonly string[]> {
  const name = host.toLowerCase().replace(/\.$/, '');
  const known = findInTable(await readTable(sources.hostsPath ?? machineHostsPath), name);
  if (known.length > 0) return known.toSorted((one, other) => isIP(one) - isIP(other));
  // RFC 6761 §6.3: no name server is asked for it.
  if (/(^|\.)localhost$/.test(name)) return ['127.0.0.1', '::1'];
  signal.throwIfAborted();
  // One for each name: all that it asks for can be broken off together. It holds no thread, only a socket.
  const resolver = new Resolver({ timeout: Math.ceil(timeoutMs / maxServers), tries: 1 });
  if (sources.servers !== undefined) resolver.setServers(sources.servers);
  const cancel = (): void => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    if (signal.aborted) throw new Error(`The name was not resolved within ${timeoutMs} ms.`);
    const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    // What one kind fails by is of no interest when there is the other.
    if (found.length === 0) for (const answer of answers) requireSaid(answer);
    return found;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

async function readTable(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    // A machine without one has no names of its own. One that cannot be read may say where a name must not lead.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

/** Each line is an address and its names; `#` begins a remark. */
function findInTable(table: string, name: string): readonly string[] {
  return table.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().toLowerCase().split(/\s+/);
    return names.includes(name) && isIP(address) !== 0 ? [address] : [];
  });
}

function requireSaid(answer: PromiseSettledResult<unknown>): void {
  if (answer.status === 'fulfilled') return;
  const { reason } = answer;
  if (!(reason instanceof Error && 'code' in reason && saysNone.has(String(reason.code)))) throw reason;
}

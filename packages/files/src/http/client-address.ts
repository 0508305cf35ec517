// Which address a request came from. A proxy speaks for its clients by `X-Forwarded-For`, and anybody can write that header: so only
// what trusted proxies added is believed, read from the right, up to the first address that is none of theirs.

import ipaddr from 'ipaddr.js';

interface TrustedProxies {
  /** `connection`: the other end of the connection. Answers an address, or that end's where nothing is to be believed. */
  clientAddress(connection: string, forwardedFor: string | undefined): string;
}

/** Names for ranges that people would otherwise have to look up. */
const named: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  private: ['127.0.0.0/8', '::1/128', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', 'fe80::/10'],
};
/** Addresses of one header that are looked at. */
const maxHops = 20;

type Address = ReturnType<typeof ipaddr.process>;
type Range = ReturnType<typeof ipaddr.parseCIDR>;

/** Throws a `RangeError` that names what is neither an address nor a range. */
export function openTrustedProxies(given: readonly string[]): TrustedProxies {
  const ranges = given.flatMap((text) => named[text] ?? [text]).map(parseRange);

  function isTrusted(address: Address): boolean {
    return ranges.some(
      ([network, bits]) => address.kind() === network.kind() && address.match([network, bits] as never),
    );
  }

  return {
    clientAddress: (connection, forwardedFor) => {
      if (ranges.length === 0 || forwardedFor === undefined) return connection;
      let nearest = parseAddress(connection);
      if (nearest === undefined) return connection;
      const hops = forwardedFor.split(',').slice(-maxHops).reverse();
      for (const hop of hops) {
        if (!isTrusted(nearest)) break;
        const next = parseAddress(hop.trim());
        // Written by the proxy, and yet none: its own address is all that is known.
        if (next === undefined) break;
        nearest = next;
      }
      return nearest.toString();
    },
  };
}

function parseRange(text: string): Range {
  try {
    if (text.includes('/')) return ipaddr.parseCIDR(text);
    const address = ipaddr.process(text);
    return [address, address.kind() === 'ipv4' ? 32 : 128] as Range;
  } catch (cause) {
    throw new RangeError(
      `A trusted proxy is given as ${JSON.stringify(text)}; write an address, a range such as 10.0.0.0/8, or ${Object.keys(named).join(' or ')}.`,
      { cause },
    );
  }
}

/** Some proxies add the port. */
function parseAddress(text: string): Address | undefined {
  const [, bracketed, v4] = /^(?:\[([0-9a-fA-F:.]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+)$/.exec(text) ?? [];
  const address = bracketed ?? v4 ?? text;
  return ipaddr.isValid(address) ? ipaddr.process(address) : undefined;
}

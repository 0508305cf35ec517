// Sends one delivery. The address is the tenant's own choice, so it must not reach into the network that the service stands in:
// the name is resolved once, every address behind it is judged, and the connection goes to those that were judged. Redirects
// are not followed. Whatever it waits for, a delivery has a place of its own and no thread: a tenant has half of the places (webhooks.ts),
// and so of the names that are asked for at the same time. Spec: Standard Webhooks.

import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { Webhook } from 'standardwebhooks';
import { findAddresses, type NameSources } from './find-addresses.ts';
import type { DeliveryRecord } from './webhook-record.ts';

/** The status of the answer, or why there was none. */
export type SendOutcome = { readonly status: number } | { readonly failure: string };

interface SendOptions {
  readonly url: string;
  readonly delivery: Pick<DeliveryRecord, 'eventId' | 'body'>;
  /** `whsec_…`; deliveries are signed with each. */
  readonly secrets: readonly string[];
  readonly nowMs: number;
  readonly timeoutMs: number;
  /** Beside those of Standard Webhooks. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether addresses of private networks and plain http may be told. */
  readonly allowPrivate: boolean;
  /** Who knows what names stand for. Default: who does for all of the machine. */
  readonly names?: NameSources;
}

/** The setting, for who runs the service. */
const wayOut = 'allowPrivateWebhooks';
/** Bytes of an answer that are read, so that the connection can end; what they say does not matter. */
const maxAnswerBytes = 64 * 1024;

export async function sendWebhook(options: SendOptions): Promise<SendOutcome> {
  const url = new URL(options.url);
  const refusal = refuseUrl(url, options.allowPrivate);
  if (refusal !== undefined) return { failure: refusal };
  // Of all of it together: the name, too, may be one that nobody answers for.
  const signal = AbortSignal.timeout(options.timeoutMs);
  try {
    const judged = await resolve(url, { ...options, signal });
    if ('failure' in judged) return judged;
    return await post(url, judged.addresses, { ...options, signal });
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

/** Why an address is never told, or `undefined`. */
export function refuseUrl(url: URL, allowPrivate: boolean): string | undefined {
  if (url.protocol !== 'https:' && !(allowPrivate && url.protocol === 'http:'))
    return `Only https addresses are told; plain http too where the service is set to allow it (${wayOut}).`;
  if (url.username !== '' || url.password !== '') return 'An address must not hold a user name or a password.';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  // RFC 6761 §6.3: whatever a resolver says, these names are this machine.
  const isLocal = /(^|\.)localhost\.?$/i.test(host);
  if (!allowPrivate && (isLocal || (isIP(host) !== 0 && !isPublic(host)))) return privateNetwork(host);
  return undefined;
}

type Timed = SendOptions & { readonly signal: AbortSignal };

interface JudgedAddresses {
  /** The first of each family, where there is one. */
  readonly addresses: readonly string[];
}

async function resolve(
  url: URL,
  { allowPrivate, signal, timeoutMs, names }: Timed,
): Promise<JudgedAddresses | { readonly failure: string }> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const found = isIP(host) !== 0 ? [host] : await findAddresses(host, { signal, timeoutMs, sources: names });
  if (found.length === 0) return { failure: `${host} has no address.` };
  if (!allowPrivate && !found.every(isPublic)) return { failure: privateNetwork(host) };
  return { addresses: [4, 6].flatMap((family) => found.find((address) => isIP(address) === family) ?? []) };
}

function privateNetwork(host: string): string {
  return `${host} leads into a private network; such addresses are told where the service is set to allow it (${wayOut}).`;
}

/** Of IPv6, what is given out at all: what else looks like it may lead to an address of IPv4, or within a site. */
const givenOut = ipaddr.IPv6.parseCIDR('2000::/3');

function isPublic(text: string): boolean {
  // `process` turns an IPv4 address that is written as IPv6 into what it is.
  const address = ipaddr.process(text);
  return address.range() === 'unicast' && (address instanceof ipaddr.IPv4 || address.match(givenOut));
}

function post(url: URL, addresses: readonly string[], options: Timed): Promise<SendOutcome> {
  const { delivery, secrets, nowMs, timeoutMs, signal } = options;
  const at = new Date(nowMs);
  const signatures = secrets.map((secret) => new Webhook(secret).sign(delivery.eventId, at, delivery.body));
  const body = Buffer.from(delivery.body);
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((settle, reject) => {
    const request = send(
      url,
      {
        method: 'POST',
        agent: false,
        signal,
        // The addresses that were judged, whatever a second look at the name would say.
        lookup: (_host, { all }, done) => {
          const known = addresses.map((address) => ({ address, family: isIP(address) }));
          const [first] = known;
          if (first === undefined) done(new Error('Nothing was judged.'), '');
          else if (all === true) done(null, known);
          else done(null, first.address, first.family);
        },
        headers: {
          ...options.headers,
          'content-type': 'application/json',
          'content-length': body.byteLength,
          'user-agent': 'stowage-webhooks/1',
          'webhook-id': delivery.eventId,
          'webhook-timestamp': String(Math.floor(nowMs / 1000)),
          'webhook-signature': signatures.join(' '),
        },
      },
      (response) => {
        let read = 0;
        response.on('data', (chunk: Buffer) => {
          read += chunk.length;
          if (read > maxAnswerBytes) response.destroy();
        });
        response.once('close', () => settle({ status: response.statusCode ?? 0 }));
        response.once('error', () => settle({ status: response.statusCode ?? 0 }));
      },
    );
    request.once('error', (error) => {
      reject(
        error.name === 'TimeoutError' || error.name === 'AbortError'
          ? new Error(`No answer within ${timeoutMs} ms.`)
          : error,
      );
    });
    request.end(body);
  });
}

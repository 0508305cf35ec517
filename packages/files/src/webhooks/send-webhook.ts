// Sends one delivery. The address is the tenant's own choice, so it must not reach into the network that the service stands in:
// the name is resolved once, every address behind it is judged, and the connection goes to the one that was judged. Redirects
// are not followed. Spec: Standard Webhooks.

import { lookup } from 'node:dns/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { Webhook } from 'standardwebhooks';
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
}

/** Bytes of an answer that are read, so that the connection can end; what they say does not matter. */
const maxAnswerBytes = 64 * 1024;

export async function sendWebhook(options: SendOptions): Promise<SendOutcome> {
  const url = new URL(options.url);
  const refusal = refuseUrl(url, options.allowPrivate);
  if (refusal !== undefined) return { failure: refusal };
  // Of all of it together: the name, too, may be one that nobody answers for.
  const signal = AbortSignal.timeout(options.timeoutMs);
  try {
    const address = await before(signal, resolve(url, options.allowPrivate), options.timeoutMs);
    if (typeof address === 'string') return { failure: address };
    return await post(url, address.address, { ...options, signal });
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

/** Why an address is never told, or `undefined`. */
export function refuseUrl(url: URL, allowPrivate: boolean): string | undefined {
  if (url.protocol !== 'https:' && !(allowPrivate && url.protocol === 'http:')) return 'Only https addresses are told.';
  if (url.username !== '' || url.password !== '') return 'An address must not hold a user name or a password.';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (!allowPrivate && isIP(host) !== 0 && !isPublic(host)) return 'The address lies in a private network.';
  return undefined;
}

async function resolve(url: URL, allowPrivate: boolean): Promise<{ readonly address: string } | string> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const found = isIP(host) !== 0 ? [{ address: host }] : await lookup(host, { all: true });
  const [first] = found;
  if (first === undefined) return `${host} has no address.`;
  if (!allowPrivate && !found.every(({ address }) => isPublic(address))) return `${host} leads into a private network.`;
  return first;
}

function isPublic(address: string): boolean {
  // `process` turns an IPv4 address that is written as IPv6 into what it is.
  return ipaddr.process(address).range() === 'unicast';
}

/** What it comes to, unless the time is over first: a look at a name cannot be broken off. */
async function before<Result>(signal: AbortSignal, work: Promise<Result>, timeoutMs: number): Promise<Result> {
  const over = Promise.withResolvers<never>();
  const end = (): void => over.reject(new Error(`The name was not resolved within ${timeoutMs} ms.`));
  signal.addEventListener('abort', end, { once: true });
  try {
    return await Promise.race([work, over.promise]);
  } finally {
    signal.removeEventListener('abort', end);
  }
}

function post(
  url: URL,
  address: string,
  options: SendOptions & { readonly signal: AbortSignal },
): Promise<SendOutcome> {
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
        // The address that was judged, whatever a second look at the name would say.
        lookup: (_host, lookupOptions, done) => {
          const family = isIP(address);
          if (lookupOptions.all === true) done(null, [{ address, family }]);
          else done(null, address, family);
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

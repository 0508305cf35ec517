// The readonly value that stands for a request: `ReceivedHead` is what came over the wire, `S3Request` is that and
// everything the pipeline has found out about it, which is what handlers get.

import type { IncomingMessage } from 'node:http';
import { type OperationName, type PayloadHash, type RequestHeaders, S3Error, type SignedRequest } from '@stowage/s3';
import type { Account } from './accounts.ts';
import type { RequestBody } from './incoming-body.ts';
import type { EngineLimits } from './limits.ts';
import type { Address } from './locate.ts';
import { parseQuery } from './query.ts';

/** Method, path, query and headers: what is signed. */
export type ReceivedHead = SignedRequest;

export interface S3Request extends ReceivedHead, Address {
  /** `x-amz-request-id`. */
  readonly id: string;
  readonly operation: OperationName;
  /** Who signed it; `undefined` when nobody did. */
  readonly requester: Account | undefined;
  /** What it says of its body's bytes. */
  readonly payload: PayloadHash;
  readonly body: RequestBody;
  /** `http` or `https` and the host it was sent to: what Location headers begin with. */
  readonly origin: string;
  readonly nowMs: number;
}

/**
 * Reads the head of a request, once.
 * @throws S3Error `InvalidURI`, `RequestHeaderSectionTooLarge`, `InvalidRequest` without a Host header.
 */
export function receiveHead(message: IncomingMessage, limits: EngineLimits): ReceivedHead {
  const target = originForm(message.url ?? '');
  if (target.length > limits.urlBytes) {
    throw new S3Error('InvalidURI', `The URI has ${target.length} bytes; at most ${limits.urlBytes} are taken.`);
  }
  if (message.rawHeaders.length / 2 > limits.headerCount) {
    throw new S3Error(
      'RequestHeaderSectionTooLarge',
      `The request has ${message.rawHeaders.length / 2} headers; at most ${limits.headerCount} are taken.`,
      { details: { MaxSizeAllowed: String(limits.headerCount) } },
    );
  }
  const headers = singleValued(message);
  if (headers.host === undefined) {
    throw new S3Error('InvalidRequest', 'Missing required header for this request: Host');
  }
  const question = target.indexOf('?');
  return {
    method: message.method ?? 'GET',
    rawPath: question === -1 ? target : target.slice(0, question),
    query: question === -1 ? noQuery : parseQuery(target.slice(question + 1)),
    headers,
  };
}

const noQuery: SignedRequest['query'] = [];

/** A proxy may send the absolute form (RFC 9112, 3.2.2), and every server must take it. */
function originForm(target: string): string {
  if (target.startsWith('/')) return target;
  const match = /^https?:\/\/[^/?#]*/i.exec(target);
  if (match === null)
    throw new S3Error('InvalidURI', "Couldn't parse the specified URI: it does not begin with a slash.");
  const rest = target.slice(match[0].length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** node joins repeated headers by a comma, except Set-Cookie, which belongs to answers and is left out here. */
function singleValued(message: IncomingMessage): RequestHeaders {
  if (message.headers['set-cookie'] === undefined) {
    // Without Set-Cookie every value is a string: it is the only name that node gives as an array.
    return message.headers as RequestHeaders;
  }
  const { 'set-cookie': _, ...rest } = message.headers;
  return rest as RequestHeaders; // As above.
}

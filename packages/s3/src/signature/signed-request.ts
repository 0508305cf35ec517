// The plain view of an HTTP request that everything about signatures reads: what came, before any meaning is given to it.
// It is what node:http already holds, so that the hot path copies nothing: the path is not decoded, header names are
// lower-case, and only the query is decoded (once, by whoever matched the operation).

import type { RequestHeaders, RequestQuery } from '../request-parts.ts';

/** A request as it is signed and verified. */
export interface SignedRequest {
  /** Upper-case, as received. */
  readonly method: string;
  /** The path as received: still percent-encoded, without the query. Always begins with `/`. */
  readonly rawPath: string;
  readonly query: RequestQuery;
  readonly headers: RequestHeaders;
}

/** What signs: an access key, and the session token where it is a temporary one. */
export interface SigningCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Sent along and signed, so that the server can find the session of temporary credentials. */
  readonly sessionToken?: string | undefined;
}

// Continuation tokens of listings: opaque to clients, so that what they hold can change. Now a version and the last key (or
// common prefix) of the page before, in base64url. They are no secret and need no signature: start-after says the same.

import { S3Error } from './errors.ts';
import { maxKeyBytes } from './object-key.ts';

const version = 1;

/** The token that goes on after `last`. */
export function encodeContinuationToken(last: string): string {
  return Buffer.concat([Buffer.of(version), Buffer.from(last)]).toString('base64url');
}

/** The key that the page goes on after. @throws S3Error `InvalidArgument` when the token is not one of ours. */
export function decodeContinuationToken(token: string): string {
  const bytes = Buffer.from(token, 'base64url');
  const last = bytes.subarray(1).toString();
  const isOurs = bytes[0] === version && bytes.length <= maxKeyBytes + 1 && encodeContinuationToken(last) === token;
  if (!isOurs) {
    throw new S3Error('InvalidArgument', 'The continuation token provided is incorrect', {
      details: { ArgumentName: 'continuation-token', ArgumentValue: token },
    });
  }
  return last;
}

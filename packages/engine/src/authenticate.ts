// Who a request is from. The signature itself is verified in @stowage/s3; here the key's secret is found.
// Any region is accepted in the credential scope: it is where the client believes to be, and proves nothing. Forms
// (PostObject) carry their signature in the body and are authenticated by their handler.

import {
  type ChunkSigning,
  type PayloadHash,
  parseAuthentication,
  parsePresignedV2,
  S3Error,
  type SignedRequest,
  verifyPresignedV2,
  verifySignature,
} from '@stowage/s3';
import type { Account } from './accounts.ts';
import type { EngineContext } from './engine-context.ts';
import type { Address } from './locate.ts';

export interface Identity {
  /** `undefined`: nobody signed it. */
  readonly requester: Account | undefined;
  readonly payload: PayloadHash;
  /** What the signatures of an aws-chunked body continue from. */
  readonly chunkSigning: ChunkSigning | undefined;
}

/** @throws S3Error: every way in which a signature can be wrong, `InvalidAccessKeyId`, `InvalidToken`. */
export function authenticate(head: SignedRequest, address: Address, engine: EngineContext): Identity {
  const presigned = parsePresignedV2(head);
  if (presigned !== undefined) {
    const requester = findRequester(engine, presigned.accessKeyId, presigned.sessionToken);
    const hostBucket = address.style === 'host' ? address.bucket : undefined;
    const { secretAccessKey } = requester;
    verifyPresignedV2(head, presigned, { secretAccessKey, nowMs: engine.clock(), hostBucket });
    // Version 2 says nothing of the body.
    return { requester, payload: { kind: 'unsigned', text: 'UNSIGNED-PAYLOAD' }, chunkSigning: undefined };
  }
  const authentication = parseAuthentication(head);
  if (authentication.mechanism === 'anonymous') {
    return { requester: undefined, payload: authentication.payload, chunkSigning: undefined };
  }
  const requester = findRequester(engine, authentication.accessKeyId, authentication.sessionToken);
  const chunkSigning = verifySignature(head, authentication, {
    secretAccessKey: requester.secretAccessKey,
    nowMs: engine.clock(),
    signingKeys: engine.signingKeys,
  });
  return { requester, payload: authentication.payload, chunkSigning };
}

/** The account of an access key. There are no temporary credentials yet, so a session token is never valid. */
export function findRequester(engine: EngineContext, accessKeyId: string, sessionToken: string | undefined): Account {
  const requester = engine.accounts.findByAccessKey(accessKeyId);
  if (requester === undefined) {
    throw new S3Error('InvalidAccessKeyId', undefined, { details: { AWSAccessKeyId: accessKeyId } });
  }
  if (sessionToken !== undefined) throw new S3Error('InvalidToken');
  return requester;
}

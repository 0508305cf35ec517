// ListObjects and ListObjectsV2: a page of keys in UTF-8 byte order, grouped at a delimiter. Both read the same page; they
// differ in how a client says where it begins.

import {
  decodeContinuationToken,
  encodeContinuationToken,
  parseEncodingType,
  writeListObjectsDocument,
  writeListObjectsV2Document,
} from '@stowage/s3';
import type { ObjectList } from '@stowage/store';
import type { EngineContext } from '../engine-context.ts';
import type { Handler } from '../handler.ts';
import { queryPageSize, queryValue } from '../query.ts';
import { documentResult } from '../result.ts';
import type { S3Request } from '../s3-request.ts';

export const listObjects: Handler = (request, engine) => {
  const marker = queryValue(request.query, 'marker') ?? '';
  const page = readPage(request, engine, marker);
  return documentResult(
    writeListObjectsDocument({
      ...page,
      marker,
      // "This element is returned only if you have the delimiter request parameter specified."
      nextMarker: page.delimiter === '' ? undefined : page.next,
      ownerOf: ownersOf(engine),
    }),
  );
};

export const listObjectsV2: Handler = (request, engine) => {
  const { query } = request;
  const startAfter = queryValue(query, 'start-after');
  const token = queryValue(query, 'continuation-token');
  // An empty token begins at the beginning, as if there were none.
  const after = token === undefined || token === '' ? (startAfter ?? '') : decodeContinuationToken(token);
  const page = readPage(request, engine, after);
  return documentResult(
    writeListObjectsV2Document({
      ...page,
      startAfter,
      continuationToken: token,
      nextContinuationToken: page.next === undefined ? undefined : encodeContinuationToken(page.next),
      ownerOf: queryValue(query, 'fetch-owner') === 'true' ? ownersOf(engine) : undefined,
    }),
  );
};

/** Names accounts as listings show them. */
export function ownersOf(engine: EngineContext): (accountId: string) => { id: string; displayName: string } {
  return (accountId) => ({ id: accountId, displayName: engine.accounts.displayName(accountId) });
}

function readPage(request: S3Request, engine: EngineContext, after: string): ListedPageParts {
  const { bucket, query } = request;
  const encodingType = parseEncodingType(queryValue(query, 'encoding-type'));
  const prefix = queryValue(query, 'prefix') ?? '';
  const delimiter = queryValue(query, 'delimiter') ?? '';
  const maxKeys = queryPageSize(query, 'max-keys', engine.limits.pageKeys);
  const list = engine.store.listObjects({ bucket, prefix, delimiter, after, limit: maxKeys });
  return { ...list, bucket, prefix, delimiter, maxKeys, encodingType, isTruncated: list.next !== undefined };
}

interface ListedPageParts extends ObjectList {
  readonly bucket: string;
  readonly prefix: string;
  readonly delimiter: string;
  readonly maxKeys: number;
  readonly encodingType: 'url' | undefined;
  readonly isTruncated: boolean;
}

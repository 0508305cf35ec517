// ListObjectVersions of buckets without versioning: every object is its one version, whose id is `null` and which is the
// latest. Delete markers there are none.

import { parseEncodingType, S3Error, writeListObjectVersionsDocument } from '@stowage/s3';
import type { Handler } from '../handler.ts';
import { queryPageSize, queryValue } from '../query.ts';
import { documentResult } from '../result.ts';
import { checkVersionId } from '../screen.ts';
import { ownersOf } from './list-objects.ts';

export const listObjectVersions: Handler = (request, engine) => {
  const { bucket, query } = request;
  const encodingType = parseEncodingType(queryValue(query, 'encoding-type'));
  const prefix = queryValue(query, 'prefix') ?? '';
  const delimiter = queryValue(query, 'delimiter') ?? '';
  const keyMarker = queryValue(query, 'key-marker') ?? '';
  const versionIdMarker = queryValue(query, 'version-id-marker') ?? '';
  if (versionIdMarker !== '') {
    if (keyMarker === '') {
      throw new S3Error('InvalidArgument', 'A version-id marker cannot be specified without a key marker.', {
        details: { ArgumentName: 'version-id-marker', ArgumentValue: versionIdMarker },
      });
    }
    checkVersionId(versionIdMarker);
  }
  const maxKeys = queryPageSize(query, 'max-keys', engine.limits.pageKeys);
  // A key has one version, so that after a key's marker comes the next key, whether its version is named or not.
  const list = engine.store.listObjects({ bucket, prefix, delimiter, after: keyMarker, limit: maxKeys });
  const last = list.objects.at(-1);
  return documentResult(
    writeListObjectVersionsDocument({
      bucket,
      prefix,
      delimiter,
      keyMarker,
      versionIdMarker,
      maxKeys,
      encodingType,
      next:
        list.next === undefined
          ? undefined
          : { keyMarker: list.next, versionIdMarker: last?.key === list.next ? last.versionId : '' },
      versions: list.objects.map((object) => ({ ...object, isLatest: true })),
      commonPrefixes: list.commonPrefixes,
      ownerOf: ownersOf(engine),
    }),
  );
};

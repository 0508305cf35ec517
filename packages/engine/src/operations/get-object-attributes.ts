// GetObjectAttributes: what HEAD tells and, of multipart objects, their parts.

import { formatHttpDate, parseObjectAttributes, S3Error, writeGetObjectAttributesDocument } from '@stowage/s3';
import type { ObjectVersion } from '@stowage/store';
import type { Handler } from '../handler.ts';
import { documentResult } from '../result.ts';
import type { S3Request } from '../s3-request.ts';
import { noSuchKey } from './get-object.ts';

export const getObjectAttributes: Handler = (request, engine) => {
  const attributes = parseObjectAttributes(request.headers);
  const version = engine.store.headObject(request);
  if (version === undefined) throw noSuchKey(request.key);
  return documentResult(
    writeGetObjectAttributesDocument({
      etag: attributes.has('ETag') ? version.etag : undefined,
      checksum: attributes.has('Checksum') ? version.checksum : undefined,
      parts: attributes.has('ObjectParts') ? partsPage(request, version, engine.limits.pageKeys) : undefined,
      storageClass: attributes.has('StorageClass') ? version.storageClass : undefined,
      sizeBytes: attributes.has('ObjectSize') ? version.sizeBytes : undefined,
    }),
    ['last-modified', formatHttpDate(version.lastModifiedMs)],
  );
};

type PartsPage = NonNullable<Parameters<typeof writeGetObjectAttributesDocument>[0]['parts']>;

/** Absent for an object that was uploaded whole. */
function partsPage(request: S3Request, version: ObjectVersion, pageParts: number): PartsPage | undefined {
  const { parts, checksum } = version;
  if (parts === undefined) return undefined;
  const maxParts = Math.min(headerNumber(request, 'x-amz-max-parts') ?? pageParts, pageParts);
  const partNumberMarker = headerNumber(request, 'x-amz-part-number-marker') ?? 0;
  const following = parts.filter((part) => part.partNumber > partNumberMarker);
  const page = following.slice(0, maxParts);
  // "For general purpose buckets … if an additional checksum was not used, the parts are not listed."
  const algorithm = page.some((part) => part.checksum !== undefined) ? checksum?.algorithm : undefined;
  return {
    totalParts: parts.length,
    partNumberMarker,
    nextPartNumberMarker: following.length > page.length ? page.at(-1)?.partNumber : undefined,
    maxParts,
    algorithm,
    parts: algorithm === undefined ? [] : page,
  };
}

function headerNumber(request: S3Request, name: string): number | undefined {
  const text = request.headers[name];
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new S3Error('InvalidArgument', `${name} must be a number, not negative.`, {
    details: { ArgumentName: name, ArgumentValue: text },
  });
}

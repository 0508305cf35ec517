// CopyObject: another key, or the same one with other attributes, over the same bytes. Nothing is copied on the disk; the
// bytes are read only when another checksum is asked for. Unlike AWS, a copy of a multipart object keeps its ETag and
// parts, because it keeps its bytes as they lie.

import {
  type ChecksumAlgorithm,
  createDigest,
  parseChecksumChoice,
  parseStorageClass,
  S3Error,
  writeCopyObjectDocument,
} from '@stowage/s3';
import type { ObjectAttributes, ObjectChecksum, ObjectVersion } from '@stowage/store';
import { copySourceTooLarge, findCopySource } from '../copied-source.ts';
import type { EngineContext } from '../engine-context.ts';
import type { Handler } from '../handler.ts';
import { readPieces } from '../read-pieces.ts';
import { documentResult } from '../result.ts';
import type { S3Request } from '../s3-request.ts';
import { uploadAttributes } from '../upload-attributes.ts';
import { noSuchKey } from './get-object.ts';
import { ownerOf, writePrecondition } from './put-object.ts';

export const copyObject: Handler = async (request, engine) => {
  const precondition = writePrecondition(request);
  const directive = parseDirective(request, 'x-amz-metadata-directive');
  parseDirective(request, 'x-amz-tagging-directive');
  const algorithm = parseChecksumChoice(request.headers)?.algorithm;
  const source = findCopySource(request, engine);
  if (source.sizeBytes > engine.limits.copyBytes) throw copySourceTooLarge(engine.limits.copyBytes);
  if (directive === 'COPY') refuseCopyOntoItself(request, source, algorithm);
  const attributes = copiedAttributes(request, source, directive);
  const checksum =
    algorithm === undefined || (algorithm === source.checksum?.algorithm && source.checksum.type === 'FULL_OBJECT')
      ? undefined
      : await computeChecksum(source, algorithm, engine);
  const version = await engine.store.copyObject({
    bucket: request.bucket,
    key: request.key,
    source: { bucket: source.bucket, key: source.key, sequence: source.sequence },
    attributes,
    ...(checksum === undefined ? {} : { checksum }),
    ...(precondition === undefined ? {} : { precondition }),
  });
  return documentResult(writeCopyObjectDocument(version));
};

type Directive = 'COPY' | 'REPLACE';

function parseDirective(request: S3Request, name: string): Directive {
  const value = request.headers[name];
  if (value === undefined || value === '' || value === 'COPY') return 'COPY';
  if (value === 'REPLACE') return 'REPLACE';
  throw new S3Error('InvalidArgument', `Unknown directive in ${name}: use COPY or REPLACE.`, {
    details: { ArgumentName: name, ArgumentValue: value },
  });
}

function refuseCopyOntoItself(
  request: S3Request,
  source: ObjectVersion,
  algorithm: ChecksumAlgorithm | undefined,
): void {
  if (source.bucket !== request.bucket || source.key !== request.key) return;
  const changesSomething =
    (request.headers['x-amz-storage-class'] !== undefined &&
      parseStorageClass(request.headers) !== source.storageClass) ||
    request.headers['x-amz-website-redirect-location'] !== undefined ||
    (algorithm !== undefined && algorithm !== source.checksum?.algorithm);
  if (changesSomething) return;
  throw new S3Error(
    'InvalidRequest',
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
  );
}

/** Storage class and website redirect are the request's own in any case: S3 never copies them. */
function copiedAttributes(request: S3Request, source: ObjectVersion, directive: Directive): ObjectAttributes {
  const given = uploadAttributes(request, ownerOf(request));
  if (directive === 'REPLACE') return given;
  const redirect = 'x-amz-website-redirect-location';
  const { [redirect]: _, ...systemMetadata } = source.systemMetadata;
  const givenRedirect = given.systemMetadata[redirect];
  return {
    systemMetadata: givenRedirect === undefined ? systemMetadata : { ...systemMetadata, [redirect]: givenRedirect },
    userMetadata: source.userMetadata,
    storageClass: given.storageClass,
    owner: given.owner,
  };
}

async function computeChecksum(
  source: ObjectVersion,
  algorithm: ChecksumAlgorithm,
  engine: EngineContext,
): Promise<ObjectChecksum> {
  const object = engine.store.openObject(source);
  if (object === undefined) throw noSuchKey(source.key);
  try {
    // Overwritten since it was found: the store would refuse the copy after all the reading.
    if (object.version.sequence !== source.sequence) throw new S3Error('ConditionalRequestConflict');
    const digest = createDigest(algorithm);
    await readPieces(object, undefined, (bytes) => {
      digest.update(bytes);
      return undefined;
    });
    return { algorithm, type: 'FULL_OBJECT', value: Buffer.from(digest.digest()).toString('base64') };
  } finally {
    object.close();
  }
}

// DeleteObjects: the request is `<Delete>`, the answer `<DeleteResult>`.

import { parseConditionSize, parseConditionTime, type WriteConditions } from '../conditions.ts';
import type { S3Error } from '../errors.ts';
import { unquoteEtag } from '../etag.ts';
import { checkChildren, child, childText, malformed, readXml, type XmlElement } from '../xml-reader.ts';
import { writeDocument, writeElement } from '../xml-writer.ts';

/** What is to be deleted. */
export interface DeleteObjectsRequest {
  /** Only failures are answered. */
  readonly quiet: boolean;
  readonly objects: readonly ObjectToDelete[];
}

/** One object of the request. */
export interface ObjectToDelete {
  readonly key: string;
  readonly versionId?: string;
  readonly conditions?: WriteConditions;
}

/** "The request can contain a list of up to 1,000 keys." */
const maxDeleteKeys = 1000;

/**
 * @throws S3Error `MalformedXML`, also for no key and for more than 1,000; `InvalidArgument` for a condition that cannot be
 * read: ignoring it would delete too much.
 */
export function readDeleteObjectsDocument(bytes: Uint8Array): DeleteObjectsRequest {
  // 1,000 keys of 1,024 bytes, each byte written as a reference of six characters, fit in 8 MiB.
  const root = readXml(bytes, 'Delete', { maxBytes: 8 * 1024 * 1024, maxDepth: 4 });
  checkChildren(root, ['Object', 'Quiet']);
  const elements = root.children.filter((element) => element.name === 'Object');
  if (elements.length === 0) throw malformed('No object is named; at least one is needed.');
  if (elements.length > maxDeleteKeys) {
    throw malformed(`${elements.length} objects are named; at most ${maxDeleteKeys} may be.`);
  }
  return { quiet: readQuiet(childText(root, 'Quiet')), objects: elements.map(readObject) };
}

/** What became of the objects, in the order asked. */
export interface DeleteObjectsDocument {
  readonly deleted: readonly DeletedObject[];
  readonly errors: readonly DeleteError[];
}

/** An object that is gone. */
export interface DeletedObject {
  readonly key: string;
  /** Repeated from the request. */
  readonly versionId?: string | undefined;
  /** The delete made or removed a delete marker, whose version this is. */
  readonly deleteMarkerVersionId?: string | undefined;
}

/** An object that could not be deleted. */
export interface DeleteError {
  readonly key: string;
  readonly versionId?: string | undefined;
  readonly error: S3Error;
}

export function writeDeleteObjectsDocument(result: DeleteObjectsDocument): string {
  let content = '';
  for (const deleted of result.deleted) {
    content += `<Deleted>${writeElement('Key', deleted.key)}${writeElement('VersionId', deleted.versionId)}`;
    if (deleted.deleteMarkerVersionId !== undefined) {
      content += '<DeleteMarker>true</DeleteMarker>';
      content += writeElement('DeleteMarkerVersionId', deleted.deleteMarkerVersionId);
    }
    content += '</Deleted>';
  }
  for (const { key, versionId, error } of result.errors) {
    content +=
      `<Error>${writeElement('Key', key)}${writeElement('VersionId', versionId)}` +
      `${writeElement('Code', error.code)}${writeElement('Message', error.message)}</Error>`;
  }
  return writeDocument('DeleteResult', content);
}

function readQuiet(text: string | undefined): boolean {
  if (text === undefined || text === 'false' || text === '0' || text === '') return false;
  if (text === 'true' || text === '1') return true;
  throw malformed(`Quiet is ${text}; expected was true or false.`);
}

function readObject(element: XmlElement): ObjectToDelete {
  checkChildren(element, ['Key', 'VersionId', 'ETag', 'LastModifiedTime', 'Size']);
  // White space belongs to the key.
  const key = child(element, 'Key')?.text;
  if (key === undefined || key === '') throw malformed('Object needs a Key.');
  const versionId = childText(element, 'VersionId');
  const conditions = readConditions(element);
  return {
    key,
    ...(versionId === undefined || versionId === '' ? {} : { versionId }),
    ...(conditions === undefined ? {} : { conditions }),
  };
}

function readConditions(element: XmlElement): WriteConditions | undefined {
  const etag = childText(element, 'ETag');
  const lastModified = childText(element, 'LastModifiedTime');
  const size = childText(element, 'Size');
  if (etag === undefined && lastModified === undefined && size === undefined) return undefined;
  return {
    ...(etag === undefined ? {} : { ifMatch: unquoteEtag(etag) }),
    ...(lastModified === undefined
      ? {}
      : { ifMatchLastModifiedMs: parseConditionTime('LastModifiedTime', lastModified) }),
    ...(size === undefined ? {} : { ifMatchSizeBytes: parseConditionSize('Size', size) }),
  };
}

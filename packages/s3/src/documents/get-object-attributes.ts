// GetObjectAttributes: the request chooses attributes in a header, the answer is `<GetObjectAttributesResponse>`.

import type { ChecksumAlgorithm } from '../checksums/checksum-algorithms.ts';
import { S3Error } from '../errors.ts';
import type { RequestHeaders } from '../request-parts.ts';
import { writeDocument, writeElement } from '../xml-writer.ts';
import { type DocumentChecksum, writeChecksum, writeChecksumValue } from './object-checksum.ts';

const objectAttributes = ['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize'] as const;

/** What can be asked for. */
export type ObjectAttribute = (typeof objectAttributes)[number];

/** The attributes that x-amz-object-attributes asks for. @throws S3Error `InvalidArgument` for none or an unknown one. */
export function parseObjectAttributes(headers: RequestHeaders): ReadonlySet<ObjectAttribute> {
  const header = headers['x-amz-object-attributes'] ?? '';
  const chosen = new Set<ObjectAttribute>();
  for (const name of header.split(',').map((text) => text.trim())) {
    const attribute = objectAttributes.find((known) => known === name);
    if (attribute === undefined) {
      throw new S3Error(
        'InvalidArgument',
        `x-amz-object-attributes names ${name === '' ? 'nothing' : name}; expected are ${objectAttributes.join(', ')}.`,
        { details: { ArgumentName: 'x-amz-object-attributes', ArgumentValue: header } },
      );
    }
    chosen.add(attribute);
  }
  return chosen;
}

/** The attributes asked for; those left out are not written. */
export interface GetObjectAttributesDocument {
  /** Written without quotes here, unlike anywhere else in S3. */
  readonly etag?: string | undefined;
  readonly checksum?: DocumentChecksum | undefined;
  readonly parts?: ObjectPartsPage | undefined;
  readonly storageClass?: string | undefined;
  readonly sizeBytes?: number | undefined;
}

/** One page of the parts of an object that was uploaded in parts. */
export interface ObjectPartsPage {
  readonly totalParts: number;
  readonly partNumberMarker: number;
  readonly nextPartNumberMarker?: number | undefined;
  readonly maxParts: number;
  /** Of the parts' checksums; absent when they have none, and then S3 lists no parts either. */
  readonly algorithm?: ChecksumAlgorithm | undefined;
  readonly parts: readonly { readonly partNumber: number; readonly sizeBytes: number; readonly checksum?: string }[];
}

export function writeGetObjectAttributesDocument(attributes: GetObjectAttributesDocument): string {
  const { checksum, parts } = attributes;
  return writeDocument(
    'GetObjectAttributesResponse',
    writeElement('ETag', attributes.etag) +
      (checksum === undefined ? '' : `<Checksum>${writeChecksum(checksum)}</Checksum>`) +
      (parts === undefined ? '' : writeParts(parts)) +
      writeElement('StorageClass', attributes.storageClass) +
      writeElement('ObjectSize', attributes.sizeBytes),
  );
}

function writeParts(page: ObjectPartsPage): string {
  let parts = '';
  for (const part of page.parts) {
    parts +=
      `<Part><PartNumber>${part.partNumber}</PartNumber><Size>${part.sizeBytes}</Size>` +
      (page.algorithm === undefined ? '' : writeChecksumValue(page.algorithm, part.checksum)) +
      '</Part>';
  }
  return (
    `<ObjectParts><PartsCount>${page.totalParts}</PartsCount>` +
    writeElement('PartNumberMarker', page.partNumberMarker) +
    writeElement('NextPartNumberMarker', page.nextPartNumberMarker) +
    writeElement('MaxParts', page.maxParts) +
    `${writeElement('IsTruncated', page.nextPartNumberMarker !== undefined)}${parts}</ObjectParts>`
  );
}

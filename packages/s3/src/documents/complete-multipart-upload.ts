// CompleteMultipartUpload: the request names its parts, the answer is `<CompleteMultipartUploadResult>`.
// Whether the parts exist and stand in order is for whoever has them.

import {
  type ChecksumAlgorithm,
  checksumAlgorithmNames,
  checksumAlgorithms,
} from '../checksums/checksum-algorithms.ts';
import { S3Error } from '../errors.ts';
import { unquoteEtag } from '../etag.ts';
import { malformed, readXml, type XmlElement } from '../xml-reader.ts';
import { writeDocument, writeElement, writeEtag } from '../xml-writer.ts';
import { type DocumentChecksum, writeChecksum } from './object-checksum.ts';

/** A part as the client names it. */
export interface CompletedPart {
  readonly partNumber: number;
  /** Without quotes. */
  readonly etag: string;
  /** base64 by algorithm; mostly none or one. */
  readonly checksums: Readonly<Partial<Record<ChecksumAlgorithm, string>>>;
}

/** The most parts an upload may have, and the highest part number. */
const maxParts = 10_000;

/**
 * The parts, in the order given: at least one.
 * @throws S3Error `MalformedXML`, also beyond 10,000 parts; `InvalidArgument` for a part number that none can have.
 */
export function readCompleteMultipartUploadDocument(bytes: Uint8Array): readonly CompletedPart[] {
  // 10,000 parts with an ETag and the longest checksum are 3 MB; 8 MiB leaves room for white space and more checksums.
  const root = readXml(bytes, 'CompleteMultipartUpload', { maxBytes: 8 * 1024 * 1024, maxDepth: 4 });
  if (root.children.length === 0) throw malformed('No part is named; at least one is needed.');
  if (root.children.length > maxParts) {
    throw malformed(`${root.children.length} parts are named; an upload has at most ${maxParts}.`);
  }
  return root.children.map(readPart);
}

/** The object that the parts became. */
export interface CompleteMultipartUploadDocument {
  /** The object's URL. */
  readonly location: string;
  readonly bucket: string;
  readonly key: string;
  readonly etag: string;
  readonly checksum?: DocumentChecksum | undefined;
}

export function writeCompleteMultipartUploadDocument(object: CompleteMultipartUploadDocument): string {
  return writeDocument(
    'CompleteMultipartUploadResult',
    writeElement('Location', object.location) +
      writeElement('Bucket', object.bucket) +
      writeElement('Key', object.key) +
      writeEtag(object.etag) +
      writeChecksum(object.checksum),
  );
}

/** @throws S3Error `InvalidArgument` when no part can have that number. */
export function parsePartNumber(text: string): number {
  const partNumber = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (partNumber < 1 || partNumber > maxParts) {
    throw new S3Error('InvalidArgument', `Part number must be an integer between 1 and ${maxParts}, inclusive`, {
      details: { ArgumentName: 'partNumber', ArgumentValue: text },
    });
  }
  return partNumber;
}

const algorithmOfElement: ReadonlyMap<string, ChecksumAlgorithm> = new Map(
  checksumAlgorithmNames.map((name) => [checksumAlgorithms[name].element, name]),
);

function readPart(element: XmlElement): CompletedPart {
  if (element.name !== 'Part') throw malformed(`CompleteMultipartUpload holds ${element.name}; only Part is allowed.`);
  let partNumber: number | undefined;
  let etag: string | undefined;
  const checksums: Partial<Record<ChecksumAlgorithm, string>> = {};
  for (const { name, text } of element.children) {
    if (name === 'PartNumber') partNumber = parsePartNumber(text.trim());
    else if (name === 'ETag') etag = unquoteEtag(text);
    else {
      const algorithm = algorithmOfElement.get(name);
      if (algorithm === undefined) throw malformed(`Part holds ${name}, which is not one of its elements.`);
      checksums[algorithm] = text.trim();
    }
  }
  if (partNumber === undefined || etag === undefined) throw malformed('Part needs a PartNumber and an ETag.');
  return { partNumber, etag, checksums };
}

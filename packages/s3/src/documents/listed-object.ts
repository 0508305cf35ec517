// What the two object listings share: `<Contents>` and `<CommonPrefixes>`.

import type { ChecksumAlgorithm, ChecksumType } from '../checksums/checksum-algorithms.ts';
import { type EncodingType, encodeListed } from '../list-encoding.ts';
import { escapeXml, writeEtag, writeTime } from '../xml-writer.ts';
import { type OwnerOf, writeOwner } from './owner.ts';

/** An object as a listing shows it. */
export interface ListedObject {
  readonly key: string;
  readonly lastModifiedMs: number;
  /** Without quotes. */
  readonly etag: string;
  readonly sizeBytes: number;
  readonly storageClass: string;
  /** Account that owns it. */
  readonly owner: string;
  readonly checksum?: { readonly algorithm: ChecksumAlgorithm; readonly type: ChecksumType };
}

/** What both versions of the listing take. */
export interface ListedPage {
  readonly bucket: string;
  readonly prefix: string;
  /** Empty: none was asked for. */
  readonly delimiter: string;
  readonly maxKeys: number;
  readonly encodingType?: EncodingType | undefined;
  readonly isTruncated: boolean;
  readonly objects: readonly ListedObject[];
  readonly commonPrefixes: readonly string[];
}

/** `<Contents>` of every object, with its owner when `ownerOf` is given, then the common prefixes. */
export function writeContents(page: ListedPage, ownerOf: OwnerOf | undefined): string {
  const { encodingType } = page;
  let contents = '';
  for (const object of page.objects) {
    const { checksum } = object;
    const checksumKind =
      checksum === undefined
        ? ''
        : `<ChecksumAlgorithm>${checksum.algorithm}</ChecksumAlgorithm><ChecksumType>${checksum.type}</ChecksumType>`;
    const owner = ownerOf === undefined ? '' : writeOwner('Owner', ownerOf(object.owner));
    // One template for each object: the fewer pieces a text is of, the cheaper it is to put together.
    contents += `<Contents><Key>${escapeXml(encodeListed(object.key, encodingType))}</Key>${writeTime('LastModified', object.lastModifiedMs)}${writeEtag(object.etag)}${checksumKind}<Size>${object.sizeBytes}</Size>${owner}<StorageClass>${escapeXml(object.storageClass)}</StorageClass></Contents>`;
  }
  return contents + writeCommonPrefixes(page.commonPrefixes, encodingType);
}

export function writeCommonPrefixes(prefixes: readonly string[], encoding: EncodingType | undefined): string {
  let document = '';
  for (const prefix of prefixes) {
    document += `<CommonPrefixes>${writeListed('Prefix', prefix, encoding)}</CommonPrefixes>`;
  }
  return document;
}

/** An element that `encoding-type` applies to; nothing for `undefined`. */
export function writeListed(name: string, value: string | undefined, encoding: EncodingType | undefined): string {
  return value === undefined ? '' : `<${name}>${escapeXml(encodeListed(value, encoding))}</${name}>`;
}

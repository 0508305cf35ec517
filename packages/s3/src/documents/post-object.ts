// POST Object answers with `<PostResponse>` when the form asks for status 201.

import { writeElement, xmlDeclaration } from '../xml-writer.ts';

/** The object that a form uploaded. */
export interface PostObjectDocument {
  /** The object's URL. */
  readonly location: string;
  readonly bucket: string;
  readonly key: string;
  readonly etag: string;
}

export function writePostObjectDocument(object: PostObjectDocument): string {
  return (
    `${xmlDeclaration}<PostResponse>` +
    writeElement('Location', object.location) +
    writeElement('Bucket', object.bucket) +
    writeElement('Key', object.key) +
    `${writeElement('ETag', `"${object.etag}"`)}</PostResponse>`
  );
}

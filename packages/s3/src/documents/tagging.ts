// GetObjectTagging and GetBucketTagging answer with `<Tagging>`. Reading it comes with the operations that set tags.

import { writeDocument, writeElement } from '../xml-writer.ts';

/** One tag of an object or a bucket. */
export interface Tag {
  readonly key: string;
  readonly value: string;
}

export function writeTaggingDocument(tags: readonly Tag[]): string {
  const written = tags.map((tag) => `<Tag>${writeElement('Key', tag.key)}${writeElement('Value', tag.value)}</Tag>`);
  return writeDocument('Tagging', `<TagSet>${written.join('')}</TagSet>`);
}

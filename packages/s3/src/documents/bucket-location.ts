// GetBucketLocation answers with `<LocationConstraint>`.

import { escapeXml, writeDocument } from '../xml-writer.ts';

/** "Buckets in Region us-east-1 have a LocationConstraint of null": an empty element. */
export function writeBucketLocationDocument(region: string): string {
  return writeDocument('LocationConstraint', region === 'us-east-1' ? '' : escapeXml(region));
}

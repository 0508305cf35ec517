// Judges a precondition against the current version, at the commit. Spec: "Conditional writes" and "Conditional deletes"
// of the S3 user guide.

import type { Precondition } from '../object-store.ts';
import { StoreError } from '../store-error.ts';
import type { VersionRow } from './version-row.ts';

/** @throws StoreError `PreconditionFailed`; `NoSuchKey` when something must be there and nothing is. */
export function judgePrecondition(precondition: Precondition, current: VersionRow | undefined): void {
  const { ifMatch, ifNoneMatch, ifMatchLastModifiedMs, ifMatchSizeBytes } = precondition;
  if (ifNoneMatch !== undefined && current !== undefined && (ifNoneMatch === '*' || ifNoneMatch === current.etag)) {
    throw failed('If-None-Match');
  }
  if (ifMatch === undefined && ifMatchLastModifiedMs === undefined && ifMatchSizeBytes === undefined) return;
  if (current === undefined) throw new StoreError('NoSuchKey');
  if (ifMatch !== undefined && ifMatch !== '*' && ifMatch !== current.etag) throw failed('If-Match');
  if (
    ifMatchLastModifiedMs !== undefined &&
    wholeSeconds(ifMatchLastModifiedMs) !== wholeSeconds(current.lastModifiedMs)
  ) {
    throw failed('x-amz-if-match-last-modified-time');
  }
  if (ifMatchSizeBytes !== undefined && ifMatchSizeBytes !== current.sizeBytes) throw failed('x-amz-if-match-size');
}

function failed(condition: string): StoreError {
  return new StoreError('PreconditionFailed', { details: { condition } });
}

function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000);
}

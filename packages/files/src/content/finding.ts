// What a judge noticed about the bytes of a file.

import type { ContentFinding } from '@stowage/contract';

export interface Finding {
  readonly finding: ContentFinding;
  /** One sentence for the file's owner. */
  readonly detail: string;
}

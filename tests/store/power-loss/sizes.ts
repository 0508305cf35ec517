// The sizes of the simulated store.

import { zeroStepBytes } from './cut-points.ts';

/** Small enough that a short history meets every threshold. */
export const sizes = {
  segmentSizeBytes: 12 * 1024,
  zeroAheadBytes: 2 * zeroStepBytes,
  maxInlineBytes: 2048,
  checkpointEveryBytes: 8 * 1024,
  reserveSizeBytes: 128 * 1024,
  roomForPutsBytes: 16 * 1024,
};

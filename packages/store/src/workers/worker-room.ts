// The room that a worker's blobs take up. The reserve is kept by the thread that commits: a worker is told that there is none
// by a cell of memory that all share, and lets that thread know of its writes by another.

import type { RoomForBlobs } from '../blobs/blob-writer.ts';
import { StoreError } from '../store-error.ts';
import type { SharedCounters } from './shared-counters.ts';

interface WorkerRoomOptions {
  readonly counters: SharedCounters;
  readonly seat: number;
  /** Asks the thread that commits whether there is room again; the next blob has the answer. */
  readonly askForRoom: () => void;
}

export function workerRoom({ counters, seat, askForRoom }: WorkerRoomOptions): RoomForBlobs {
  return {
    admit: async () => {
      if (counters.full) askForRoom();
    },
    use: async (work) => {
      // Counted first: whoever gives the reserve up from here on waits for this write, or has said so already.
      counters.beginWrite(seat);
      try {
        if (counters.full) throw new StoreError('DiskFull');
        return await work();
      } finally {
        counters.endWrite(seat);
      }
    },
  };
}

// A store in memory, complete and gone when the process ends: for tests, and for engines that are started for one. The
// catalog is the disk store's own; only the index, the bytes and the commit lie elsewhere.

import { randomBytes } from 'node:crypto';
import type { BodyPlace } from './blobs/body-writer.ts';
import { MemoryBudget } from './blobs/memory-budget.ts';
import type { StagedContent } from './blobs/staged-content.ts';
import { applyFact } from './catalog/facts.ts';
import {
  type Committer,
  type OperationCall,
  type OperationName,
  type OperationResult,
  operationOf,
} from './catalog/operations.ts';
import { countReferences } from './catalog/references.ts';
import { blobIdSizeBytes } from './catalog/version-row.ts';
import { CatalogStore } from './catalog-store.ts';
import { checkedClock } from './checked-clock.ts';
import type { FollowedStore, OpenCursor } from './cursors/change-cursor.ts';
import { Cursors, cursorPins } from './cursors/cursors.ts';
import { MemoryFeed } from './cursors/memory-feed.ts';
import { listGarbage } from './garbage.ts';
import type { ByteSource, Span } from './opened-object.ts';
import { MemoryIndex } from './ordered-index/memory-index.ts';
import { ReaderEpochs } from './reader-epochs.ts';
import { StoreError } from './store-error.ts';

export interface MemoryStoreOptions {
  /** Milliseconds since 1970: a RangeError otherwise. Default: the system's clock. */
  readonly clock?: () => number;
  /** Default: node:crypto. */
  readonly random?: (sizeBytes: number) => Uint8Array;
}

/** Opens an empty store in memory. Its durability is `memory`: what is acknowledged ends with the process. */
export function openMemoryStore(options: MemoryStoreOptions = {}): FollowedStore {
  const { random = randomBytes } = options;
  const clock = options.clock === undefined ? Date.now : checkedClock(options.clock);
  clock(); // one that is wrong from the beginning is refused here
  const index = new MemoryIndex();
  const readers = new ReaderEpochs();
  const bodies = new MemoryBodies();
  const abandon = async (content: StagedContent): Promise<void> => bodies.remove(content);
  let sweeping = false;

  const sweep = async (): Promise<void> => {
    if (sweeping) return;
    sweeping = true;
    for (let found = listGarbage(index, sweepLimit); found.blobIds.length > 0; found = listGarbage(index, sweepLimit)) {
      await readers.drain();
      for (const blobId of found.blobIds) bodies.remove({ kind: 'blob', blobId });
      for (const { key } of found.removal.values()) index.delete(key);
    }
    sweeping = false;
  };

  const feed = new MemoryFeed(index);
  const committer = new MemoryCommitter({ index, clock, random, abandon, feed, onChange: sweep });
  const cursors = new Cursors({ index, committer, source: feed, pins: cursorPins(index) });
  const place: BodyPlace = {
    maxGatheredBytes: Number.MAX_SAFE_INTEGER,
    memory: new MemoryBudget(Number.MAX_SAFE_INTEGER),
    gathered: (bytes) => bodies.add(bytes),
    openSink: () => {
      throw new Error('A body outgrew memory in a store that gathers every body in memory.');
    },
    abandon,
  };
  const store = new CatalogStore({
    index,
    committer,
    readers,
    source: bodies,
    place: {
      ...place,
      at: () => place,
      toBlob: async (content) => (content.kind === 'blob' ? content : bodies.add(content.bytes)),
    },
    durabilityOf: () => ({ level: 'memory' }),
    health: () => ({ status: 'ok', durability: { level: 'memory' }, cursors: cursors.status }),
    close: async () => {
      await cursors.close();
      committer.close();
    },
  });
  return Object.assign(store, {
    openCursor: (name: string, options: OpenCursor) => cursors.open(name, options),
    listCursors: () => cursors.list(),
  });
}

/** Blobs removed per round. */
const sweepLimit = 1000;

class MemoryBodies implements ByteSource {
  readonly #bodies = new Map<string, Buffer>();
  #count = 0;

  add(bytes: Buffer): StagedContent & { readonly kind: 'blob' } {
    const blobId = Buffer.alloc(blobIdSizeBytes);
    this.#count += 1;
    blobId.writeUIntBE(this.#count, 4, 6);
    this.#bodies.set(blobId.toString('latin1'), bytes);
    return { kind: 'blob', blobId };
  }

  remove(content: StagedContent): void {
    if (content.kind === 'blob') this.#bodies.delete(content.blobId.toString('latin1'));
  }

  readBlob(blobId: Buffer, span: Span): Uint8Array {
    const bytes = this.#bodies.get(blobId.toString('latin1'));
    if (bytes === undefined) throw new StoreError('Corrupt', { message: 'The bytes are no longer in memory.' });
    return bytes.subarray(span.start, span.end);
  }

  readJournal(): never {
    throw new Error('A store in memory has no journal.');
  }
}

interface MemoryCommitterOptions {
  readonly index: MemoryIndex;
  readonly clock: () => number;
  readonly random: (sizeBytes: number) => Uint8Array;
  readonly abandon: (content: StagedContent) => Promise<void>;
  readonly feed: MemoryFeed;
  readonly onChange: () => Promise<void>;
}

/** Judges and applies at once: one operation is one commit. */
class MemoryCommitter implements Committer {
  readonly #options: MemoryCommitterOptions;
  #sequence = 0;
  #closed = false;

  constructor(options: MemoryCommitterOptions) {
    this.#options = options;
  }

  async commit<Name extends OperationName>(call: OperationCall<Name>): Promise<OperationResult<Name>> {
    const operation = operationOf(call);
    const { index, clock, random, abandon, feed, onChange } = this.#options;
    try {
      if (this.#closed) throw new StoreError('Closed');
      const moment = { sequence: this.#sequence + 1, nowMs: clock(), random };
      const { fact, result } = operation.judge(index, moment);
      if (fact === undefined) return result;
      this.#sequence = moment.sequence;
      applyFact(fact, index, countReferences(index));
      feed.add(fact, { sequence: moment.sequence, atMs: moment.nowMs });
      void onChange();
      return result;
    } catch (cause) {
      if (operation.content !== undefined) await abandon(operation.content);
      throw cause;
    }
  }

  close(): void {
    this.#closed = true;
  }
}

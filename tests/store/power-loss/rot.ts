// Bits that turn over on a disk by themselves. Whatever they hit: other bytes are never served, and nothing is missing or old
// without a word.

import { isStoreError, type ObjectStore } from '@stowage/store';
import type { SeededRandom } from '../../../packages/store/src/testing/seeded-random.ts';
import { bytesOf } from './contents.ts';
import { Violation } from './key-account.ts';
import { type Address, type Model, nameOf, operationOf } from './model.ts';
import { directory, type World } from './world.ts';

/** FORMAT is left alone: without it the store says that it is none. */
const rotting = /\/(?:journal|blobs|index)\//;

/** The batch that closes a journal: a mark and a commit record. */
const closingBatchBytes = 88;

/**
 * Only while nothing is on its way to the disk, and the store was closed in order. A bit alone may turn over anywhere. Of several
 * none is in the batch that closes the journal, which nothing stands behind: it vouches for the batch before it, and if both are
 * damaged, and the index is, too, what is left looks like a torn end to any reader.
 */
export function rotSomewhere(world: World, random: SeededRandom): void {
  const files = [...world.disk.files()].filter(([path, file]) => rotting.test(path) && file.sizeBytes > 0);
  const lastSegment = files
    .map(([path]) => path)
    .filter((path) => path.endsWith('.seg'))
    .sort()
    .at(-1);
  const count = random.pick([1, 1, 2, 5]);
  for (let left = count; left > 0 && files.length > 0; left -= 1) {
    const [path, file] = random.pick(files);
    const spared = count > 1 && path === lastSegment ? closingBatchBytes : 0;
    const position = random.below(file.sizeBytes - spared);
    file.rot(position, random.below(8));
    world.note(() => `a bit turns over in ${path.slice(directory.length + 1)} at ${position}`);
  }
}

interface ScrubbedStore extends ObjectStore {
  scrub(): Promise<unknown>;
}

/** @throws Violation */
export async function checkRotten(
  store: ScrubbedStore,
  model: Model,
  { scrubs }: { readonly scrubs: boolean },
): Promise<void> {
  if (scrubs) await store.scrub();
  const wrong: string[] = [];
  for (const name of model.bucketNames) {
    if ((store.getBucket(name) !== undefined) !== model.bucketExists(name)) wrong.push(name);
  }
  for (const address of model.addresses) if (!(await isRight(store, model, address))) wrong.push(nameOf(address));
  const damage = store.health().damage ?? [];
  if (wrong.length > 0 && damage.length === 0) {
    throw new Violation(
      `Bits turned over, and without a word these are missing, old or unreadable: ${wrong.join(', ')}`,
    );
  }
}

/** Whether an object is as it was acknowledged. @throws Violation when other bytes are served. */
async function isRight(store: ObjectStore, model: Model, address: Address): Promise<boolean> {
  try {
    const open = store.openObject(address);
    const current = model.current(address);
    if (open === undefined) return current === undefined;
    const operation = operationOf(open.version);
    try {
      const chunks: Uint8Array[] = [];
      for await (const chunk of open.chunks()) chunks.push(chunk);
      if (!Buffer.concat(chunks).equals(bytesOf(model.bodiesOf(operation)))) {
        throw new Violation(`${nameOf(address)} is served with other bytes than were written.`);
      }
    } finally {
      open.close();
    }
    return operation === current?.operation && open.version.sequence === current.sequence;
  } catch (cause) {
    if (isStoreError(cause) && cause.code === 'Corrupt') return false;
    throw cause;
  }
}

// Damage of the journal that an opening has found, kept in the index. The next opening goes on behind it and would not come
// across it again; whoever looks at health only then is still to hear of it. It is forgotten with the index: one that is made
// anew reads the whole journal, and a repair writes damage off.

import { stateKey } from './catalog/index-keys.ts';
import type { StoreDamage } from './object-store.ts';
import type { IndexReader, OrderedIndex } from './ordered-index/ordered-index.ts';

/** Places that are remembered; there is more when there is so much. */
const maxRemembered = 200;

const rememberedKey = stateKey('damage');

export function readRememberedDamage(index: IndexReader): readonly StoreDamage[] {
  const row = index.get(rememberedKey);
  if (row === undefined) return [];
  // The row was written below, as what it is read as, and rows are held against their digest.
  return JSON.parse(row.toString()) as StoreDamage[];
}

/** Durable when it resolves. */
export async function rememberDamage(index: OrderedIndex, damages: readonly StoreDamage[]): Promise<void> {
  const places = damages.slice(0, maxRemembered).map(({ file, offset, sizeBytes, description, bodyOnly, records }) => ({
    file,
    offset,
    sizeBytes,
    description,
    ...(bodyOnly === undefined ? undefined : { bodyOnly }),
    ...(records === undefined ? undefined : { records }),
  }));
  const row = { key: rememberedKey, value: Buffer.from(JSON.stringify(places)) };
  index.apply(new Map([[rememberedKey.toString('latin1'), row]]));
  await index.flush(async () => undefined);
}

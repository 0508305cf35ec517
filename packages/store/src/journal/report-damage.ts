// Damage of the journal, as it is told and set aside.

import { readAround } from '../disk/read-around.ts';
import type { StoreDamage } from '../object-store.ts';
import type { SegmentAtHand } from './segment-at-hand.ts';

/** Damaged bytes beyond this are reported but not copied aside. */
const maxSetAsideBytes = 64 * 1024 * 1024;

export type TakesDamage = (damage: StoreDamage, bytes: Buffer | undefined) => Promise<void>;

interface FoundDamage {
  /** Of the file; `undefined`: it is the journal as a whole. */
  readonly name: string | undefined;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly what: string;
  readonly bodyOnly?: boolean;
  readonly records?: { readonly first: number; readonly last: number };
}

/** Reports damage, with its bytes when the segment that holds them is given. */
export async function reportDamage(
  { onDamage }: { readonly onDamage: TakesDamage },
  { name, what, ...place }: FoundDamage,
  segment?: SegmentAtHand,
): Promise<void> {
  const { offset, sizeBytes } = place;
  let bytes: Buffer | undefined;
  if (segment !== undefined && sizeBytes > 0 && sizeBytes <= maxSetAsideBytes) {
    bytes = Buffer.alloc(sizeBytes);
    await readAround(segment.file, bytes, offset);
  }
  const file = name === undefined ? 'journal' : `journal/${name}`;
  await onDamage({ file, description: what, ...place }, bytes);
}

// What a check of a data folder answers: findings of a fixed set of kinds, as data for programs and in words for people.

import type { ObjectAddress, StoreDamage } from '../object-store.ts';

/** What can be found, whether it means that something is wrong, and what to do about it. */
export const findingKinds = {
  formatDamaged: {
    wrong: true,
    remedy: '`stowage fsck --repair` writes it anew, with the id that the segments of the journal name.',
  },
  journalDamage: {
    wrong: true,
    remedy: 'The objects named are as good as the index still has them; `stowage fsck --repair` writes them down anew.',
  },
  bodyDamage: {
    wrong: true,
    remedy: 'The bytes are not served. Restore the object from a copy, or delete it.',
  },
  staleDamage: {
    wrong: true,
    remedy: 'Nothing needs these bytes any more, so nothing is lost; but the disk has changed them.',
  },
  blobDamage: {
    wrong: true,
    remedy: 'The damaged bytes are not served, the others are. Restore the object from a copy, or delete it.',
  },
  blobFooterDamage: {
    wrong: true,
    remedy:
      'The bytes of the object are intact, but some may not be served as long as their checksums are damaged. `stowage fsck --repair` writes the checksums anew.',
  },
  blobMissing: {
    wrong: true,
    remedy: 'Put the file back from a copy of the folder, restore the object from a copy, or delete it.',
  },
  rowWithoutBytes: {
    wrong: true,
    remedy: 'Restore the object from a copy, or delete it.',
  },
  indexUnusable: {
    wrong: true,
    remedy:
      'Run `stowage rebuild`, or `stowage fsck --repair` when the journal is damaged, too: the index is made anew from the journal.',
  },
  indexDiffers: {
    wrong: true,
    remedy: 'Run `stowage fsck --repair`, which makes the index anew where the journal is whole.',
  },
  countDiffers: {
    wrong: true,
    remedy:
      'Run `stowage fsck --repair`: too low a count would remove bytes that are needed, too high a one keeps them.',
  },
  blobKept: {
    wrong: true,
    remedy:
      'Nothing references it. `stowage fsck --repair` moves it to quarantine/ when the journal is known to be complete; until then it stays, as it may be all that is left of an object.',
  },
  blobUnswept: {
    wrong: false,
    remedy:
      'It was never committed, or is not needed any more: the store moves it to quarantine/orphans, or removes it, by itself after it is opened.',
  },
  journalTail: {
    wrong: false,
    remedy: 'It was never acknowledged: the store cuts it off when it is opened.',
  },
  leftover: {
    wrong: false,
    remedy: 'Something was broken off. It does no harm; `stowage fsck --repair` removes it.',
  },
  foreign: {
    wrong: false,
    remedy: 'It is not of this store, and is never touched.',
  },
} as const satisfies Readonly<Record<string, { readonly wrong: boolean; readonly remedy: string }>>;

export type FindingKind = keyof typeof findingKinds;

export interface Finding extends Partial<Pick<StoreDamage, 'offset' | 'sizeBytes' | 'records' | 'bodyOnly'>> {
  readonly kind: FindingKind;
  readonly description: string;
  /** Relative to the data folder. */
  readonly file?: string;
  /** Objects and unfinished uploads that it concerns. */
  readonly objects?: readonly ObjectAddress[];
}

/** One thing that a repair has done, or left undone with the reason for it. */
export interface RepairAction {
  readonly done: boolean;
  readonly description: string;
}

export interface CheckReport {
  /** Nothing is wrong; there may be notes, such as a file that is not ours. */
  readonly clean: boolean;
  /** The first ten thousand. */
  readonly findings: readonly Finding[];
  /** How many there are of each kind. */
  readonly counts: Readonly<Partial<Record<FindingKind, number>>>;
  readonly checked: {
    readonly segments: number;
    readonly journalBytes: number;
    readonly blobs: number;
    readonly blobBytes: number;
    readonly buckets: number;
    readonly objects: number;
    readonly uploads: number;
    /** Of the store's index; 0 when it cannot be opened. */
    readonly indexRows: number;
  };
  /** Empty unless a repair was asked for. */
  readonly actions: readonly RepairAction[];
  /** Objects that cannot be read any more, wholly or in part. */
  readonly lost: readonly ObjectAddress[];
}

/** Beyond it, findings are counted but no longer listed. */
const maxFindings = 10_000;

/** Damages whose objects are looked for. */
const maxNamedDamages = 1000;

/** Gathers findings as they are made. */
export class Findings {
  readonly #listed: Finding[] = [];
  readonly #counts = new Map<FindingKind, number>();

  add(finding: Finding): void {
    this.#counts.set(finding.kind, this.count(finding.kind) + 1);
    if (this.#listed.length < maxFindings) this.#listed.push(finding);
  }

  count(kind: FindingKind): number {
    return this.#counts.get(kind) ?? 0;
  }

  get listed(): readonly Finding[] {
    return this.#listed;
  }

  get counts(): CheckReport['counts'] {
    return Object.fromEntries([...this.#counts].filter(([, count]) => count > 0));
  }

  get clean(): boolean {
    return ![...this.#counts].some(([kind, count]) => count > 0 && findingKinds[kind].wrong);
  }

  /** Gives damage the objects that it concerns. A body that nobody has becomes stale damage by it. */
  async name(find: (damages: readonly StoreDamage[]) => Promise<readonly StoreDamage[]>): Promise<void> {
    const damages = this.#listed.flatMap((finding, at) => (isDamage(finding) ? [{ at, finding }] : []));
    const places = damages.slice(0, maxNamedDamages);
    const named = await find(places.map(({ finding }) => damageOf(finding)));
    for (const [which, { at, finding }] of places.entries()) {
      const objects = named[which]?.objects;
      if (objects !== undefined) this.#listed[at] = { ...finding, objects };
      else if (finding.kind === 'bodyDamage') this.#change(at, { ...finding, kind: 'staleDamage' });
    }
  }

  #change(at: number, finding: Finding): void {
    const before = this.#listed[at];
    if (before !== undefined) this.#counts.set(before.kind, this.count(before.kind) - 1);
    this.#counts.set(finding.kind, this.count(finding.kind) + 1);
    this.#listed[at] = finding;
  }
}

const damageKinds: ReadonlySet<FindingKind> = new Set([
  'journalDamage',
  'bodyDamage',
  'blobDamage',
  'blobFooterDamage',
  'blobMissing',
]);

function isDamage({ kind, file }: Finding): boolean {
  return damageKinds.has(kind) && file !== undefined;
}

export function damageOf({ kind: _kind, file = '', offset = 0, sizeBytes = 0, ...rest }: Finding): StoreDamage {
  return { file, offset, sizeBytes, ...rest };
}

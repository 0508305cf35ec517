// Work of many owners on the places of one lane: none has more than its share of them, and a place that becomes free goes to who has the
// fewest, then to what is the longest due. So neither slow work nor a backlog of one owner holds up another's. What is due is looked at
// from its beginning, a little more than there are places; if that is not all, so is the first of each owner's queue (due-rows.ts).

import type { Waiting, WaitingList } from '../database/work-tables.ts';
import type { LaneWork } from './lane.ts';

/** Places that what has something in common may hold at the same time. */
interface Share {
  readonly holder: string;
  readonly atMost: number;
}

/** What an item needs a place of, each time: first its owner's share. */
type SharesOf<Waits> = (waits: Waits) => readonly [owner: Share, ...others: readonly Share[]];

interface FairWork<Waits extends Waiting, Item> extends Omit<LaneWork<Item>, 'take'> {
  readonly waiting: WaitingList<Waits>;
  readonly sharesOf: SharesOf<Waits>;
  /** Places of the lane. */
  readonly places: number;
  readonly clock: () => number;
  /** Takes those that nobody else took meanwhile. */
  take(ids: readonly string[]): Promise<readonly Item[]>;
  idOf(item: Item): string;
}

/** Half of the places: what is left is another's, however long the work takes. */
export function halfOf(places: number): number {
  return Math.ceil(places / 2);
}

/** What is looked at for each place. */
const candidatesPerPlace = 2;
/** Queues whose first is looked at in one query; and such queries of one look. */
const queuesPerQuery = 500;
const maxQueries = 20;
/** How often others are chosen when another instance took all that were. */
const maxTries = 4;

export function fairly<Waits extends Waiting, Item>(work: FairWork<Waits, Item>): LaneWork<Item> {
  const { waiting, sharesOf, places, clock, idOf } = work;
  const held = new Map<string, Waits>();
  /** Where the last look at queues ended: of very many, others are looked at next. */
  let afterQueueId = '';

  async function takeFrom(candidates: readonly Waits[], free: number): Promise<readonly Item[]> {
    const refused = new Set<string>();
    for (let attempt = 0; attempt < maxTries; attempt++) {
      const left = candidates.filter(({ id }) => !held.has(id) && !refused.has(id));
      const chosen = new Map(
        chooseFairly(left, { running: [...held.values()], free, sharesOf }).map((one) => [one.id, one]),
      );
      if (chosen.size === 0) return [];
      const taken = await work.take([...chosen.keys()]);
      for (const item of taken) {
        const one = chosen.get(idOf(item));
        if (one !== undefined) held.set(one.id, one);
      }
      if (taken.length > 0) return taken;
      for (const id of chosen.keys()) refused.add(id);
    }
    return [];
  }

  /** With the first of each queue beside what is due first. */
  async function takeBehind(due: readonly Waits[], free: number): Promise<readonly Item[]> {
    let rounds = afterQueueId === '' ? 1 : 2;
    for (let query = 0; query < maxQueries && rounds > 0; query++) {
      const heads = await waiting.listHeads({ nowMs: clock(), afterQueueId, limit: queuesPerQuery });
      afterQueueId = heads.lastQueueId ?? '';
      if (heads.lastQueueId === undefined) rounds--;
      const taken = await takeFrom([...due, ...heads.items], free);
      if (taken.length > 0) return taken;
    }
    return [];
  }

  return {
    take: async (free) => {
      const { items, isWhole } = await waiting.listDue({ nowMs: clock(), limit: places * candidatesPerPlace });
      return isWhole ? takeFrom(items, free) : takeBehind(items, free);
    },
    run: (item) => work.run(item).finally(() => held.delete(idOf(item))),
    giveBack: async (items) => {
      for (const item of items) held.delete(idOf(item));
      await work.giveBack(items);
    },
  };
}

interface ChooseOptions<Waits> {
  readonly running: readonly Waits[];
  readonly free: number;
  readonly sharesOf: SharesOf<Waits>;
}

/** What goes next, at most as much as there is room for. */
export function chooseFairly<Waits extends Waiting>(
  candidates: readonly Waits[],
  { running, free, sharesOf }: ChooseOptions<Waits>,
): readonly Waits[] {
  const counts = new Map<string, number>();
  const countOf = ({ holder }: Share): number => counts.get(holder) ?? 0;
  const take = (waits: Waits): void => {
    for (const share of sharesOf(waits)) counts.set(share.holder, countOf(share) + 1);
  };
  for (const waits of running) take(waits);
  // A row may be there twice: as the first of all, and of its queue.
  const left = new Map(candidates.map((waits) => [waits.id, { waits, shares: sharesOf(waits) }]));
  const chosen: Waits[] = [];
  while (chosen.length < free) {
    let next: { readonly waits: Waits; readonly ofOwner: number } | undefined;
    for (const { waits, shares } of left.values()) {
      if (shares.some((share) => countOf(share) >= share.atMost)) continue;
      const ofOwner = countOf(shares[0]);
      if (
        next === undefined ||
        ofOwner < next.ofOwner ||
        (ofOwner === next.ofOwner && waits.dueAtMs < next.waits.dueAtMs)
      )
        next = { waits, ofOwner };
    }
    if (next === undefined) break;
    left.delete(next.waits.id);
    take(next.waits);
    chosen.push(next.waits);
  }
  return chosen;
}

// The names in a simulated folder, twice: what is seen, and what would be left if the power went now. Between the two lie
// changes that no sync of the folder has covered; POSIX lets any of them survive, whatever becomes of the others. A rename
// within a folder survives as a whole or not at all. A name that is in flight may have come to be or not.

import type { SeededRandom } from './seeded-random.ts';
import type { SimulatedFile } from './simulated-file.ts';

type SimulatedNode = SimulatedFile | SimulatedFolder;

/** A change of the names in a folder. */
export type NameChange =
  | { readonly kind: 'set'; readonly name: string; readonly node: SimulatedNode }
  | { readonly kind: 'remove'; readonly name: string }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string; readonly node: SimulatedNode };

export class SimulatedFolder {
  #seen = new Map<string, SimulatedNode>();
  #durable = new Map<string, SimulatedNode>();
  /** Performed and not covered by a sync, in order. */
  #changes: { readonly number: number; readonly change: NameChange }[] = [];
  /** Removed, as far as anybody sees, and there on the disk: a failed sync has given their removal up. */
  readonly #returning = new Set<string>();
  readonly #inFlight = new Set<NameChange>();
  #count = 0;

  get names(): string[] {
    return [...this.#seen.keys()];
  }

  /** Stands for all changes performed so far. */
  get changeCount(): number {
    return this.#count;
  }

  find(name: string): SimulatedNode | undefined {
    return this.#seen.get(name);
  }

  begin(change: NameChange): void {
    this.#inFlight.add(change);
  }

  abandon(change: NameChange): void {
    this.#inFlight.delete(change);
  }

  perform(change: NameChange): void {
    this.#inFlight.delete(change);
    this.#count += 1;
    applyTo(this.#seen, change);
    this.#changes.push({ number: this.#count, change });
  }

  /** A sync has ended that began when `changeCount` was `count`. */
  makeDurable(count: number): void {
    for (const { change } of this.#takeCovered(count)) {
      applyTo(this.#durable, change);
      this.#returning.delete(change.kind === 'rename' ? change.to : change.name);
    }
  }

  /** A sync has failed: what it was to cover counts as written from now on, and only some of it is. */
  loseUnsynced(count: number, random: SeededRandom): void {
    for (const { change } of this.#takeCovered(count)) {
      if (random.chance(0.5)) applyTo(this.#durable, change);
      else if (change.kind === 'remove') this.#returning.add(change.name);
    }
  }

  /** Whether a failed sync has given the removal of a name up: it may be there again after any loss of power. */
  mayReturn(name: string): boolean {
    return this.#returning.has(name);
  }

  /** A name is gone, durably. Only while nothing is on its way to the disk. */
  lose(name: string): void {
    this.#seen.delete(name);
    this.#durable.delete(name);
    this.#changes = this.#changes.filter(({ change }) =>
      change.kind === 'rename' ? change.to !== name : change.name !== name,
    );
  }

  /** The folder and all in it as power loss leaves them. `spared` is still in flight and has not begun. */
  afterPowerLoss(random: SeededRandom, spared?: object): SimulatedFolder {
    const names = new Map(this.#durable);
    const chance = random.pick([0, 0.5, 0.5, 1]);
    for (const { change } of this.#changes) if (random.chance(chance)) applyTo(names, change);
    for (const change of this.#possible()) if (change !== spared && random.chance(chance)) applyTo(names, change);
    const left = new SimulatedFolder();
    for (const [name, node] of names) left.#durable.set(name, node.afterPowerLoss(random, spared));
    left.#seen = new Map(left.#durable);
    for (const name of this.#returning) left.#returning.add(name);
    return left;
  }

  /** As the end of the process leaves it: what was performed is still on its way to the disk. */
  afterKill(random: SeededRandom): void {
    for (const change of this.#possible()) if (random.chance(0.5)) this.perform(change);
    this.#inFlight.clear();
    for (const node of this.#seen.values()) node.afterKill(random);
  }

  /** What is in flight and would not be refused. */
  #possible(): NameChange[] {
    return [...this.#inFlight].filter((change) => {
      if (change.kind === 'set') return !this.#seen.has(change.name);
      return this.#seen.has(change.kind === 'rename' ? change.from : change.name);
    });
  }

  #takeCovered(count: number): { readonly change: NameChange }[] {
    const covered = this.#changes.filter(({ number }) => number <= count);
    this.#changes = this.#changes.filter(({ number }) => number > count);
    return covered;
  }
}

function applyTo(names: Map<string, SimulatedNode>, change: NameChange): void {
  switch (change.kind) {
    case 'set':
      names.set(change.name, change.node);
      return;
    case 'remove':
      names.delete(change.name);
      return;
    case 'rename':
      names.delete(change.from);
      names.set(change.to, change.node);
      return;
  }
}

/** Where a path leads; `undefined` when there is nothing. */
export function findNode(root: SimulatedFolder, path: string): SimulatedNode | undefined {
  let node: SimulatedNode | undefined = root;
  for (const name of path.split('/')) {
    if (name === '') continue;
    if (!(node instanceof SimulatedFolder)) return undefined;
    node = node.find(name);
  }
  return node;
}

// The commands of a sequence, and how a seed makes them. A command names files by number, taken modulo how many there are, so that
// a sequence from which commands were dropped is still one.

const commandKinds = {
  /** Announces a file: by PUT, form or parts, of one kind of bytes, in one category; sometimes a new version of another. */
  create: 12,
  /** The announcement that came with an Idempotency-Key before, once more. */
  createAgain: 2,
  copy: 3,
  /** Sends bytes by what the service signs now. */
  send: 16,
  /** By the URL that was handed out first, whatever has happened since. */
  sendAgain: 4,
  /** More bytes than were announced. */
  sendWrong: 2,
  /** Tells the service, as a bucket does, that something happened to the key. */
  hint: 3,
  complete: 12,
  abort: 2,
  /** Somebody else aborts the upload in the bucket. */
  abortOutside: 1,
  trash: 5,
  restore: 4,
  purge: 3,
  emptyTrash: 1,
  restoreVersion: 3,
  deleteVersion: 3,
  rename: 4,
  move: 3,
  /** Makes a folder, or puts the one that there is into the trash. */
  folder: 2,
  share: 2,
  openShare: 3,
  revokeShare: 1,
  /** Gives the tenant little room, or all it wants. */
  quota: 2,
  /** The scanner goes away, or comes back. */
  scanner: 2,
  wait: 7,
  tick: 14,
  /** An instance is closed and opened again. */
  restart: 1,
  /** Two commands at the same time. */
  race: 8,
  /** One command while the service works. */
  raceWork: 3,
} as const satisfies Readonly<Record<string, number>>;

type CommandKind = keyof typeof commandKinds;

/** What can be one of two at the same time. */
type SingleKind = Exclude<
  CommandKind,
  'race' | 'raceWork' | 'tick' | 'wait' | 'restart' | 'scanner' | 'quota' | 'folder'
>;

export interface Command {
  readonly kind: Exclude<CommandKind, 'race' | 'raceWork'>;
  /** Which of the things there are. */
  readonly target: number;
  /** How it goes, where it can go in several ways. */
  readonly way: number;
  /** Which instance is asked. */
  readonly instance: number;
  /** It is part of a run of versions of one file that keeps few of them: the target is that file, or what is on its way to it. */
  readonly grows?: true;
}

export type Step =
  | Command
  | { readonly kind: 'race'; readonly both: readonly [Command, Command] }
  | { readonly kind: 'raceWork'; readonly command: Command };

const shortest = 6;
const longest = 30;
const ways = 1 << 16;
/** One sequence in so many has a run of versions: by chance alone hardly any file gets one too many. */
const runOneIn = 5;
const runVersions = 4;

/** Numbers in [0, 1) that follow from a seed alone. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    // A Weyl sequence, mixed as in MurmurHash3's end: every seed gives another order.
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
}

export function sequenceOf(seed: number): readonly Step[] {
  const random = randomOf(seed);
  const whole = (below: number): number => Math.floor(random() * below);
  const command = (kind: Command['kind']): Command => ({
    kind,
    target: whole(ways),
    way: whole(ways),
    instance: whole(2),
  });
  const length = shortest + whole(longest - shortest);
  const steps = Array.from({ length }, (_, index): Step => {
    // Nothing can be done to nothing.
    const kind = index === 0 ? 'create' : draw(commandKinds, random);
    if (kind === 'race') {
      const one = command(draw(raced, random));
      const same = random() < 0.6;
      const other = same
        ? { ...one, instance: 1 - one.instance }
        : { ...command(draw(raced, random)), target: one.target };
      return { kind, both: [one, other] };
    }
    if (kind === 'raceWork') return { kind, command: command(draw(raced, random)) };
    return command(kind);
  });
  if (whole(runOneIn) > 0) return steps;
  const grow = (kind: Command['kind']): Command => ({ ...command(kind), grows: true });
  const run = Array.from({ length: runVersions }, () => [
    grow('create'),
    grow('send'),
    grow('complete'),
    command('tick'),
    // So that they are not in the order in which they came.
    ...(whole(2) === 0 ? [grow('restoreVersion')] : []),
  ]).flat();
  return steps.toSpliced(whole(length), 0, ...run);
}

const raced: Readonly<Record<SingleKind, number>> = {
  create: 1,
  createAgain: 3,
  copy: 2,
  send: 4,
  sendAgain: 2,
  sendWrong: 1,
  hint: 2,
  complete: 10,
  abort: 4,
  abortOutside: 1,
  trash: 5,
  restore: 5,
  purge: 4,
  emptyTrash: 2,
  restoreVersion: 4,
  deleteVersion: 4,
  rename: 3,
  move: 2,
  share: 1,
  openShare: 3,
  revokeShare: 1,
};

function draw<Kind extends string>(weights: Readonly<Record<Kind, number>>, random: () => number): Kind {
  // Object.keys of a record over a closed union gives that union.
  const kinds = Object.keys(weights) as Kind[];
  let left = random() * kinds.reduce((sum, kind) => sum + weights[kind], 0);
  for (const kind of kinds) {
    left -= weights[kind];
    if (left < 0) return kind;
  }
  throw new Error('The weights came to an end.');
}

// From the samples of a V8 CPU profile to time by group. Spec: the Profiler domain of the DevTools protocol.

export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

interface GroupTime {
  readonly group: string;
  readonly microseconds: number;
}

const waiting = '(idle)';

/** Time in each group, longest first; waiting is left out. */
export function groupSamples(profile: CpuProfile): readonly GroupTime[] {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const groups = new Map<number, string>();
  const assign = (id: number, inherited: string): void => {
    // An explicit stack: profiles are deep.
    const open: [number, string][] = [[id, inherited]];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const node = nodes.get(next[0]);
      if (node === undefined) continue;
      const group = groupOf(node.callFrame, next[1]);
      groups.set(node.id, group);
      for (const child of node.children ?? []) open.push([child, group]);
    }
  };
  const [root] = profile.nodes;
  if (root !== undefined) assign(root.id, "node's event loop and others");
  const times = new Map<string, number>();
  for (const [index, id] of profile.samples.entries()) {
    const group = groups.get(id) ?? waiting;
    times.set(group, (times.get(group) ?? 0) + (profile.timeDeltas[index] ?? 0));
  }
  times.delete(waiting);
  return [...times]
    .map(([group, microseconds]) => ({ group, microseconds }))
    .sort((a, b) => b.microseconds - a.microseconds);
}

/** The first that matches a frame's file wins; a frame that none matches counts to whoever called it. */
const groupsByFile: readonly (readonly [RegExp, string])[] = [
  [/s3\/src\/signature/, 'signature'],
  [/s3\/src\/checksums|hash-wasm|@node-rs\/crc/, 'hashing'],
  [/store\/src\/journal/, 'journal'],
  [/store\/src\/(ordered-index|catalog)|node_modules\/(lmdb|msgpackr|sorted-btree|ordered-binary)/, 'index'],
  [/store\/src\/blobs/, 'staging'],
  [/store\/src/, 'store, other'],
  [/s3\/src/, 's3: parsing and matching'],
  [/engine\/src\/(server|exchange|incoming-body|render)/, 'engine: connection'],
  [/engine\/src/, 'engine: pipeline'],
  [/cli\/src|node_modules\/(pino|commander)/, 'command'],
  [
    /^node:(_http|internal\/http|_stream|internal\/streams|net$|internal\/stream_base|internal\/net|stream)/,
    "node's http, net, streams",
  ],
];

function groupOf(frame: { readonly functionName: string; readonly url: string }, caller: string): string {
  if (frame.functionName === waiting) return waiting;
  if (frame.functionName === '(garbage collector)') return 'garbage collection';
  if (frame.functionName === '(program)') return 'native code outside of JavaScript';
  // Whoever asks for a digest, it is hashing; only a signature's own belong to the signature.
  if (frame.url.startsWith('node:internal/crypto/')) return caller === 'signature' ? caller : 'hashing';
  return groupsByFile.find(([pattern]) => pattern.test(frame.url))?.[1] ?? caller;
}

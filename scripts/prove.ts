// npm run prove: the long forms of the proofs of the file service (design §6). Each is a row of the table below: a function from
// its arguments to the exit status, loaded only when it is asked for. Their short forms are tests under tests/proof.
//   npm run prove -- model [--sequences=N] [--seed=N] [--database=sqlite|postgres]
//   npm run prove -- failpoints [--only=TEXT] [--seed=N] [--rounds=N] [--lanes=N] [--discover]
//   npm run prove -- mutations [--only=TEXT]

import process from 'node:process';

interface Proof {
  readonly about: string;
  /** Loads the proof; what it gives answers the exit status: 0 when it holds, 1 when not, 2 for arguments it does not know. */
  readonly load: () => Promise<(args: readonly string[]) => Promise<number>>;
}

const proofs = {
  model: {
    about: 'random sequences of commands, held against a model and the eleven invariants',
    load: async () => (await import('../tests/proof/model/prove-model.ts')).proveModel,
  },
  failpoints: {
    about: 'the service killed behind every await that touches database or S3, and what becomes of everything then',
    load: async () => (await import('../tests/failpoints/prove-failpoints.ts')).proveFailpoints,
  },
  mutations: {
    about: 'known bugs of other file services put into this one, each to be noticed by a test',
    load: async () => (await import('../tests/mutations/catch-service-mutations.ts')).proveMutations,
  },
} as const satisfies Readonly<Record<string, Proof>>;

async function main(): Promise<number> {
  const [name = '--help', ...args] = process.argv.slice(2);
  const proof = Object.entries<Proof>(proofs).find(([known]) => known === name)?.[1];
  if (proof !== undefined) return (await proof.load())(args);
  const asked = name === '--help' || name === '-h';
  console.error(`npm run prove -- NAME [OPTIONS] proves one of these${asked ? '' : `; got ${name}`}:`);
  for (const [known, { about }] of Object.entries<Proof>(proofs)) console.error(`  ${known.padEnd(12)} ${about}`);
  console.error('npm run prove -- NAME --help tells the options of each.');
  return asked ? 0 : 2;
}

process.exitCode = await main();

// The long form of the model proof: npm run prove -- model.
//   --sequences=N        default 1,000, on each database
//   --seed=N             of the first sequence; default: by chance
//   --database=NAME      sqlite or postgres; default: both, PostgreSQL where it is installed
//   --instances=N        of the service over PostgreSQL; default 2
//   --seals=promotion    bytes that URLs may write again are copied before they are judged; default: the cheapest seal
// Ends with 1 at the first sequence that fails, shrunk, with its seed.

import { randomInt } from 'node:crypto';
import type { Seal } from '@stowage/files';
import { readOptions } from '../../../scripts/script-options.ts';
import { startPostgres } from '../../servers/postgres-server.ts';
import { renderFailure, runSequences, type SequencesOptions } from './run-sequences.ts';

const usualSequences = 1_000;
const usualInstances = 2;
const maxSeed = 2 ** 31;
const tellEvery = 100;
const databases = ['sqlite', 'postgres'] as const;
/** What is left when no URL may be trusted to write only once. */
const promotionSeals: readonly Seal[] = ['promotion', 'service-only'];

/** Answers the exit status. */
export async function proveModel(args: readonly string[]): Promise<number> {
  const { values } = readOptions(
    import.meta,
    {
      sequences: { type: 'number', default: usualSequences },
      seed: { type: 'number', default: randomInt(maxSeed) },
      instances: { type: 'number', default: usualInstances },
      database: { type: 'string' },
      seals: { type: 'string' },
    },
    { args },
  );
  const chosen = databases.filter((name) => values.database === undefined || values.database === name);
  if (chosen.length === 0) return refuse(`--database takes ${databases.join(' or ')}; got ${values.database}.`);
  if (values.seals !== undefined && values.seals !== 'promotion')
    return refuse(`--seals takes promotion; got ${values.seals}.`);
  const options = {
    firstSeed: values.seed,
    count: values.sequences,
    ...(values.seals === undefined ? {} : { seals: promotionSeals }),
  };
  for (const name of chosen) {
    const status = await (name === 'sqlite' ? prove(name, options) : provePostgres(options, values.instances));
    if (status !== 0) return status;
  }
  return 0;
}

function refuse(message: string): number {
  console.error(message);
  return 2;
}

async function provePostgres(options: SequencesOptions, instances: number): Promise<number> {
  const postgres = await startPostgres();
  if (!postgres.found) {
    console.warn(`\u001b[33mNot proven on PostgreSQL: ${postgres.reason}.\u001b[0m`);
    return 0;
  }
  return prove('postgres', { ...options, instances, database: { url: await postgres.createDatabase() } });
}

async function prove(name: string, options: SequencesOptions): Promise<number> {
  const { firstSeed, count } = options;
  console.log(`${count} sequences on ${name}, seeds ${firstSeed} to ${firstSeed + count - 1}.`);
  const startedMs = performance.now();
  const { sequences, coverage, failure } = await runSequences({
    ...options,
    onFailure: (seed, fault) => console.error(`Sequence ${seed} failed, and is being shrunk: ${fault}`),
    onSequence: (done) => {
      if (done % tellEvery === 0) console.log(`${done} of ${count}, ${seconds(startedMs)} s`);
    },
  });
  console.log(coverage.render());
  if (failure !== undefined) {
    console.error(renderFailure(failure));
    console.error(`Again: npm run prove -- model --database=${name} --sequences=1 --seed=${failure.seed}`);
    return 1;
  }
  console.log(
    `✔ ${sequences} sequences on ${name}, ${coverage.commands} commands, ${seconds(startedMs)} s: no invariant was broken.`,
  );
  return 0;
}

function seconds(sinceMs: number): string {
  return ((performance.now() - sinceMs) / 1000).toFixed(0);
}

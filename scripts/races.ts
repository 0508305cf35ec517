// npm run races: conditional writes racing at the real `stowage engine`, each race's history held against a linearizability
// checker (tests/store/linearizability). Ends with 1, the seed and the history, at the first one that no order explains.
//   --races N      default 1000
//   --workers N    of the engine; default 3
//   --seed N       of the first race; default: the time
//   --clients N    at once in each race; default 6
//   --steps N      operations of each client between start and end; default 8
//   --node-arg X   an option of node for the engine's process, such as --import=FILE; may be given several times

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { SigningKeys, signRequest } from '@stowage/s3';
import { checkHistory } from '../tests/store/linearizability/checker.ts';
import { type RaceTarget, runRace } from '../tests/store/linearizability/race.ts';
import { type RaceOperation, raceModel } from '../tests/store/linearizability/race-model.ts';
import { readOptions } from './script-options.ts';
import { startServer } from './serving/start-server.ts';

const bucket = 'races';
/** Races between two lines of progress. */
const tellEvery = 100;

const { values } = readOptions(import.meta, {
  races: { type: 'number', default: 1000 },
  workers: { type: 'number', default: 3 },
  seed: { type: 'number', default: Date.now() % 1_000_000_000 },
  clients: { type: 'number', default: 6 },
  steps: { type: 'number', default: 8 },
  'node-arg': { type: 'strings' },
});

async function main(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'stowage-races-'));
  const server = await startServer({
    args: ['engine', '--data', directory, '--port', '0', '--workers', String(values.workers), '--log-level', 'warn'],
    nodeArgs: values['node-arg'],
  });
  try {
    await createBucket(server);
    process.exitCode = await raceAll(server);
  } finally {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** Answers the exit status. */
async function raceAll(target: RaceTarget): Promise<number> {
  const { seed: firstSeed, races } = values;
  const counts = new Map<string, number>();
  const began = performance.now();
  console.log(`${races} races over ${values.workers} workers, seeds from ${firstSeed}`);
  for (let done = 0; done < races; done += 1) {
    const seed = firstSeed + done;
    const race = await runRace(target, {
      seed,
      bucket,
      clients: values.clients,
      steps: values.steps,
    });
    const verdict = checkHistory(race.history, raceModel(race.keys));
    if (!verdict.linearizable || race.winners.some((winners) => winners !== 1)) {
      console.log(`\nRace ${done + 1}, seed ${seed}: winners ${race.winners.join(' and ')}; one each is right.`);
      for (const { operation, invokedAt, respondedAt } of race.history) {
        console.log(`  ${invokedAt.toFixed(3)} to ${respondedAt?.toFixed(3)}  ${JSON.stringify(operation)}`);
      }
      if (!verdict.linearizable) {
        console.log(
          `No order explains it. ${verdict.order.length} operations could be put in order; then none of these fits:`,
        );
        for (const operation of verdict.stuck) console.log(`  ${JSON.stringify(operation)}`);
      }
      return 1;
    }
    for (const { operation } of race.history) count(counts, operation);
    if ((done + 1) % tellEvery === 0) process.stderr.write(`${done + 1} of ${races}\n`);
  }
  const seconds = (performance.now() - began) / 1000;
  const total = [...counts.values()].reduce((sum, number) => sum + number, 0);
  console.log(`All linearizable, one winner each: ${races} histories, ${total} operations, ${seconds.toFixed(0)} s.`);
  for (const [name, number] of [...counts].sort()) console.log(`  ${name.padEnd(24)} ${number}`);
  return 0;
}

function count(counts: Map<string, number>, operation: RaceOperation): void {
  const { kind } = operation;
  let name: string = kind;
  if (kind === 'put' || kind === 'delete') {
    const { condition, outcome } = operation;
    name += condition === undefined ? '' : 'ifMatch' in condition ? ' If-Match' : ' If-None-Match';
    name += ` ${outcome}`;
  }
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

async function createBucket({ endpoint, credentials }: RaceTarget): Promise<void> {
  const { url, headers } = signRequest({
    method: 'PUT',
    endpoint,
    path: `/${bucket}`,
    credentials,
    region: 'us-east-1',
    nowMs: Date.now(),
    signingKeys: new SigningKeys(),
  });
  const made = await fetch(url, { method: 'PUT', headers });
  if (!made.ok) throw new Error(`The bucket could not be made: ${made.status} ${await made.text()}`);
}

await main();

// A process that makes load. Plans come in as messages, one at a time; it answers when it is connected, begins when it is
// told to, and sends one result. It is its own process so that what it costs is not counted as the server's.

import process from 'node:process';
import type { LoadPlan } from './load-plan.ts';
import { prepareMultipart } from './run-multipart.ts';
import { type PreparedLoad, prepareRequests } from './run-requests.ts';

export type ToLoadProcess = { readonly plan: LoadPlan } | { readonly begin: true };

let prepared: PreparedLoad | undefined;

process.on('message', (message: ToLoadProcess) => {
  const answer = 'plan' in message ? prepare(message.plan) : run();
  answer.catch((error: unknown) => process.send?.({ error: error instanceof Error ? error.message : String(error) }));
});
process.on('disconnect', () => process.exit());

async function prepare(plan: LoadPlan): Promise<void> {
  prepared = plan.kind === 'requests' ? await prepareRequests(plan) : await prepareMultipart(plan);
  process.send?.({ ready: true });
}

async function run(): Promise<void> {
  if (prepared === undefined) throw new Error('There is no plan to begin with.');
  let before = process.cpuUsage();
  const result = await prepared(() => {
    before = process.cpuUsage();
  });
  prepared = undefined;
  const used = process.cpuUsage(before);
  process.send?.({ result: { ...result, loadCpuSeconds: (used.user + used.system) / 1e6 } });
}

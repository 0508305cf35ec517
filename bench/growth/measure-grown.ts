// The real engine on a store of some size: how soon it serves, what it holds in memory, how fast it is.

import type { PlannedRequest } from '../load/load-plan.ts';
import { LoadProcesses } from '../load/load-processes.ts';
import { Contender } from '../measure.ts';
import { median } from '../median.ts';
import { residentMemory } from '../process-usage.ts';
import type { GrowthStep } from '../results.ts';
import { type StowageServer, startStowage } from '../servers/stowage-server.ts';
import { type PlanContext, putRequests, type Workload } from '../workloads.ts';
import { growthFolders, growthKey } from './grow-store.ts';

const measuredMs = 3_000;
const starts = 3;
const putKeys = 10_000;
const readKeys = 5_000;
const bodyBytes = 100;
const pageKeys = 1_000;

export async function measureGrown(options: {
  /** The store is in its folder `data`. */
  readonly directory: string;
  readonly objects: number;
  readonly dataBytes: number;
}): Promise<GrowthStep> {
  const { directory, objects, dataBytes } = options;
  const cleanStarts: number[] = [];
  let started = await startTimed(directory);
  for (let start = 1; start < starts; start += 1) {
    cleanStarts.push(started.milliseconds);
    await started.server.stop();
    started = await startTimed(directory);
  }
  cleanStarts.push(started.milliseconds);
  const afterStart = residentMemory(started.server.pid);
  const load = LoadProcesses.start(1);
  const contender = new Contender(started.server, load);
  const rate = async (workload: Workload): Promise<number> => {
    await contender.measure(workload, { round: 0, durationMs: measuredMs / 3 });
    const measured = await contender.measure(workload, { round: 1, durationMs: measuredMs });
    return measured.operationsPerSecond * (measured.itemsPerOperation ?? 1);
  };
  try {
    const getPerSecond = objects === 0 ? 0 : await rate(getWorkload(objects));
    const listKeysPerSecond = objects < 2 * pageKeys ? 0 : await rate(listWorkload(objects));
    const delimiterPagesPerSecond = objects < growthFolders ? 0 : await rate(delimiterWorkload);
    const putPerSecond = await rate(putWorkload);
    const afterLoad = residentMemory(started.server.pid);
    const killedStarts: number[] = [];
    let { server } = started;
    for (let kill = 0; kill < starts; kill += 1) {
      await new Contender(server, load).measure(putWorkload, { round: 1, durationMs: measuredMs });
      process.kill(server.pid, 'SIGKILL');
      await server.ended;
      const again = await startTimed(directory);
      killedStarts.push(again.milliseconds);
      server = again.server;
    }
    await server.stop();
    return {
      objects,
      dataBytes,
      startMs: median(cleanStarts),
      startAfterKillMs: median(killedStarts),
      ...(afterStart === undefined ? {} : { afterStart }),
      ...(afterLoad === undefined ? {} : { afterLoad }),
      ...{ putPerSecond, getPerSecond, listKeysPerSecond, delimiterPagesPerSecond },
    };
  } finally {
    load.close();
  }
}

async function startTimed(directory: string): Promise<{ server: StowageServer; milliseconds: number }> {
  const begun = performance.now();
  const server = await startStowage({ directory });
  return { server, milliseconds: performance.now() - begun };
}

const frame = { needs: 'objects', payloadBytes: bodyBytes, durationMs: measuredMs, standard: false } as const;

const putWorkload: Workload = {
  ...frame,
  name: 'put-100',
  title: 'PUT 100 B, 64 connections',
  connections: 64,
  plan: (context) => {
    // A tenth of them in each of ten folders that hold objects already.
    const keys = Array.from(
      { length: putKeys },
      (_, number) => `folder-${String(number % 10).padStart(4, '0')}/new-${number}`,
    );
    return { kind: 'requests', requests: putRequests({ ...context, keys }, context.server.bucket), repeat: true };
  },
};

function getWorkload(objects: number): Workload {
  const stride = Math.max(1, Math.floor(objects / readKeys));
  const count = Math.min(objects, readKeys);
  return reading('get-100', 64, (context) =>
    Array.from({ length: count }, (_, number) => ({
      method: 'GET',
      target: context.targets.target('GET', `/${context.server.bucket}/${growthKey((number * stride * 7) % objects)}`),
      statuses: [200],
      sizeBytes: bodyBytes,
    })),
  );
}

function listWorkload(objects: number): Workload {
  const fromAllOver = Array.from({ length: 64 }, (_, number) => Math.floor(((objects - 2 * pageKeys) * number) / 64));
  // Numbers are dealt out over the folders, so a folder and a place in it come from one number each.
  const perFolder = Math.floor(objects / growthFolders);
  return reading('list', 16, (context) =>
    fromAllOver.map((position, number) => {
      const folder = Math.floor((number * (growthFolders * 0.98)) / 64) % growthFolders;
      const place = (position % Math.max(1, perFolder)) * growthFolders + folder;
      const query = { 'list-type': '2', 'start-after': growthKey(place) };
      return listRequest(context, query, '<Key>');
    }),
  );
}

const delimiterWorkload: Workload = reading('list-delimiter', 16, (context) =>
  Array.from({ length: 16 }, () => listRequest(context, { delimiter: '/', 'list-type': '2' }, '<IsTruncated>')),
);

function listRequest(context: PlanContext, query: Readonly<Record<string, string>>, text: string): PlannedRequest {
  return {
    method: 'GET',
    target: context.targets.target('GET', `/${context.server.bucket}`, query),
    statuses: [200],
    contains: { text, atLeast: 1, atMost: pageKeys },
  };
}

function reading(
  name: string,
  connections: number,
  requests: (context: PlanContext) => readonly PlannedRequest[],
): Workload {
  return {
    ...frame,
    name,
    title: name,
    connections,
    plan: (context) => ({ kind: 'requests', requests: requests(context), repeat: true }),
  };
}

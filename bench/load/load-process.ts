// A process that makes load: one workload comes in as a message, one result goes out. It is its own process so that what
// it costs is not counted as the server's.

import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { Connection } from './connection.ts';
import type { LoadResult, Workload } from './workload.ts';

const maxFailures = 100;

process.on('message', (workload: Workload) => {
  run(workload).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.on('disconnect', () => process.exit());

async function run(workload: Workload): Promise<LoadResult> {
  const body = workload.method === 'PUT' ? randomBytes(workload.sizeBytes) : undefined;
  const heads = workload.targets.map((target) => requestHead(workload, target));
  const connections: Connection[] = [];
  for (let index = 0; index < workload.connections; index += 1) {
    connections.push(await Connection.open(workload.host, workload.port));
  }
  const latencies: number[] = [];
  let next = 0;
  let failures = 0;
  let firstFailure = '';
  const startedAt = performance.now();
  const endsAt = startedAt + workload.durationMs;
  const lane = async (connection: Connection): Promise<void> => {
    while (performance.now() < endsAt && failures < maxFailures) {
      const head = heads[next % heads.length] ?? '';
      next += 1;
      const sentAt = performance.now();
      const answer = await connection.request(head, body);
      latencies.push(performance.now() - sentAt);
      const right = answer.status === 200 && (workload.method === 'PUT' || answer.bodyBytes === workload.sizeBytes);
      if (right) continue;
      failures += 1;
      if (firstFailure === '') firstFailure = `${answer.status}, ${answer.bodyBytes} bytes: ${answer.start}`;
    }
  };
  try {
    await Promise.all(connections.map(lane));
  } finally {
    for (const connection of connections) connection.close();
  }
  const elapsedMs = performance.now() - startedAt;
  latencies.sort((a, b) => a - b);
  const at = (share: number): number =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  return { requests: latencies.length, failures, firstFailure, elapsedMs, p50Ms: at(0.5), p99Ms: at(0.99) };
}

function requestHead(workload: Workload, target: string): string {
  const length = workload.method === 'PUT' ? `Content-Length: ${workload.sizeBytes}\r\n` : '';
  return `${workload.method} ${target} HTTP/1.1\r\nHost: ${workload.host}:${workload.port}\r\n${length}\r\n`;
}

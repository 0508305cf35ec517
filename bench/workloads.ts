// What is measured, as a table: each operation at several sizes and numbers of connections. A name without connections
// (`put-4k`) is that operation at its usual number; `put-4k-c1` and so on are the same at others.

import type { LoadPlan, PlannedRequest } from './load/load-plan.ts';
import type { Payloads } from './load/payloads.ts';
import type { SignedTargets } from './load/signed-targets.ts';
import type { Ability, PeerServer } from './servers/peer-server.ts';

const kib = 1024;
const mib = 1024 * kib;
const objectConnections = [1, 16, 64, 256];
const largeConnections = [1, 4, 16];

/** What has to be in the bucket before a workload can run. */
type DataSet = 'objects' | 'listing' | 'deletable';

export interface Workload {
  readonly name: string;
  /** As it stands in a table. */
  readonly title: string;
  readonly needs: Ability;
  readonly connections: number;
  readonly payloadBytes: number;
  readonly data?: DataSet;
  readonly durationMs: number;
  /** Counted are the items in the answers, by this name. Default: requests. */
  readonly unit?: 'keys';
  /** Measured by `npm run bench` without options. */
  readonly standard: boolean;
  plan(context: PlanContext): Planned;
}

export interface PlanContext {
  readonly server: PeerServer;
  readonly targets: SignedTargets;
  readonly payloads: Payloads;
  /** Of the data set that the workload names, in the order of their numbers. */
  readonly keys: readonly string[];
}

type Planned =
  | { readonly kind: 'requests'; readonly requests: readonly PlannedRequest[]; readonly repeat: boolean }
  | { readonly kind: 'multipart'; readonly path: string; readonly partCount: number };

const sizes = { '0': 0, '4k': 4 * kib, '64k': 64 * kib, '1m': mib, '64m': 64 * mib } as const;
type SizeName = keyof typeof sizes;

const standardNames: ReadonlySet<string> = new Set([
  ...['put-4k', 'get-4k', 'delete-4k', 'list', 'list-delimiter', 'range-64k', 'put-64m', 'get-64m', 'multipart-256m'],
  ...['head-4k', 'put-4k-c1', 'put-64k', 'get-64k', 'mixed'],
]);
const smallMs = 1_200;
const largeMs = 2_500;
const putKeys = 10_000;
const listedPrefixes = 100;
export const listedKeys = 20_000;
const pageKeys = 1_000;
const rangeBytes = 64 * kib;
const multipartParts = 32;

export const workloads: readonly Workload[] = [
  ...sized(['0', '4k', '64k', '1m', '64m'], 'put', (size) => ({ plan: putPlan(size) })),
  ...sized(['4k', '64k', '1m', '64m'], 'get', () => ({ data: 'objects', plan: readPlan('GET') })),
  ...sized(['4k'], 'head', () => ({ data: 'objects', plan: readPlan('HEAD') })),
  ...sized(['4k'], 'delete', () => ({ data: 'deletable', plan: deletePlan })),
  ...sized(['4k'], 'mixed', () => ({ data: 'objects', plan: mixedPlan })),
  ...atConnections('range-64k', 16, [1, 16, 64], (connections) => ({
    title: `random ranges of 64 KiB, ${connections} connections`,
    needs: 'ranges',
    payloadBytes: 64 * mib,
    data: 'objects',
    plan: rangePlan,
  })),
  ...atConnections('list', 16, [1, 16, 64], (connections) => ({
    title: `LIST pages of 1,000, ${connections} connections`,
    needs: 'list',
    payloadBytes: 0,
    data: 'listing',
    unit: 'keys',
    plan: listPlan,
  })),
  ...atConnections('list-delimiter', 16, [1, 16, 64], (connections) => ({
    title: `LIST by delimiter, 100 prefixes, ${connections} connections`,
    needs: 'list',
    payloadBytes: 0,
    data: 'listing',
    plan: delimiterPlan,
  })),
  ...atConnections('multipart-256m', 4, largeConnections, (connections) => ({
    title: `multipart of 256 MiB, ${connections} connections`,
    needs: 'multipart',
    payloadBytes: 8 * mib,
    durationMs: largeMs,
    plan: () => ({ kind: 'multipart', path: 'multipart/object', partCount: multipartParts }),
  })),
];

/** The whole plan of a workload for one server. */
export function planOf(workload: Workload, context: PlanContext): LoadPlan {
  const url = new URL(context.server.endpoint);
  const { durationMs, payloadBytes } = workload;
  const most = workload.data === 'listing' ? context.server.slowListing?.connections : undefined;
  const connections = Math.min(workload.connections, most ?? workload.connections);
  const frame = { host: url.hostname, port: Number(url.port), connections, durationMs, payloadBytes };
  const planned = workload.plan(context);
  if (planned.kind === 'requests') return { ...frame, ...planned };
  const { endpoint, credentials = { accessKeyId: 'NONE', secretAccessKey: 'NONE' }, bucket } = context.server;
  return { ...frame, ...planned, endpoint, credentials, path: `/${bucket}/${planned.path}` };
}

/** PUT requests for these keys: a workload, and how data sets are made. */
export function putRequests(context: PlanContext, bucket: string): PlannedRequest[] {
  const { server, targets, payloads, keys } = context;
  return keys.map((key, number) => ({
    method: 'PUT',
    target: targets.target('PUT', `/${bucket}/${key}`),
    sends: payloads.whole(number),
    statuses: server.putStatuses ?? [200],
    ...etagOf(context, number),
  }));
}

/** `prefix-007/object-00000007`: dealt out over the prefixes. */
export function listingKey(number: number): string {
  const prefix = `prefix-${String(number % listedPrefixes).padStart(3, '0')}`;
  return `${prefix}/object-${String(number).padStart(8, '0')}`;
}

type Part = Pick<Workload, 'plan' | 'data'>;

function sized(
  names: readonly SizeName[],
  operation: 'put' | 'get' | 'head' | 'delete' | 'mixed',
  part: (size: SizeName) => Part,
): Workload[] {
  return names.flatMap((size) => {
    const large = sizes[size] > mib;
    const usual = large ? 4 : 64;
    const name = operation === 'mixed' ? operation : `${operation}-${size}`;
    const label = operation === 'mixed' ? 'mixed' : operation.toUpperCase();
    return atConnections(name, usual, large ? largeConnections : objectConnections, (connections) => ({
      title: `${label} ${sizeTitle(sizes[size])}, ${connections} ${connections === 1 ? 'connection' : 'connections'}`,
      needs: 'objects',
      payloadBytes: sizes[size],
      ...(large ? { durationMs: largeMs } : {}),
      ...part(size),
    }));
  });
}

function atConnections(
  name: string,
  usual: number,
  all: readonly number[],
  make: (connections: number) => Omit<Workload, 'name' | 'connections' | 'standard' | 'durationMs'> & {
    readonly durationMs?: number;
  },
): Workload[] {
  return all.map((connections) => {
    const fullName = connections === usual ? name : `${name}-c${connections}`;
    return {
      name: fullName,
      connections,
      durationMs: smallMs,
      standard: standardNames.has(fullName),
      ...make(connections),
    };
  });
}

function sizeTitle(sizeBytes: number): string {
  if (sizeBytes >= mib) return `${sizeBytes / mib} MiB`;
  return sizeBytes === 0 ? '0 B' : `${sizeBytes / kib} KiB`;
}

function putPlan(size: SizeName): Workload['plan'] {
  const count = Math.max(4, Math.min(putKeys, Math.floor((64 * mib) / Math.max(1, sizes[size]))));
  const keys = Array.from({ length: count }, (_, number) => `put-${size}/object-${String(number).padStart(6, '0')}`);
  return (context) => ({
    kind: 'requests',
    requests: putRequests({ ...context, keys }, context.server.bucket),
    repeat: true,
  });
}

function readPlan(method: 'GET' | 'HEAD'): Workload['plan'] {
  return (context) => ({ kind: 'requests', requests: readRequests(context, method), repeat: true });
}

function readRequests(context: PlanContext, method: 'GET' | 'HEAD'): PlannedRequest[] {
  const { server, targets, payloads, keys } = context;
  return keys.map((key, number) => ({
    method,
    target: targets.target(method, `/${server.bucket}/${key}`),
    statuses: [200],
    ...(method === 'GET' ? { sizeBytes: payloads.sizeBytes } : {}),
    ...(method === 'GET' && server.keepsBytes !== false ? { receives: payloads.whole(number) } : {}),
    ...etagOf(context, number),
  }));
}

function deletePlan({ server, targets, keys }: PlanContext): Planned {
  const requests = keys.map((key) => ({
    method: 'DELETE' as const,
    target: targets.target('DELETE', `/${server.bucket}/${key}`),
    statuses: [204],
  }));
  return { kind: 'requests', requests, repeat: false };
}

/** Of 20 requests 9 GET, 6 HEAD, 3 PUT of new or replaced objects, 2 DELETE of such ones. */
function mixedPlan(context: PlanContext): Planned {
  const gets = readRequests(context, 'GET');
  const heads = readRequests(context, 'HEAD');
  const changing = Array.from({ length: 6_000 }, (_, number) => `mixed/object-${String(number).padStart(6, '0')}`);
  const puts = putRequests({ ...context, keys: changing }, context.server.bucket);
  const deletes = changing.map((key) => ({
    method: 'DELETE' as const,
    target: context.targets.target('DELETE', `/${context.server.bucket}/${key}`),
    // nginx answers 404 to what is gone already, S3 never does.
    statuses: context.server.etagIsMd5 === false ? [204, 404] : [204],
  }));
  const requests = Array.from({ length: 20 * 2_000 }, (_, number) => {
    const turn = Math.floor(number / 20);
    // A stride of 7 through 20 spreads each kind evenly.
    const kind = (number * 7) % 20;
    const read = number % gets.length;
    if (kind < 9) return gets[read];
    if (kind < 15) return heads[read];
    if (kind < 18) return puts[turn * 3 + (kind - 15)];
    // Far enough behind that their PUT is over.
    return deletes[(turn * 3 + (kind - 18) + 3_000) % deletes.length];
  });
  return { kind: 'requests', requests: requests.filter((request) => request !== undefined), repeat: true };
}

/** Blocks that do not begin where a block of ours does, in an order that does not repeat within a measurement. */
function rangePlan({ server, targets, payloads, keys }: PlanContext): Planned {
  const requests = Array.from({ length: 8_192 }, (_, number) => {
    const object = number % keys.length;
    const places = payloads.sizeBytes - rangeBytes;
    const from = (number * 15_485_863) % places;
    return {
      method: 'GET' as const,
      target: targets.target('GET', `/${server.bucket}/${keys[object]}`),
      range: `bytes=${from}-${from + rangeBytes - 1}`,
      statuses: [206],
      sizeBytes: rangeBytes,
      ...(server.keepsBytes === false
        ? {}
        : { receives: { variant: payloads.whole(object).variant, from, to: from + rangeBytes } }),
    };
  });
  return { kind: 'requests', requests, repeat: true };
}

/** Pages from places all over the bucket, each with 1,000 keys. */
function listPlan({ server, targets, keys }: PlanContext): Planned {
  const sorted = [...keys].sort();
  const starts = Array.from({ length: 64 }, (_, number) => sorted[(number * 317) % (sorted.length - pageKeys)] ?? '');
  return listRequests({
    targets: starts.map((start) =>
      targets.target('GET', `/${server.listBucket}`, { 'list-type': '2', 'start-after': start }),
    ),
    // S3 may answer less than a full page; Ceph's gateway does.
    contains: { text: '<Key>', atLeast: 1, atMost: pageKeys },
  });
}

function delimiterPlan({ server, targets }: PlanContext): Planned {
  return listRequests({
    targets: [targets.target('GET', `/${server.listBucket}`, { delimiter: '/', 'list-type': '2' })],
    ...(server.keepsBytes === false
      ? {}
      : { contains: { text: '<CommonPrefixes>', atLeast: listedPrefixes, atMost: listedPrefixes } }),
  });
}

function listRequests(list: {
  readonly targets: readonly string[];
  readonly contains?: PlannedRequest['contains'];
}): Planned {
  const { contains } = list;
  // Enough of them that every client process gets some.
  const requests = Array.from({ length: 64 }, (_, number) => ({
    method: 'GET' as const,
    target: list.targets[number % list.targets.length] ?? '',
    statuses: [200],
    ...(contains === undefined ? {} : { contains }),
  }));
  return { kind: 'requests', requests, repeat: true };
}

function etagOf({ server, payloads }: PlanContext, number: number): { readonly etag?: string } {
  const known = server.etagIsMd5 !== false && server.keepsBytes !== false;
  return known ? { etag: payloads.etag(number) } : {};
}

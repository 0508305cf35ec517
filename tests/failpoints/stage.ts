// What stands around the service while it dies: a real engine in this process behind a proxy that can misbehave, on a clock that only
// moves forward, a receiver of webhooks, a scanner, and folders. One stage serves many scenarios, one after the other; each has a
// bucket and a database of its own.

import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Engine, startEngine } from '@stowage/engine';
import { type FaultProxy, startFaultProxy } from '../files/fault-proxy.ts';
import { type ScannerServer, startScannerServer } from '../proof/scanner-server.ts';
import { listen } from '../servers/listen.ts';
import { DoomedLife } from './lives.ts';
import { prepareSources } from './prepare-sources.ts';

export interface Stage {
  readonly engine: Engine;
  readonly proxy: FaultProxy;
  readonly clock: () => number;
  readonly offsetMs: number;
  readonly scanner: ScannerServer;
  /** Where webhooks may be sent. */
  readonly receiver: string;
  /** What the receiver answers. */
  receiverStatus: number;
  /** Bodies that came to the receiver and were answered with 2xx. */
  readonly received: string[];
  /** An empty folder. */
  makeFolder(): Promise<string>;
  advance(durationMs: number): void;
  /** A process that has loaded the service, or is about to. */
  takeDoomed(): DoomedLife;
  /** Called when the stage is taken down, the last first. */
  after(cleanUp: () => unknown): void;
  close(): Promise<void>;
}

export async function openStage({ keepsReady }: { readonly keepsReady: boolean }): Promise<Stage> {
  const cleanUps: (() => unknown)[] = [];
  const after = (cleanUp: () => unknown): void => void cleanUps.push(cleanUp);
  const folder = await mkdtemp(join(tmpdir(), 'stowage-failpoints-'));
  after(() => rm(folder, { recursive: true, force: true }));
  const sources = join(folder, 'sources.json');
  await prepareSources(sources);
  let offsetMs = 0;
  const clock = (): number => Date.now() + offsetMs;
  const engine = await startEngine({ clock });
  after(() => engine.close());
  const proxy = await startFaultProxy({ after }, engine.endpoint);
  const scanner = await startScannerServer();
  after(() => scanner.close());
  let ready: DoomedLife | undefined;
  after(() => ready?.end());
  const newDoomed = (): DoomedLife => new DoomedLife(sources, join(tmpdir(), 'stowage-failpoints-cache'));
  const stage: Stage = {
    engine,
    proxy,
    clock,
    get offsetMs() {
      return offsetMs;
    },
    scanner,
    receiver: await startReceiver(() => stage, after),
    receiverStatus: 204,
    received: [],
    makeFolder: () => mkdtemp(join(folder, 'life-')),
    advance: (durationMs) => {
      offsetMs += durationMs;
    },
    takeDoomed: () => {
      const taken = ready ?? newDoomed();
      ready = keepsReady ? newDoomed() : undefined;
      return taken;
    },
    after,
    close: async () => {
      for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
    },
  };
  return stage;
}

async function startReceiver(
  stage: () => Pick<Stage, 'receiverStatus' | 'received'>,
  after: Stage['after'],
): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    let text = '';
    incoming.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    incoming.on('end', () => {
      const { receiverStatus, received } = stage();
      if (receiverStatus < 300) received.push(text);
      outgoing.writeHead(receiverStatus).end();
    });
  });
  return `${await listen({ after }, server)}/hook`;
}
